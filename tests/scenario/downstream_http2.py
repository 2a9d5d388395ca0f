#!/usr/bin/env python3
"""Downstreams that speak HTTP/2, and those behind a proxy: what only libcurl's
whole transfer reaches. No result is posted twice."""

import json
import pathlib
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from authority import Authority, need_authorities, server_context
from downstream import Downstream, refusing_url
from pool import SAMPLE, Pool

OK = b'{"ok":true}'
PEER = kit.TOP / "tests/lib/h2_peer.js"


class Http2Peer(kit.Process):
    """tests/lib/h2_peer.js."""

    def __init__(self, *tls):
        kit.need_server("node")
        super().__init__("h2-peer", ["node", PEER, kit.HOST, *tls])
        self.wait_for_log("\n")
        port = json.loads(self.log().splitlines()[0])["port"]
        self.url = f"{'https' if tls else 'http'}://{kit.HOST}:{port}/post?a=b"

    def requests(self, count):
        """What it has read whole, `count` or more."""
        lines = kit.until(f"{count} requests", lambda: (
            lines := self.log().split("\n")[1:-1]) and len(lines) >= count
            and lines)
        return [json.loads(line) for line in lines]

    def ids(self, count):
        return [request["id"] for request in self.requests(count)]


def post(pool, name):
    return pool.post(SAMPLE, HTTP_X_REQUEST_ID=name)


def pool_for(url, **keys):
    return Pool({"post": {"downstream": url, **keys}}, workers=1)


def check_posts(peer, scheme, **keys):
    with pool_for(peer.url, **keys) as pool:
        for turn in range(5):
            reply = post(pool, f"id-{turn}")
            tap.equal(reply.body, OK, f"reply {turn}")
        tap.equal(peer.ids(5), [f"id-{turn}" for turn in range(5)], "the posts")
        first = peer.requests(5)[0]
        tap.equal((first["method"], first["path"], first["scheme"],
                   first["type"], json.loads(first["body"])),
                  ("POST", "/post?a=b", scheme, "application/json",
                   {"sum": 42}), "the first post")
        tap.equal({request["connection"] for request in peer.requests(5)}, {1},
                  "connections")
        tap.equal((pool.count("downstream_posts"),
                   pool.count("downstream_connects")), (5, 1),
                  "posts and connections that were counted")


def check_cuts(peer, **keys):
    """A kept connection that ends once the request is read: one post"""
    with pool_for(peer.url, **keys) as pool:
        for turn in range(4):
            tap.equal(post(pool, f"id-{turn}").status, 200, f"reply {turn}")
            tap.equal(post(pool, f"cut-{turn}").status, 502, f"cut {turn}")
        tap.equal(post(pool, "last").status, 200, "the last")
        tap.equal(peer.ids(9), [name for turn in range(4)
                                for name in (f"id-{turn}", f"cut-{turn}")]
                  + ["last"], "the posts")


@tap.test
def prior_knowledge():
    with Http2Peer() as peer:
        check_posts(peer, "http", downstream_http="2-prior-knowledge")


@tap.test
def over_tls():
    need_authorities()
    ours = Authority("ours")
    with Http2Peer(*ours.issue("server", kit.HOST)) as peer:
        check_posts(peer, "https", downstream_http="2", downstream_ca=ours.cert)


@tap.test
def cut_after_reading():
    with Http2Peer() as peer:
        check_cuts(peer, downstream_http="2-prior-knowledge")


@tap.test
def cut_after_reading_over_tls():
    need_authorities()
    ours = Authority("ours")
    with Http2Peer(*ours.issue("server", kit.HOST)) as peer:
        check_cuts(peer, downstream_http="2", downstream_ca=ours.cert)


@tap.test
def a_peer_that_leaves_after_its_answer():
    """GOAWAY (RFC 9113, 6.8): the next post has a connection of its own, of the
    same kind"""
    with Http2Peer() as peer, pool_for(
            peer.url, downstream_http="2-prior-knowledge") as pool:
        names = [f"{word}-{turn}" for turn in range(3) for word in ("bye", "id")]
        for name in names:
            tap.equal(post(pool, name).status, 200, name)
        tap.equal(peer.ids(6), names, "the posts")
        tap.equal([request["connection"] for request in peer.requests(6)],
                  [1, 2, 2, 3, 3, 4], "connections")


@tap.test
def a_stream_that_is_refused():
    """REFUSED_STREAM says that nothing was done with it (RFC 9113, 8.7); a
    502 all the same, and never two posts"""
    with Http2Peer() as peer, pool_for(
            peer.url, downstream_http="2-prior-knowledge") as pool:
        tap.equal(post(pool, "id-1").status, 200, "the first")
        status = post(pool, "goaway").status
        tap.check(status == 502, f"the status is {status}")
        tap.equal(post(pool, "id-2").status, 200, "the next")
        tap.equal(peer.ids(2), ["id-1", "id-2"], "the posts")


@tap.test
def a_peer_without_http2_over_tls():
    """downstream_http = 2 asks for it; HTTP/1.1 is what it gets"""
    need_authorities()
    ours = Authority("ours")
    context = server_context(ours.issue("server", kit.HOST))
    with Downstream(tls=context) as down, pool_for(
            down.url, downstream_http="2", downstream_ca=ours.cert) as pool:
        tap.equal(post(pool, "id-1").body, OK, "the reply")


# --- Proxies. ---

class Proxy:
    """CONNECT and absolute targets (RFC 9110, 9.3.6; RFC 9112, 3.2.2); keeps
    the first line of each."""

    def __init__(self):
        self.lines = []
        self.listener = socket.create_server((kit.HOST, 0))
        self.url = "http://%s:%d" % self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                link, _peer = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,),
                             daemon=True).start()

    def _serve(self, link):
        text = b""
        while b"\r\n\r\n" not in text:
            part = link.recv(65536)
            if not part:
                return
            text += part
        line = text.split(b"\r\n")[0].decode()
        self.lines.append(line)
        method, target = line.split()[:2]
        host, port = (target if method == "CONNECT"
                      else target.split("/")[2]).rsplit(":", 1)
        with socket.create_connection((host, int(port))) as other:
            if method == "CONNECT":
                link.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                other.sendall(text)
            back = threading.Thread(target=self._pump, args=(other, link),
                                    daemon=True)
            back.start()
            self._pump(link, other)
            back.join()

    @staticmethod
    def _pump(source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@tap.test
def a_proxy_is_used():
    with Downstream() as down, Proxy() as proxy, pool_for(
            down.url, downstream_proxy=proxy.url) as pool:
        for turn in range(3):
            tap.equal(post(pool, f"id-{turn}").body, OK, f"reply {turn}")
        tap.equal(proxy.lines, [f"POST {down.url} HTTP/1.1"], "its requests")
        tap.equal(len(down.requests), 3, "the posts")


@tap.test
def a_proxy_leads_to_tls():
    need_authorities()
    ours = Authority("ours")
    context = server_context(ours.issue("server", kit.HOST))
    with Downstream(tls=context) as down, Proxy() as proxy, pool_for(
            down.url, downstream_proxy=proxy.url,
            downstream_ca=ours.cert) as pool:
        tap.equal(post(pool, "id-1").body, OK, "the reply")
        tap.equal(proxy.lines, [f"CONNECT {kit.HOST}:{down.port} HTTP/1.1"],
                  "its requests")


@tap.test
def a_proxy_that_is_not_there():
    with Downstream() as down, pool_for(
            down.url, downstream_proxy=refusing_url().rsplit("/", 1)[0]) as pool:
        tap.equal(post(pool, "id-1").status, 502, "the status")
        tap.equal(pool.count("downstream_connect"), 1, "downstream_connect")
        tap.equal(down.requests, [], "the posts")


if __name__ == "__main__":
    sys.exit(kit.run())

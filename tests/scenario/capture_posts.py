#!/usr/bin/env python3
"""tallyctl capture: what is posted is stored and passed on as it is, whatever
the downstream, the disk and the peers do."""

import base64
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from authority import Authority, need_authorities, server_context
from downstream import Answer, Downstream, Raw, refusing_url
from replays import free_address, replay

BODY = b'{"sum":42}'


class Capture:
    """A tallyctl capture; .lines() is what it has stored."""

    def __init__(self, *arguments, out=None):
        listen, self.address = free_address()
        self.out = out or kit.fresh_path("posts.log")
        self.url = f"http://{listen}"
        self.process = kit.Process("capture", [
            kit.TALLYCTL, "capture", "--listen", listen, "--out", self.out,
            *arguments])
        self.process.wait_for_log("listening on")

    def lines(self):
        return [json.loads(line) for line in self.out.read_bytes().splitlines()]

    def connect(self):
        return http.client.HTTPConnection(*self.address,
                                          timeout=kit.wait_limit(20))

    def post(self, body=BODY, path="/process", **headers):
        """(status, body, headers) of one post."""
        link = self.connect()
        try:
            link.request("POST", path, body, headers)
            reply = link.getresponse()
            return reply.status, reply.read(), dict(reply.getheaders())
        finally:
            link.close()

    def end(self, status=0):
        tap.equal(self.process.stop(), status, "exit status")


@tap.test
def passed_on():
    """a post is passed on byte for byte, and so is its answer"""
    answer = Answer(201, b"\x00\xffyes", {"X-Their": "a: b",
                                          "Content-Type": "text/odd"})
    with Downstream(answer) as down:
        capture = Capture("--forward", down.url.removesuffix("process"))
        body = bytes(range(256)) * 40
        status, reply, headers = capture.post(
            body, "/a%2Fb/?c=%20d&e", **{
                "X-Request-ID": "one", "Content-Type": "x/y",
                "Authorization": "Basic eA==", "Idempotency-Key": "k",
                "Connection": "close"})
        tap.equal((status, reply), (201, b"\x00\xffyes"), "the answer")
        tap.equal((headers["X-Their"], headers["Content-Type"]),
                  ("a: b", "text/odd"), "its header")
        [got] = down.take()
        tap.equal((got.target, got.body), ("/a%2Fb/?c=%20d&e", body),
                  "what the downstream got")
        wanted = {"x-request-id": "one", "content-type": "x/y",
                  "authorization": "Basic eA==", "idempotency-key": "k",
                  "host": down.url.split("/")[2], "content-length": "10240"}
        tap.equal({name: got.headers.get(name) for name in wanted}, wanted,
                  "its header")
        tap.check("connection" not in got.headers, str(got.headers))
        [line] = capture.lines()
        tap.equal((line["request_id"], line["target"], line["status"],
                   base64.b64decode(line["body_base64"])),
                  ("one", "/a%2Fb/?c=%20d&e", 201, body), "the line")
        capture.end()


@tap.test
def over_tls():
    """an authority that is named is trusted, and a certificate shown"""
    need_authorities()
    ours = Authority("ours")
    cert, key = ours.issue("capture")
    shown = ["--forward-cert", cert, "--forward-key", key]
    with Downstream(tls=server_context(ours.issue("server", kit.HOST),
                                       clients=ours)) as down:
        for arguments, status in (
                (["--forward-ca", ours.cert, *shown], 200),
                (["--forward-ca", ours.cert], 502), (shown, 502)):
            capture = Capture("--forward", down.url, *arguments)
            tap.equal(capture.post()[0], status, f"status with {arguments}")
            capture.end()
        tap.equal(len(down.take()), 1, "posts passed on")


@tap.test
def own_path():
    """a URL with a path gets all posts at that path"""
    with Downstream() as down:
        capture = Capture("--forward", down.url + "?x=1")
        capture.post(path="/other")
        tap.equal(down.take()[0].target, "/process?x=1", "the target")
        capture.end()


@tap.test
def answered():
    """without --forward it answers itself; what it stored can be replayed"""
    capture = Capture("--answer", 202)
    link = capture.connect()
    bodies = [b'{"a":1}', b"", b"\xff", b'"\n"']
    for body in bodies:
        link.request("POST", "/process", body)
        reply = link.getresponse()
        tap.equal((reply.status, reply.read()), (202, b""), "the answer")
    link.request("POST", "/process", iter([b'{"b"', b":2}"]),
                 encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    tap.equal(link.getresponse().read(), b"", "the answer")
    link.close()
    capture.end()
    with Downstream() as down:
        replay(down.url, down.url, capture.out).expect(0, cases=5)
        tap.equal(sorted(request.body for request in down.take()),
                  sorted((bodies + [b'{"b":2}']) * 2), "bodies")


@tap.test
def bad_downstreams():
    """a downstream that is dead, broken or stalls gives 502 or 504"""
    with Downstream() as down:
        dead = Capture("--forward", refusing_url())
        tap.equal(dead.post()[0], 502, "status of a dead one")
        dead.end()
        capture = Capture("--forward", down.url, "--timeout", "3s",
                          "--max-reply", "1k")
        for answer in (Raw(b""), Raw(b"nonsense\r\n\r\n"),
                       Answer(200, b"x" * 1025)):
            down.answer = answer
            tap.equal(capture.post()[0], 502, "status of a broken one")
        down.answer = Answer()
        down.hold()
        tap.equal(capture.post()[0], 504, "status of a stalled one")
        down.release()
        tap.equal(capture.post()[0], 200, "status when it is well again")
        tap.equal([line["status"] for line in capture.lines()],
                  [502, 502, 502, 504, 200], "statuses stored")
        tap.check("failed" in capture.lines()[3], "why is not stored")
        capture.end()
        tap.check("5 posts, 4 without an answer" in capture.process.log(),
                  capture.process.log())


@tap.test
def stalled_alone():
    """posts that stall hold up no others"""
    def slow_first(request, _link):
        if request.body == b"slow":
            gate.wait(kit.wait_limit(20))
        return Answer()
    gate = threading.Event()
    with Downstream(slow_first) as down:
        capture = Capture("--forward", down.url)
        results = []
        threads = [threading.Thread(target=lambda: results.append(
            capture.post(b"slow")[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        down.wait_for(8)
        for _ in range(20):
            tap.equal(capture.post()[0], 200, "status beside them")
        tap.equal(results, [], "they were to stall")
        gate.set()
        for thread in threads:
            thread.join()
        tap.equal(results, [200] * 8, "their statuses")
        capture.end()


@tap.test
def refused():
    """too long a post, another method, a connection too many"""
    with Downstream() as down:
        capture = Capture("--forward", down.url, "--max-body", 1000,
                          "--connections", 1)
        tap.equal(capture.post(b"x" * 1001)[0], 413, "status of a long one")
        link = capture.connect()
        link.request("GET", "/")
        tap.equal(link.getresponse().read(), b"", "the answer to a GET")
        tap.equal(down.take(), [], "what was passed on")
        link.close()
        link.request("POST", "/", BODY)
        link.getresponse().read()
        other = socket.create_connection(capture.address)
        other.settimeout(0.2)
        other.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                      b"\r\n1")
        try:
            tap.check(False, f"it was served: {other.recv(99)}")
        except TimeoutError:
            pass
        link.close()
        other.settimeout(kit.wait_limit(20))
        tap.check(other.recv(99).startswith(b"HTTP/1.1 200"), "its turn")
        other.close()
        capture.end()


@tap.test
def full_disk():
    """a full disk, or a full file, changes nothing for the posts"""
    with Downstream() as down:
        capture = Capture("--forward", down.url, out=pathlib.Path("/dev/full"))
        for _ in range(3):
            tap.equal(capture.post()[0], 200, "status")
        tap.equal(len(down.take()), 3, "posts passed on")
        capture.process.wait_for_log("posts are not in /dev/full")
        capture.end(3)
        capture = Capture("--forward", down.url, "--max-out", "1k")
        for _ in range(30):
            tap.equal(capture.post()[0], 200, "status")
        tap.equal(len(down.take()), 30, "posts passed on")
        tap.check(0 < len(capture.lines()) < 30, "lines of a full file")
        tap.check(capture.out.stat().st_size <= 1024, "the size of the file")
        capture.end(3)


@tap.test
def ends_politely():
    """told to end, it lets the posts under way finish"""
    with Downstream() as down:
        capture = Capture("--forward", down.url)
        idle = capture.connect()
        idle.request("POST", "/", BODY)
        idle.getresponse().read()
        down.take()
        down.hold()
        results = []
        thread = threading.Thread(
            target=lambda: results.append(capture.post()[0]))
        thread.start()
        down.wait_for(1)
        capture.process.send(signal.SIGTERM)
        kit.until("nobody is accepted any more", lambda: idle.sock is None or
                  idle.sock.recv(1) == b"")
        down.release()
        thread.join()
        tap.equal(results, [200], "the status of the one under way")
        tap.equal(capture.process.wait(), 0, "exit status")
        tap.equal(len(capture.lines()), 2, "lines")
        idle.close()


@tap.test
def rotated():
    """SIGUSR1 opens a file that has been moved away again"""
    capture = Capture()
    link = capture.connect()
    moved = capture.out.with_suffix(".1")

    def post():
        link.request("POST", "/", BODY)
        link.getresponse().read()
    post()
    capture.out.rename(moved)
    capture.process.send(signal.SIGUSR1)

    def is_there():
        post()
        return capture.out.exists()
    kit.until("the file is there again", is_there)
    link.close()
    tap.check(len(moved.read_bytes().splitlines()) >= 1, "the old file")
    capture.end()


@tap.test
def usage():
    """wrong usage ends with 64, what keeps it from running with 3"""
    listen, _address = free_address()
    for arguments, status, part in (
            (["--listen", listen], 64, "--listen and --out are needed"),
            (["--listen", "nonsense", "--out", "x"], 64, "--listen"),
            (["--listen", listen, "--out", "x", "y"], 64, "y: not an option"),
            (["--listen", listen, "--out", "/no/dir/x"], 3, "/no/dir/x"),
            (["--listen", listen, "--out", kit.fresh_path("o"), "--forward",
              "http://a b/"], 3, "http://a b/"),
            (["--listen", listen, "--out", kit.fresh_path("o"), "--forward",
              "https://a/", "--forward-ca", "/none"], 3, "forward_ca = /none"),
            (["--listen", listen, "--out", "x", "--forward-key", "x"], 64,
             "--forward-cert and --forward-key: give both")):
        done = subprocess.run(
            [kit.TALLYCTL, "capture", *map(str, arguments)],
            capture_output=True, text=True, check=False,
            timeout=kit.wait_limit(20))
        tap.equal(done.returncode, status, f"{arguments}: {done.stderr}")
        tap.check(part in done.stderr, done.stderr)


sys.exit(kit.run())

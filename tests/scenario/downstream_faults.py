#!/usr/bin/env python3
"""Downstreams that refuse, stall, cut, lie or never end: each has its outcome,
and no result is posted twice."""

import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import peers
import tap
from downstream import Answer, Downstream, Raw, refusing_url
from pool import SAMPLE, Pool

OK = b'{"ok":true}'
RESULT = {"sum": 42}


def pool_for(down, workers=1, env=None, **keys):
    return Pool({"post": {"downstream": down.url, **keys}}, workers=workers,
                env=env)


def expect(answer, status, outcome, posts=1, **keys):
    """A downstream with that answer leads to this outcome, after exactly
    `posts` posts, and the next request is not harmed by it."""
    with Downstream(answer) as down, pool_for(down, **keys) as pool:
        reply = pool.post(SAMPLE)
        tap.equal(reply.status, status, "the status")
        tap.contains(reply.body.decode(), f'"outcome":"{outcome}"', "the body")
        tap.equal(pool.count(outcome), 1, outcome)
        tap.equal(down.bodies(), [RESULT] * posts, "what was posted")
        tap.equal(pool.count("downstream_posts"), posts, "downstream_posts")
        down.answer = Answer()
        tap.equal(pool.post(SAMPLE).body, OK, "the next reply")


@tap.test
def refused():
    with Pool({"post": {"downstream": refusing_url()}}) as pool:
        tap.equal(pool.post(SAMPLE).status, 502, "the status")
        tap.equal(pool.count("downstream_connect"), 1, "downstream_connect")
        tap.equal(pool.count("downstream_posts"), 0, "downstream_posts")


@tap.test
def statuses_outside_2xx():
    for status in (400, 404, 429, 500, 503):
        expect(Answer(status), 502, "downstream_status")


@tap.test
def every_2xx_is_success():
    for status in (200, 201, 202, 204, 299):
        body = b"" if status == 204 else b"{}"
        length = {"Content-Length": None} if status == 204 else {}
        with Downstream(Answer(status, body, length)) as down, \
                pool_for(down) as pool:
            tap.equal(pool.post(SAMPLE).body, OK, f"the reply after {status}")


@tap.test
def a_redirect_is_not_followed():
    with Downstream() as elsewhere:
        expect(Answer(307, headers={"Location": elsewhere.url}), 502,
               "downstream_redirect")
        tap.equal(elsewhere.take(), [], "requests elsewhere")


@tap.test
def cut_after_reading():
    expect(Raw(b""), 502, "downstream_broken")


@tap.test
def cut_within_the_answer():
    expect(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), 502,
           "downstream_broken")
    expect(Raw(b"HTTP/1.1 200 OK\r\nContent-Le"), 502, "downstream_broken")


@tap.test
def not_http():
    expect(Raw(b"220 mail.example ESMTP\r\n"), 502, "downstream_broken")
    expect(Raw(b"\x16\x03\x01\x02\x00\x01\x00" * 9), 502, "downstream_broken")


@tap.test
def a_stall_ends_at_the_deadline():
    with Downstream() as down, pool_for(down, timeout="1s") as pool:
        down.hold()
        began = time.monotonic()
        tap.equal(pool.post(SAMPLE).status, 504, "the status")
        tap.check(time.monotonic() - began >= 1, "it was too early")
        tap.equal(pool.count("downstream_timeout"), 1, "downstream_timeout")
        tap.equal(len(down.wait_for(1)), 1, "requests")
        down.release()


@tap.test
def an_answer_that_drips_ends_at_the_deadline():
    with Downstream(peers.drip()) as down, pool_for(down, timeout="150ms") as pool:
        tap.equal(pool.post(SAMPLE).status, 504, "the status")


@tap.test
def endless_headers_are_cut():
    expect(peers.flood(b"HTTP/1.1 200 OK\r\n",
                       b"X-More: " + b"x" * 1000 + b"\r\n"),
           502, "downstream_broken")


@tap.test
def an_endless_answer_is_cut():
    expect(peers.flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                       b"\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
           502, "downstream_broken", downstream_max_reply="64k")


@tap.test
def the_largest_answer_is_taken():
    with Downstream(Answer(200, b"x" * 65536)) as down, \
            pool_for(down, downstream_max_reply="64k") as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")


@tap.test
def one_connection_is_reused():
    with Downstream() as down, pool_for(down) as pool:
        for _turn in range(20):
            tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        tap.equal(down.connections, 1, "connections")
        tap.equal(pool.count("downstream_connects"), 1, "downstream_connects")


@tap.test
def a_connection_closed_while_idle_is_replaced():
    with Downstream(Answer(close=True)) as down, pool_for(down) as pool:
        for turn in range(5):
            tap.equal(pool.post(SAMPLE).body, OK, f"reply {turn}")
        tap.equal(down.connections, 5, "connections")


@tap.test
def a_silent_close_of_a_kept_connection_never_doubles():
    """Close without a word after every answer, and sometimes after reading:
    every request is posted at most once, and none is told ok in vain"""
    def moody(_request, link):
        if len(down.requests) % 3 == 0:
            return None
        link.sendall(Answer().data)
        return None
    with Downstream(moody) as down, pool_for(down) as pool:
        told = [pool.post(SAMPLE, HTTP_X_REQUEST_ID=f"id-{i}").status
                for i in range(60)]
        ids = [request.headers["x-request-id"] for request in down.take()]
        tap.equal(len(ids), len(set(ids)), "requests that came once")
        unposted = [i for i, status in enumerate(told)
                    if status == 200 and f"id-{i}" not in ids]
        tap.equal(unposted, [], "told ok, but never posted")
        tap.check(200 in told, "not one was told ok")


@tap.test
def resend_once_posts_again_with_the_same_key():
    answers = iter([Raw(b""), Answer()])
    with Downstream(lambda *_: next(answers)) as down, \
            pool_for(down, resend="once") as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        keys = [request.headers["idempotency-key"] for request in down.take()]
        tap.equal(len(keys), 2, "posts")
        tap.equal(keys[0], keys[1], "the keys")
        tap.equal(pool.count("downstream_resends"), 1, "downstream_resends")


@tap.test
def resend_once_is_not_twice():
    expect(Raw(b""), 502, "downstream_broken", posts=2, resend="once")


@tap.test
def a_status_is_not_resent():
    expect(Answer(500), 502, "downstream_status", posts=1, resend="once")


@tap.test
def a_key_of_the_client_is_forwarded():
    with Downstream() as down, pool_for(down) as pool:
        pool.post(SAMPLE, HTTP_IDEMPOTENCY_KEY="order-7")
        tap.equal(down.take()[0].headers["idempotency-key"], "order-7", "key")


@tap.test
def the_environment_has_no_say():
    proxy = refusing_url()
    env = {name: proxy for name in ("http_proxy", "https_proxy", "HTTP_PROXY",
                                    "ALL_PROXY", "all_proxy")}
    with Downstream() as down, pool_for(down, env=env) as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")


@tap.test
def a_unix_socket_is_reached():
    with Downstream(unix=True) as down, \
            pool_for(down, downstream_socket=str(down.path)) as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        tap.equal(down.bodies(), [RESULT], "what was posted")


@tap.test
def an_idle_connection_is_not_trusted():
    with Downstream() as down, pool_for(down, downstream_idle="1s") as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the first reply")
        time.sleep(1.2)  # the idle time is what is tested
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        tap.equal(down.connections, 2, "connections")


@tap.test
def a_connection_does_not_outlive_its_lifetime():
    with Downstream() as down, \
            pool_for(down, downstream_lifetime="1s") as pool:
        kit.until("a second connection is made",
                  lambda: pool.post(SAMPLE).status == 200
                  and down.connections == 2, 10, 0.1)


def expect_no_post(url, statuses, **keys):
    """No result gets there: the client is told long before `timeout`."""
    with Pool({"post": {"downstream": url, "timeout": "1h", **keys}}) as pool:
        reply = pool.post(SAMPLE)
        tap.check(reply.status in statuses, f"the status is {reply.status}")
        tap.equal(pool.count("downstream_posts"), 0, "downstream_posts")


@tap.test
def a_connect_that_hangs_ends_at_its_deadline():
    """A backlog that is full neither accepts nor refuses"""
    with peers.FullBacklog() as full:
        expect_no_post(full.url, (502, 504), connect_timeout="100ms")


@tap.test
def a_handshake_that_hangs_ends_at_its_deadline():
    """A peer that accepts and does not speak TLS at all"""
    with peers.Deaf(scheme="https") as deaf:
        expect_no_post(deaf.url, (502, 504), connect_timeout="100ms")


@tap.test
def a_name_nobody_has_is_no_downstream():
    """A host name that does not resolve, or not in time"""
    expect_no_post("http://no.such.host.invalid/", (502, 504),
                   connect_timeout="1s")


@tap.test
def a_peer_that_accepts_and_never_reads():
    with peers.Deaf() as deaf, pool_for(deaf, timeout="150ms") as pool:
        tap.equal(pool.post(SAMPLE).status, 504, "the status")
        tap.equal(pool.count("downstream_timeout"), 1, "downstream_timeout")


@tap.test
def a_peer_that_accepts_and_closes():
    """The connection ends before the request was read"""
    with peers.Deaf(closes=True) as deaf, pool_for(deaf) as pool:
        for _turn in range(5):
            tap.equal(pool.post(SAMPLE).status, 502, "the status")
        tap.equal(len(deaf.accepted), 5, "connections")


@tap.test
def a_peer_that_resets_after_reading():
    expect(peers.reset, 502, "downstream_broken")


@tap.test
def a_slow_downstream_holds_up_its_own_endpoint_alone():
    with Downstream() as slow, Downstream() as quick, Pool({
            "slow": {"path": "/slow", "downstream": slow.url},
            "quick": {"path": "/quick", "downstream": quick.url}},
            workers=2) as pool:
        slow.hold()
        held = threading.Thread(target=pool.post, args=(SAMPLE,),
                                kwargs={"path": "/slow"})
        held.start()
        slow.wait_for(1)
        for _turn in range(20):
            tap.equal(pool.post(SAMPLE, path="/quick").body, OK, "the reply")
        slow.release()
        held.join()


if __name__ == "__main__":
    sys.exit(kit.run())

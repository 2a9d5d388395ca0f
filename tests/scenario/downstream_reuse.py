#!/usr/bin/env python3
"""Kept connections to the downstream: reused, replaced when they die, and
never the cause of a second post or of an answer taken for another one's."""

import base64
import fcntl
import pathlib
import socket
import sys
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import peers
import tap
from downstream import Answer, Downstream, Raw
from pool import SAMPLE, Pool

# An endpoint's timeout that is met, and long enough for a busy machine.
LONG = f"{kit.seconds(2) * 1000:.0f}ms"

OK = b'{"ok":true}'
PROMPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def pool_for(down, **keys):
    return Pool({"post": {"downstream": down.url, **keys}}, workers=1)


def post(pool, number):
    return pool.post(SAMPLE, HTTP_X_REQUEST_ID=f"id-{number}")


def ids(down):
    return [request.headers["x-request-id"] for request in down.take()]


def unsent(link):
    """Bytes that the other end has not acknowledged yet."""
    return int.from_bytes(fcntl.ioctl(link, termios.TIOCOUTQ, bytes(4)),
                          sys.byteorder)


def close_all(down):
    """End every connection from the downstream's side, and wait until each is
    really closed."""
    with down.lock:
        links = list(down.open)
    for link in links:
        link.shutdown(socket.SHUT_RD)  # its thread reads the end, and closes
    kit.until("the connections are closed",
              lambda: not down.open.intersection(links))


@tap.test
def cut_after_reading_on_a_kept_connection():
    """A kept connection that ends once it has read the request: one post on
    the wire, and the client hears of it"""
    for reset in (False, True):
        with Downstream(peers.CutReused(reset)) as down, \
                pool_for(down) as pool:
            statuses = [post(pool, i).status for i in range(6)]
            tap.equal(statuses, [200, 502] * 3, "the statuses")
            tap.equal(ids(down), [f"id-{i}" for i in range(6)], "the posts")
            tap.equal(pool.count("downstream_broken"), 3, "downstream_broken")
            tap.equal(pool.count("downstream_posts"), 6, "downstream_posts")
            tap.equal(pool.count("downstream_resends"), 0, "resends")


@tap.test
def cut_on_a_kept_connection_and_sent_again():
    """resend = once: a kept connection cut after reading leads to a second post
    with the same key"""
    for reset in (False, True):
        with Downstream(peers.CutReused(reset)) as down, \
                pool_for(down, resend="once") as pool:
            statuses = [post(pool, i).status for i in range(3)]
            tap.equal(statuses, [200] * 3, "the statuses")
            got = down.take()
            tap.equal([r.headers["idempotency-key"] for r in got],
                      ["id-0", "id-1", "id-1", "id-2", "id-2"], "the keys")
            tap.equal(pool.count("downstream_resends"), 2, "resends")


@tap.test
def a_kept_connection_closed_while_idle():
    """A kept connection closed while idle: no error, no second post"""
    with Downstream() as down, pool_for(down) as pool:
        for turn in range(5):
            tap.equal(post(pool, turn).body, OK, f"reply {turn}")
            close_all(down)
        tap.equal(ids(down), [f"id-{i}" for i in range(5)], "the posts")
        tap.equal(down.connections, 5, "connections")
        tap.equal(pool.count("downstream_connects"), 5, "downstream_connects")


@tap.test
def a_kept_connection_reset_while_idle():
    """A kept connection reset while idle: no error, no second post"""
    def answer(_request, link):
        peers.reset_at_close(link)
        return Answer()
    with Downstream(answer) as down, pool_for(down) as pool:
        for turn in range(5):
            tap.equal(post(pool, turn).body, OK, f"reply {turn}")
            close_all(down)
        tap.equal(ids(down), [f"id-{i}" for i in range(5)], "the posts")


@tap.test
def an_answer_too_many_is_no_answer():
    """Bytes after the answer are not taken for the answer to the next post"""
    with Downstream(Raw(PROMPT + PROMPT, close=False)) as down, \
            pool_for(down) as pool:
        tap.equal(post(pool, 1).body, OK, "the first reply")
        down.answer = Answer(500)
        tap.equal(post(pool, 2).status, 502, "the second status")
        tap.equal(ids(down), ["id-1", "id-2"], "the posts")


@tap.test
def an_answer_nobody_asked_for_is_no_answer():
    """Bytes that come on an idle connection are not the answer to the next
    post"""
    with Downstream() as down, pool_for(down) as pool:
        tap.equal(post(pool, 1).body, OK, "the first reply")
        link, = down.open
        link.sendall(PROMPT)
        kit.until("it has arrived", lambda: unsent(link) == 0)
        down.answer = Answer(500)
        tap.equal(post(pool, 2).status, 502, "the second status")
        tap.equal(ids(down), ["id-1", "id-2"], "the posts")


@tap.test
def an_error_answer_keeps_the_connection():
    """500 is an answer: the connection is as good as before"""
    with Downstream(Answer(500)) as down, pool_for(down) as pool:
        for turn in range(5):
            tap.equal(post(pool, turn).status, 502, f"status {turn}")
        tap.equal(down.connections, 1, "connections")


@tap.test
def a_second_post_that_cannot_be_made():
    """resend = once: the first was cut, the second is refused. It may have
    been taken, so the outcome is not that nothing was posted"""
    def last(_request, _link):
        down.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts, too
        down.listener.close()
    with Downstream(last) as down, pool_for(down, resend="once") as pool:
        tap.equal(post(pool, 1).status, 502, "the status")
        tap.equal(ids(down), ["id-1"], "the posts")
        tap.equal(pool.count("downstream_connect"), 0, "downstream_connect")
        tap.equal(pool.count("downstream_broken"), 1, "downstream_broken")


@tap.test
def a_second_post_gets_no_time_of_its_own():
    """resend = once: `timeout` is for both together"""
    def cut_then_stall(request, link):
        if request.connection > 1:
            link.recv(1)  # until the peer ends it
    with Downstream(cut_then_stall) as down, \
            pool_for(down, resend="once", timeout=LONG) as pool:
        tap.equal(post(pool, 1).status, 504, "the status")
        down.wait_for(2)
        tap.equal(ids(down), ["id-1"] * 2, "the posts")
        tap.equal(pool.count("downstream_timeout"), 1, "downstream_timeout")


@tap.test
def an_abandoned_answer_is_not_the_next_one():
    """An answer that comes after the deadline is not taken for another's"""
    with Downstream() as down, pool_for(down, timeout=LONG) as pool:
        down.hold()
        tap.equal(post(pool, 1).status, 504, "the first status")
        down.release()
        down.answer = Answer(500)
        tap.equal(post(pool, 2).status, 502, "the second status")
        down.answer = Answer()
        tap.equal(post(pool, 3).body, OK, "the third reply")
        tap.equal(ids(down), ["id-1", "id-2", "id-3"], "the posts")


@tap.test
def nothing_of_an_answer_is_kept():
    """Cookies and the like of one answer are not sent with the next post"""
    more = {"Set-Cookie": "a=b", "Alt-Svc": 'h2="elsewhere:443"',
            "Strict-Transport-Security": "max-age=9999"}
    with Downstream(Answer(headers=more)) as down, pool_for(down) as pool:
        tap.equal(post(pool, 1).body, OK, "the first reply")
        tap.equal(post(pool, 2).body, OK, "the second reply")
        sent = [sorted(request.headers) for request in down.take()]
        tap.equal(sent[0], ["content-length", "content-type", "host",
                            "traceparent", "x-request-id"], "the headers")
        tap.equal(sent[1], sent[0], "the headers of the second post")


@tap.test
def a_request_names_what_the_url_names():
    """Path, query, host and user of the URL are sent as they stand there"""
    user = base64.b64encode(b"me:p:w").decode()
    for tail, target in (("/a%20b/c?d=e&f", "/a%20b/c?d=e&f"), ("", "/"),
                         ("?x", "/?x"), ("/p#fragment", "/p")):
        with Downstream() as down:
            host = f"{kit.HOST}:{down.port}"
            down.url = f"http://me:p%3Aw@{host}{tail}"
            with pool_for(down) as pool:
                tap.equal(post(pool, 1).body, OK, f"the reply for {tail}")
                sent, = down.take()
                tap.equal(sent.target, target, "the target")
                tap.equal(sent.headers["host"], host, "Host")
                tap.equal(sent.headers["authorization"], f"Basic {user}",
                          "Authorization")


if __name__ == "__main__":
    sys.exit(kit.run())

#!/usr/bin/env python3
"""Answers at the edge of HTTP: those that are valid are taken, those that are
not are refused, and no result is posted twice because of either."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import peers
import tap
from downstream import Answer, Downstream, Raw
from pool import SAMPLE, Pool

OK = b'{"ok":true}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
PROMPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def pool_for(down, **keys):
    return Pool({"post": {"downstream": down.url, **keys}}, workers=1)


def expect_ok(*answers, **keys):
    """Each of these answers is success, and one post. The connection ends
    after each, so each has a pool of its own: a post that meets the end is a
    failure, and rightly so."""
    for answer in answers:
        with Downstream(Raw(answer)) as down, pool_for(down, **keys) as pool:
            reply = pool.post(SAMPLE)
            tap.equal(reply.body, OK, f"the reply after {answer[:90]!r}")
            tap.equal(len(down.take()), 1, f"posts with {answer[:90]!r}")


def expect_failure(*answers, outcomes=("downstream_broken",), **keys):
    """Each of these answers is a 502, and one post; then all is well."""
    with Downstream() as down, pool_for(down, **keys) as pool:
        for answer in answers:
            down.answer = Raw(answer)
            reply = pool.post(SAMPLE)
            tap.equal(reply.status, 502, f"the status after {answer[:90]!r}")
            tap.check(reply.json()["outcome"] in outcomes,
                      f"{answer[:90]!r} is {reply.json()['outcome']}")
            tap.equal(len(down.take()), 1, f"posts with {answer[:90]!r}")
            down.answer = Answer()
            tap.equal(pool.post(SAMPLE).body, OK, "the next reply")
            down.take()


@tap.test
def interim_answers_are_stepped_over():
    expect_ok(b"HTTP/1.1 100 Continue\r\n\r\n" + PROMPT,
              b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + PROMPT,
              b"HTTP/1.1 102 Processing\r\n\r\n" * 20 + PROMPT)


@tap.test
def a_cut_after_an_interim_answer_is_a_failure():
    expect_failure(b"HTTP/1.1 100 Continue\r\n\r\n",
                   b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20",
                   b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
                   b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y",
                   outcomes=("downstream_broken", "downstream_status"))


@tap.test
def switching_protocols_is_a_failure():
    expect_failure(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                   b"Connection: upgrade\r\n\r\n" + PROMPT,
                   outcomes=("downstream_broken", "downstream_status"))


@tap.test
def endless_interim_answers_end():
    """Endless interim answers end at the deadline or before"""
    flood = peers.flood(b"", b"HTTP/1.1 102 Processing\r\n\r\n")
    slow = peers.drip(b"HTTP/1.1 102 Processing\r\n\r\n", head=b"")
    for answer in (flood, slow):
        with Downstream(answer) as down, \
                pool_for(down, timeout="300ms") as pool:
            tap.check(pool.post(SAMPLE).status in (502, 504), "the status")
            # It may hear of the post when the deadline is over already.
            down.wait_for(1)
            tap.equal(len(down.take()), 1, "posts")


@tap.test
def chunked_answers_are_taken():
    expect_ok(CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n",
              CHUNKED + b"\r\n0\r\n\r\n",
              CHUNKED + b"\r\n2;name=value\r\n{}\r\n000\r\n\r\n")


@tap.test
def chunked_answers_with_trailers_are_taken():
    """Header fields may follow the last chunk (RFC 9112, 7.1.2)"""
    expect_ok(CHUNKED + b"Trailer: X-Sum\r\n\r\n2\r\n{}\r\n0\r\n"
              b"X-Sum: 1\r\n\r\n",
              CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n")


@tap.test
def trailers_cause_no_second_post():
    """resend = once: an answer with trailers is an answer"""
    expect_ok(CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n",
              resend="once")


@tap.test
def chunks_that_are_cut_or_wrong_are_a_failure():
    expect_failure(CHUNKED + b"\r\n2\r\n{",
                   CHUNKED + b"\r\n2\r\n{}\r\n",
                   CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-A",
                   CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
                   CHUNKED + b"\r\nffffffffffffffffff\r\n{}")


@tap.test
def an_answer_up_to_the_end_of_the_connection_is_taken():
    expect_ok(b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{}",
              b"HTTP/1.0 200 OK\r\n\r\n{}",
              b"HTTP/1.0 204 No Content\r\n\r\n")


@tap.test
def lengths_that_are_none_are_a_failure():
    expect_failure(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4294967298\r\n\r\n{}")


@tap.test
def a_length_beyond_any_number_is_a_failure():
    """A length beyond any number is not met (RFC 9112, 8)"""
    expect_failure(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999"
                   b"\r\n\r\n{}")


@tap.test
def statuses_that_are_none_are_a_failure():
    expect_failure(b"HTTP/1.1 000 None\r\nContent-Length: 0\r\n\r\n",
                   b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
                   b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
                   b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
                   b"HTTP/1.1 999 Odd\r\nConnection: close\r\n"
                   b"Content-Length: 0\r\n\r\n",
                   outcomes=("downstream_broken", "downstream_status"))


@tap.test
def what_is_not_http_is_a_failure():
    expect_failure(b"\x00" * 64, b"\r\n\r\n", b"{}", b'{"ok":true}\n',
                   b"ICY 200 OK\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n{}",
                   b"RTSP/1.0 200 OK\r\n\r\n", b"<html>200 OK</html>",
                   b"HTTP/1.1 200 OK\r\nno colon at all\r\n\x00: \x00\r\n")


@tap.test
def no_redirect_is_followed():
    """No 3xx is followed, wherever it points"""
    with Downstream() as elsewhere, Downstream() as down, \
            pool_for(down) as pool:
        for status in (300, 301, 302, 303, 304, 307, 308, 399):
            for target in (elsewhere.url, "file:///etc/passwd", "/again", ""):
                down.answer = Answer(status, headers={"Location": target})
                reply = pool.post(SAMPLE)
                tap.equal((reply.status, reply.json()["outcome"]),
                          (502, "downstream_redirect"), f"after {status}")
                tap.equal(len(down.take()), 1, f"posts with {status}")
        tap.equal(elsewhere.take(), [], "requests elsewhere")


@tap.test
def answers_one_byte_at_a_time_are_taken():
    def slowly(_request, link):
        for at in range(len(PROMPT)):
            link.sendall(PROMPT[at:at + 1])
    with Downstream(slowly) as down, pool_for(down) as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")


@tap.test
def one_byte_over_max_reply_is_a_failure():
    with Downstream(Answer(200, b"x" * 1025)) as down, \
            pool_for(down, downstream_max_reply="1k") as pool:
        tap.equal(pool.post(SAMPLE).json()["outcome"], "downstream_broken",
                  "the outcome")
        down.answer = Answer(200, b"x" * 1024)
        tap.equal(pool.post(SAMPLE).body, OK, "one byte less")


@tap.test
def an_answer_to_be_decoded_is_left_alone():
    """An answer that says it is compressed is neither asked for nor unpacked"""
    bomb = Answer(200, b"\x1f\x8b not gzip",
                  headers={"Content-Encoding": "gzip"})
    with Downstream(bomb) as down, pool_for(down) as pool:
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        tap.check("accept-encoding" not in down.take()[0].headers,
                  "Accept-Encoding was sent")


if __name__ == "__main__":
    sys.exit(kit.run())

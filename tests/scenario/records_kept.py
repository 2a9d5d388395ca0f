#!/usr/bin/env python3
"""Odd records around good requests: on kept connections, over TCP, and in the
parameters."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from fastcgi import (BEGIN_REQUEST, GET_VALUES, GET_VALUES_RESULT, PARAMS,
                     STDIN, UNKNOWN_TYPE, begin, pack_length, pack_pairs,
                     parameters, record, request, stream)
from pool import SAMPLE
from records import SUM, closes, expect_status, unharmed


@tap.test
def requests_may_come_all_at_once():
    """Requests sent before the reply to the first are answered in order"""
    with unharmed() as pool, pool.link() as link:
        link.send(b"".join(request(SAMPLE, keep=True, request_id=number)
                           for number in (1, 2, 1, 65535)))
        for number in (1, 2, 1, 65535):
            tap.equal(link.read_reply(number).body, SUM, f"reply {number}")


@tap.test
def questions_may_come_between_requests():
    """GET_VALUES and unknown management records between kept requests"""
    ask = record(GET_VALUES, pack_pairs({"FCGI_MAX_REQS": ""}), request_id=0)
    with unharmed() as pool, pool.link() as link:
        for _turn in range(3):
            link.send(ask + record(99, b"", request_id=0)
                      + request(SAMPLE, keep=True))
            tap.equal(link.read_record()[0], GET_VALUES_RESULT, "the first")
            tap.equal(link.read_record()[0], UNKNOWN_TYPE, "the second")
            tap.equal(link.read_reply().body, SUM, "the reply")
        tap.equal(pool.count("management"), 6, "management")
        tap.equal(pool.count("kept"), 2, "kept")


@tap.test
def questions_that_are_none_are_answered():
    """GET_VALUES without names, with unknown, empty and damaged ones"""
    with unharmed() as pool, pool.link() as link:
        for query in (b"", pack_pairs({"X": "y", "": ""}), b"\xff", b"\x05\x00a",
                      b"\xff\xff\xff\xff\xff\xff\xff\xff",
                      pack_pairs({"FCGI_MAX_CONNS" * 300: "z" * 9000})):
            link.send(record(GET_VALUES, query, request_id=0, padding=255))
            kind, of, content = link.read_record()
            tap.equal((kind, of, content), (GET_VALUES_RESULT, 0, b""),
                      f"the answer to {query[:20]!r}")
        link.send(request(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_request_of_id_0_is_no_request():
    """BEGIN_REQUEST of id 0 is a management record nobody knows"""
    with unharmed() as pool, pool.link() as link:
        link.send(begin(request_id=0))
        kind, of, content = link.read_record()
        tap.equal((kind, of, content[0]), (UNKNOWN_TYPE, 0, BEGIN_REQUEST),
                  "the answer")
        link.send(request(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def id_0_within_a_request_is_refused():
    with unharmed() as pool:
        closes(pool, begin() + record(PARAMS, b"", request_id=0))
        head = begin() + stream(PARAMS, pack_pairs(parameters(SAMPLE)))
        expect_status(pool, head + record(STDIN, SAMPLE, request_id=0), 400,
                      "bad_request")


@tap.test
def rubbish_after_a_reply_ends_the_connection():
    with unharmed() as pool:
        for rubbish in (b"\0" * 8, b"GET / HTTP/1.1\r\n\r\n",
                        record(BEGIN_REQUEST, bytes(8), version=9)):
            with pool.link() as link:
                link.send(request(SAMPLE, keep=True) + rubbish)
                tap.equal(link.read_reply().body, SUM, "the reply")
                tap.check(link.at_end(), "the connection stays open")
        pool.wait_for_count("refused", 3)


@tap.test
def refusals_are_not_all_told():
    """All are counted; the log has a line now and then"""
    with unharmed(workers=1) as pool:
        for _turn in range(20):
            closes(pool, b"GET / HTTP/1.1\r\n\r\n")
        told = len(pool.log_lines("connection refused: "))
        tap.check(1 <= told < 20, f"{told} lines about 20 connections")


@tap.test
def a_refused_request_does_not_spoil_the_next():
    """A kept connection serves on after errors whose body was read"""
    with unharmed({"main": {"path": "/", "max_body": "1k"}}) as pool, \
            pool.link() as link:
        for body, more, status in (
                (b"{", {}, 400), (b"x" * 70_000, {}, 413),
                (SAMPLE, {"method": "PUT"}, 405), (b"[]", {}, 422),
                (SAMPLE, {"HTTP_CONTENT_ENCODING": "br"}, 415)):
            link.send(request(body, keep=True, **more))
            tap.equal(link.read_reply().status, status, "the status")
            link.send(request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the next reply")


@tap.test
def over_tcp_it_is_the_same():
    """Over TCP: silence, a cut, rubbish, and a request in parts"""
    def over_tcp(**settings):
        return unharmed(listen=f"{kit.HOST}:{kit.free_port()}", **settings)
    with over_tcp(first_byte_timeout="100ms") as pool:
        closes(pool, b"", "silent")
    with over_tcp(header_timeout="100ms") as pool:
        closes(pool, request(SAMPLE)[:30], "silent")
    with over_tcp() as pool:
        closes(pool, b"GET / HTTP/1.1\r\n\r\n")
        whole = request(SAMPLE)
        with pool.link() as link:
            for at in range(0, len(whole), 50):
                link.send(whole[at:at + 50])
            tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def parameters_at_the_limit_are_taken():
    """max_params and max_param_count to the byte and to the parameter"""
    pairs = parameters(SAMPLE)
    room = 4096 - len(pack_pairs(pairs)) - len(pack_length(3000) + b"\6HTTP_X")
    with unharmed(max_params="4k", max_param_count="16") as pool:
        fits = {**pairs, "HTTP_X": "x" * room}
        tap.equal(len(pack_pairs(fits)), 4096, "the parameters of this test")
        expect_sum(pool, fits)
        expect_status(
            pool, request(SAMPLE, {**pairs, "HTTP_X": "x" * (room + 1)}), 431,
            "head_too_large")
        sixteen = {**pairs, **{f"HTTP_{i}": "" for i in range(11)}}
        tap.equal(len(sixteen), 16, "the parameters of this test")
        expect_sum(pool, sixteen)
        expect_status(pool, request(SAMPLE, {**sixteen, "HTTP_Y": ""}), 431,
                      "head_too_large")


def expect_sum(pool, pairs):
    with pool.link() as link:
        link.send(request(SAMPLE, pairs))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def the_last_of_several_parameters_counts():
    """A method, a path, a length and an encoding that come twice"""
    pairs = pack_pairs(parameters(SAMPLE))
    with unharmed({"main": {}, "short": {"path": "/short",
                                         "max_body": 1}}) as pool:
        for name, wrong, status in (
                ("REQUEST_METHOD", "GET", 405), ("SCRIPT_NAME", "/short", 413),
                ("CONTENT_LENGTH", "5", 400),
                ("HTTP_CONTENT_ENCODING", "br", 415)):
            wrong = pack_pairs({name: wrong})
            right = pack_pairs({"HTTP_CONTENT_ENCODING": "identity"}) + pairs
            tap.equal(status_of(pool, wrong + right), 200, f"{name} before")
            tap.equal(status_of(pool, right + wrong), status, f"{name} after")


def status_of(pool, pairs):
    with pool.link() as link:
        link.send(begin() + stream(PARAMS, pairs) + stream(STDIN, SAMPLE))
        return link.read_reply().status


@tap.test
def keys_that_differ_are_refused():
    """One Idempotency-Key, the same one twice, and others"""
    pairs = pack_pairs(parameters(SAMPLE))
    with unharmed() as pool:
        for keys, status in ((["a"], 200), (["a", "a"], 200), (["a", ""], 400),
                             (["a", "b"], 400), (["a", "b", "a"], 400),
                             (["a, b"], 400)):
            more = b"".join(pack_pairs({"HTTP_IDEMPOTENCY_KEY": key})
                            for key in keys)
            tap.equal(status_of(pool, pairs + more), status, f"{keys}")


@tap.test
def hostile_parameters_stay_what_they_are():
    """Empty and binary names and values are no more than that, and the log has
    one line for each request"""
    odd = b"\r\n\x1b[2J\x00\xff outcome=ok status=200\n\"\\"
    more = [{"": ""}, {"": "x"}, {"=": "="}, {b"\0": b"\0"}, {"A=B": "C"},
            {odd: odd}, {"HTTP_X_REQUEST_ID": odd},
            {"HTTP_TRACEPARENT": odd}, {"HTTP_TRACESTATE": odd},
            {"REQUEST_METHOD": odd}, {"SCRIPT_NAME": odd},
            {"CONTENT_LENGTH": odd}, {"HTTP_CONTENT_ENCODING": odd},
            {"HTTP_IDEMPOTENCY_KEY": odd}, {"PATH_INFO": b"x" * 5000}]
    with unharmed({"only": {"path": "/only"}, "main": {"path": "/"}}) as pool:
        for extra in more:
            pairs = {**parameters(SAMPLE, path="/only"), **extra}
            with pool.link() as link:
                link.send(request(SAMPLE, pairs))
                reply = link.read_reply()
            tap.check(reply.status in (200, 400, 404, 405, 415),
                      f"the status is {reply.status} with {extra}")
            reply.json()
            tap.check(not any(c in reply.headers["x-request-id"]
                              for c in "\r\n\x1b\0"), "the request id")
        lines = pool.log_lines("outcome=")
        tap.equal(len(lines), len(more), "lines in the log")
        bad = [line for line in pool.log().split("\n")
               if any(ord(c) < 32 or c == "\x7f" for c in line)
               or line.startswith(" outcome=") or line[:1] == "\x1b"]
        tap.equal(bad, [], "lines with control characters")


sys.exit(kit.run())

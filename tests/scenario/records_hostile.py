#!/usr/bin/env python3
"""FastCGI records no web server sends: whatever comes, the pool answers or
closes within its deadlines, counts it, and serves the next request with the
same workers."""

import contextlib
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from fastcgi import (ABORT_REQUEST, BEGIN_REQUEST, END_REQUEST, GET_VALUES,
                     GET_VALUES_RESULT, PARAMS, STDIN, UNKNOWN_TYPE, begin,
                     pack_pairs, parameters, record, request, stream)
from pool import SAMPLE
from records import HEAD, SUM, closes, expect_status, unharmed

UNKNOWN_ROLE = 3


@tap.test
def a_silent_peer_is_closed():
    with unharmed(first_byte_timeout="50ms") as pool:
        closes(pool, b"", "silent")


@tap.test
def a_peer_that_stops_within_the_head_is_closed():
    with unharmed(header_timeout="50ms") as pool:
        for length in (1, 7, 8, 15, 16, 20, len(HEAD) - 1):
            closes(pool, HEAD[:length], "silent")


@tap.test
def a_peer_that_drips_gets_no_more_time():
    with unharmed(header_timeout="200ms") as pool, pool.link() as link:
        link.socket.settimeout(0.02)
        sent, ended = 0, False
        while sent < len(HEAD) - 1 and not ended:
            try:
                link.send(HEAD[sent:sent + 1])
                sent += 1
                ended = link.socket.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
        tap.check(ended, f"{sent} bytes were sent, one by one")


@tap.test
def a_body_that_stalls_is_answered():
    with unharmed(body_timeout="50ms") as pool:
        expect_status(pool, HEAD + record(STDIN, SAMPLE[:5]), 408,
                      "body_timeout")


@tap.test
def a_request_may_come_byte_by_byte():
    data = request(SAMPLE)
    with unharmed() as pool, pool.link() as link:
        link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for at in range(len(data)):
            link.send(data[at:at + 1])
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_request_may_be_cut_anywhere():
    data = request(SAMPLE)
    with unharmed() as pool:
        for at in range(1, len(data), 7):
            with pool.link() as link:
                link.send(data[:at])
                kit.until("the first part was read",
                          lambda: unsent(link.socket) == 0)
                link.send(data[at:])
                tap.equal(link.read_reply().body, SUM, f"the reply, cut at {at}")


def unsent(sock):
    """Bytes the peer has not read yet (SIOCOUTQ, unix(7))."""
    import fcntl
    return struct.unpack("i", fcntl.ioctl(sock, 0x5411, bytes(4)))[0]


@tap.test
def records_may_be_small_and_padded():
    pairs = pack_pairs(parameters(SAMPLE))
    with unharmed() as pool, pool.link() as link:
        link.send(
            begin()
            + b"".join(record(PARAMS, pairs[i:i + 1], padding=255)
                       for i in range(len(pairs)))
            + record(PARAMS, padding=255)
            + b"".join(record(STDIN, SAMPLE[i:i + 1], padding=i % 256)
                       for i in range(len(SAMPLE)))
            + record(STDIN, padding=255))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def what_is_not_fastcgi_is_closed():
    with unharmed() as pool:
        closes(pool, b"GET / HTTP/1.1\r\n\r\n")
        closes(pool, record(BEGIN_REQUEST, bytes(8), version=2))
        closes(pool, record(BEGIN_REQUEST, bytes(8), request_id=0,
                            version=0))


@tap.test
def begin_request_must_have_eight_bytes():
    with unharmed() as pool:
        closes(pool, record(BEGIN_REQUEST, bytes(7)))
        closes(pool, record(BEGIN_REQUEST, bytes(9)))


@tap.test
def a_request_must_begin_with_begin_request():
    with unharmed() as pool:
        closes(pool, record(PARAMS, b"\x01\x01ab"))
        closes(pool, record(STDIN, b"{}"))


@tap.test
def another_role_is_told_so():
    with unharmed() as pool:
        for role in (0, 2, 3, 65535):
            with pool.link() as link:
                link.send(begin(role))
                kind, _of, content = link.read_record()
                tap.equal(kind, END_REQUEST, "the type")
                tap.equal(content[4], UNKNOWN_ROLE, "the protocol status")
                tap.check(link.at_end(), "the connection stays open")


@tap.test
def lengths_that_lie_are_refused():
    with unharmed() as pool:
        for pair in (b"\xff\xff\xff\xff\x01ab", b"\x01\xff\xff\xff\xffab",
                     b"\x7f\x7fab", b"\x80\x00\x00\x02", b"\x01"):
            closes(pool, begin() + stream(PARAMS, pair))


@tap.test
def parameters_are_limited_in_bytes():
    with unharmed(max_params="4k") as pool:
        fits = {**parameters(SAMPLE), "HTTP_X": "x" * 3000}
        with pool.link() as link:
            link.send(request(SAMPLE, pairs=fits))
            tap.equal(link.read_reply().status, 200, "the status")
        for more in {"HTTP_X": "x" * 5000}, {"HTTP_X": "x" * 60_000}:
            expect_too_large(pool, {**parameters(SAMPLE), **more})
            expect_too_large(pool, {**more, **parameters(SAMPLE)})


@tap.test
def parameters_are_limited_in_number():
    with unharmed(max_param_count="32") as pool:
        many = {f"HTTP_{i}": i for i in range(33)}
        expect_too_large(pool, {**parameters(SAMPLE), **many})
        expect_too_large(pool, {**many, **parameters(SAMPLE)})


def expect_too_large(pool, pairs):
    """431, a line in the log with the path where it is known, and the
    connection serves on."""
    before = pool.count("head_too_large")
    with pool.link() as link:
        for _turn in range(2):
            link.send(request(SAMPLE, pairs=pairs, keep=True))
            reply = link.read_reply()
            tap.equal((reply.status, reply.json()["outcome"]),
                      (431, "head_too_large"), "the reply")
        link.send(request(SAMPLE, keep=True))
        tap.equal(link.read_reply().body, SUM, "the next reply")
    tap.equal(pool.count("head_too_large"), before + 2, "head_too_large")
    tap.equal(len(pool.log_lines("outcome=head_too_large")), before + 2,
              "lines in the log")
    tap.equal(pool.count("refused"), 0, "refused")


@tap.test
def no_parameters_at_all_find_no_endpoint():
    with unharmed() as pool:
        expect_status(pool, begin() + record(PARAMS) + record(STDIN), 404,
                      "not_found")


@tap.test
def an_abort_is_taken_at_every_stage():
    with unharmed() as pool:
        for data in (begin(), begin() + record(PARAMS, b"\x01\x01ab"), HEAD,
                     HEAD + record(STDIN, SAMPLE[:9])):
            with pool.link() as link:
                link.send(data + record(ABORT_REQUEST))
                link.socket.settimeout(kit.wait_limit(10))
                while link.socket.recv(4096):
                    pass


@tap.test
def a_length_that_differs_is_refused():
    with unharmed() as pool:
        for body in (SAMPLE[:-1], SAMPLE + b" ", b""):
            expect_status(pool, HEAD + stream(STDIN, body), 400,
                          "length_mismatch")


@tap.test
def a_length_that_is_no_length_is_refused():
    with unharmed() as pool:
        for length in ("-2", "-10", "-1 ", "-", "1e3", "12 ",
                       "99999999999999999999", "0x10"):
            pairs = {**parameters(SAMPLE), "CONTENT_LENGTH": length}
            expect_status(pool, request(SAMPLE, pairs=pairs), 400,
                          "bad_request")


@tap.test
def a_length_that_is_absent_is_not_needed():
    """Nor one that is said to be unknown, as Caddy does"""
    absent = parameters(SAMPLE)
    del absent["CONTENT_LENGTH"]
    for pairs in absent, {**absent, "CONTENT_LENGTH": "-1"}:
        is_served_with(pairs)


def is_served_with(pairs):
    with unharmed() as pool, pool.link() as link:
        link.send(request(SAMPLE, pairs=pairs))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def values_are_told_however_often_they_are_asked():
    names = {"FCGI_MAX_CONNS": "", "FCGI_MAX_REQS": "", "FCGI_MPXS_CONNS": ""}
    query = pack_pairs(names)
    with unharmed(max_connections="64") as pool, pool.link() as link:
        for repeats in (1, 2, 200):
            link.send(record(GET_VALUES, query * repeats, request_id=0))
            kind, of, content = link.read_record()
            tap.equal((kind, of), (GET_VALUES_RESULT, 0), "the record")
            tap.contains(content, b"\x0e\x02FCGI_MAX_CONNS64", "the answer")
            tap.contains(content, b"FCGI_MPXS_CONNS0", "the answer")
        link.send(request(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def unknown_management_is_told_so():
    with unharmed() as pool, pool.link() as link:
        link.send(record(77, b"what?", request_id=0))
        kind, of, content = link.read_record()
        tap.equal((kind, of, content[0]), (UNKNOWN_TYPE, 0, 77), "the record")
        link.send(request(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_second_request_within_the_first_is_refused():
    with unharmed() as pool:
        closes(pool, begin() + begin(request_id=2))
        expect_status(pool, HEAD + begin(request_id=2), 400, "bad_request")


@tap.test
def records_of_an_unknown_request_are_stepped_over():
    with unharmed() as pool, pool.link() as link:
        link.send(HEAD + record(STDIN, b"{{{", request_id=9)
                  + stream(STDIN, SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_peer_that_never_reads_is_left_behind():
    with unharmed(write_timeout="50ms", keepalive="on") as pool:
        with pool.link() as link:
            link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            kept = request(b"{", keep=True)
            with contextlib.suppress(ConnectionError, TimeoutError):
                for _turn in range(5000):
                    link.send(kept)
            pool.wait_for_count("truncated", 1)


@tap.test
def a_peer_that_leaves_in_the_middle_is_forgotten():
    with unharmed() as pool:
        data = request(SAMPLE)
        for at in range(1, len(data), 11):
            with pool.link() as link:
                link.send(data[:at])
        kit.until("every connection is closed",
                  lambda: pool.status()["connections"] == 0)


@tap.test
def a_half_closed_peer_gets_its_answer():
    with unharmed() as pool, pool.link() as link:
        link.send(request(SAMPLE))
        link.socket.shutdown(socket.SHUT_WR)
        tap.equal(link.read_reply().body, SUM, "the reply")


sys.exit(kit.run())

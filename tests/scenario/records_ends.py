#!/usr/bin/env python3
"""Where a body ends: with its CONTENT_LENGTH, whether or not the web server
sends the empty STDIN."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contextlib

import kit
import tap
from fastcgi import (ABORT_REQUEST, PARAMS, STDIN, begin, pack_pairs,
                     parameters, record, request, stream)
from pool import SAMPLE, nobody_wakes_up
from records import HEAD, SUM, closes, expect_status, unharmed

END = record(STDIN)


def unended(body, keep=False, **more):
    """A request without its empty STDIN."""
    return request(body, keep=keep, **more)[:-len(END)]


@tap.test
def bodies_without_an_end_hold_no_worker():
    """Four requests that never end, two of them empty: four workers answer"""
    with unharmed(workers=4, body_timeout="1h") as pool, \
            contextlib.ExitStack() as stack:
        links = [stack.enter_context(pool.link()) for _ in range(8)]
        for at, link in enumerate(links):
            link.send(unended(SAMPLE if at % 2 else b"", keep=at < 4))
        for at, link in enumerate(links):
            reply = link.read_reply()
            tap.equal(reply.status, 200 if at % 2 else 400, f"status {at}")
        for link in links[4:]:
            tap.check(link.at_end(), "the connection stays open")
        for link in links[:4]:
            link.send(request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the next reply")


@tap.test
def an_end_may_come_after_the_reply():
    """On kept connections it is stepped over, whole, in parts, or missing"""
    with unharmed(workers=1) as pool, pool.link() as link:
        link.send(unended(SAMPLE, keep=True))
        tap.equal(link.read_reply().body, SUM, "the first reply")
        for late in (END, b"", record(STDIN, padding=77), END[:3], END[3:], b"",
                     record(ABORT_REQUEST)):
            link.send(late)
            pool.wait_for_sleep()
            if late != END[:3]:
                link.send(unended(SAMPLE, keep=True))
                tap.equal(link.read_reply().body, SUM, f"after {late}")
        link.send(END)
        nobody_wakes_up(pool.workers())
        tap.equal(pool.count("refused"), 0, "refused")


@tap.test
def what_is_beyond_stays_a_mismatch():
    with unharmed() as pool:
        for more in (record(STDIN, b" ") + END, record(STDIN, b" " * 7000,
                                                       padding=9) + END):
            expect_status(pool, HEAD + record(STDIN, SAMPLE) + more, 400,
                          "length_mismatch")
        expect_status(pool, HEAD + record(STDIN, SAMPLE + b" ") + END, 400,
                      "length_mismatch")
        with pool.link() as link:
            link.send(unended(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the reply")
            link.send(record(STDIN, b" "))
            tap.check(link.at_end(), "the connection stays open")
        with pool.link() as link:
            link.send(unended(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the reply")
            link.send(END + END)
            tap.check(link.at_end(), "the connection stays open")
        pool.wait_for_count("refused", 2)


@tap.test
def without_a_length_the_end_is_waited_for():
    pairs = parameters(SAMPLE)
    del pairs["CONTENT_LENGTH"]
    head = begin() + stream(PARAMS, pack_pairs(pairs))
    with unharmed(body_timeout="50ms") as pool:
        expect_status(pool, head + record(STDIN, SAMPLE), 408, "body_timeout")
        expect_status(pool, HEAD + record(STDIN, SAMPLE[:-1]), 408,
                      "body_timeout")


@tap.test
def a_reply_over_tcp_is_not_reset():
    """An end that is on its way while the connection is closed"""
    with unharmed(listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        for _turn in range(20):
            with pool.link() as link:
                link.send(unended(SAMPLE))
                link.socket.recv(1, 2)  # MSG_PEEK: the reply is there
                link.send(END)
                tap.equal(link.read_reply().body, SUM, "the reply")
                tap.equal(link.socket.recv(1), b"", "behind the reply")


def was_left(pool):
    """Has it closed a connection whose peer took longer than it lingers, two
    seconds? On a machine that stands still any may do so."""
    return pool.log_lines("the peer went on after the reply") != []


@tap.test
def who_sends_more_than_its_reply_needs_is_not_reset():
    """The rest of a body that was not waited for, however long it takes"""
    for listen in {}, {"listen": f"{kit.HOST}:{kit.free_port()}"}:
        with unharmed(workers=1, body_timeout="50ms", **listen) as pool, \
                pool.link() as link:
            link.send(request(SAMPLE)[:-len(END) - 1])
            link.socket.recv(1, 2)  # MSG_PEEK: the reply is there
            tap.check(pool.status()["connections"] == 1 or was_left(pool),
                      "it does not linger")
            tap.equal(pool.post(SAMPLE).body, SUM, "another reply meanwhile")
            try:
                for _turn in range(20):
                    link.send(b"x" * 100000)
            except ConnectionError as error:
                tap.check(was_left(pool), f"{error!r}")
            tap.equal(link.read_reply().status, 408, "the status")
            tap.check(link.at_end(), "more comes")
            link.socket.close()
            kit.until("the connection is closed",
                      lambda: pool.status()["connections"] == 0)


@tap.test
def who_never_leaves_after_its_reply_is_left():
    with unharmed(workers=1) as pool, pool.link() as link:
        link.send(unended(SAMPLE))
        tap.equal(link.read_reply().body, SUM, "the reply")
        tap.check(pool.status()["connections"] == 1 or was_left(pool),
                  "it does not linger")
        kit.until("it is left", lambda: was_left(pool))
        kit.until("it is closed", lambda: pool.status()["connections"] == 0)
        with contextlib.suppress(OSError):
            link.send(END)


@tap.test
def a_client_that_leaves_is_noticed():
    with unharmed() as pool, pool.link() as link:
        link.send(unended(SAMPLE) + record(ABORT_REQUEST))
        tap.check(link.at_end(), "the connection stays open")
        pool.wait_for_count("client_gone", 1)


@tap.test
def an_end_without_a_request_is_refused():
    with unharmed() as pool:
        closes(pool, END)


sys.exit(kit.run())

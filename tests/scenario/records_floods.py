#!/usr/bin/env python3
"""Peers that never stop sending, and records that are damaged at random: every
deadline holds even when there is always something to read."""

import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from fastcgi import (GET_VALUES, PARAMS, STDIN, begin, pack_pairs, parameters,
                     record, request, stream)
from pool import SAMPLE
from records import HEAD, ends, keeps_sending, unharmed

LIMIT = 4  # seconds, where the deadline is a fraction of one


def expect_end(pool, data, opening=b""):
    """A peer that sends this for ever is left within LIMIT, and the others
    are served meanwhile."""
    with pool.link() as link:
        link.send(opening)
        tap.check(keeps_sending(link, data, LIMIT),
                  f"the pool still reads after {kit.wait_limit(LIMIT):g} s")


def without_length():
    pairs = parameters(b"")
    del pairs["CONTENT_LENGTH"]
    return begin() + stream(PARAMS, pack_pairs(pairs))


@tap.test
def an_endless_body_ends():
    """A body without an end, larger than max_body: it is answered or closed
    within body_timeout"""
    with unharmed({"main": {"max_body": "1k"}}, workers=1,
                  body_timeout="300ms") as pool:
        expect_end(pool, record(STDIN, b"[" * 65535) * 4, without_length())


@tap.test
def an_endless_body_of_tiny_records_ends():
    with unharmed({"main": {"max_body": "1k"}}, workers=1,
                  body_timeout="300ms") as pool:
        expect_end(pool, record(STDIN, b"x") * 100_000, without_length())


@tap.test
def an_endless_body_of_foreign_records_ends():
    """Records of a request that is not there are not stepped over for ever"""
    with unharmed(workers=1, body_timeout="300ms") as pool:
        expect_end(pool, record(STDIN, b"", request_id=9) * 100_000, HEAD)


@tap.test
def an_endless_head_of_foreign_records_ends():
    """Foreign records before the parameters are complete end, too"""
    with unharmed(workers=1, header_timeout="300ms") as pool:
        expect_end(pool, record(PARAMS, b"", request_id=9) * 100_000, begin())


@tap.test
def an_endless_row_of_questions_ends():
    """GET_VALUES without end, and nobody reads the answers"""
    question = record(GET_VALUES, pack_pairs({"FCGI_MAX_CONNS": ""}),
                      request_id=0)
    with unharmed(workers=1, header_timeout="300ms",
                  write_timeout="300ms") as pool:
        expect_end(pool, question * 2000)


@tap.test
def padding_alone_ends():
    """Empty records of the wrong id with 255 bytes of padding each"""
    with unharmed(workers=1, header_timeout="300ms") as pool:
        expect_end(pool, record(PARAMS, b"", request_id=7, padding=255) * 1000,
                   begin())


def damaged(whole, dice):
    """`whole` with a few bytes changed, removed, doubled or made up."""
    data = bytearray(whole)
    for _turn in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(data))
        kind = dice.randrange(5)
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at] = dice.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            del data[at:at + dice.randrange(1, 20)]
        elif kind == 3:
            data[at:at] = data[at:at + dice.randrange(1, 40)]
        else:
            data[at:at + 8] = struct.pack(
                ">BBHHBB", 1, dice.randrange(13), dice.randrange(3),
                dice.choice((0, 1, 8, 65535)), dice.choice((0, 255)), 0)
        if not data:
            break
    return bytes(data)


@tap.test
def damaged_requests_end():
    """400 requests damaged at random: each is answered or closed"""
    dice = random.Random(20)
    whole = (record(GET_VALUES, pack_pairs({"FCGI_MAX_REQS": ""}), 0)
             + request(SAMPLE, HTTP_X_REQUEST_ID="r" * 200))
    with unharmed(first_byte_timeout="100ms", header_timeout="100ms",
                  body_timeout="100ms", keepalive_idle="100ms") as pool:
        for number in range(400):
            data = damaged(whole, dice)
            with pool.link() as link:
                try:
                    link.send(data)
                except ConnectionError:
                    continue  # closed before all of it was sent
                tap.check(answered_or_closed(link),
                          f"nothing came of no. {number}: {data.hex()}")


def answered_or_closed(link):
    """Management records are answered first, and then it may go on."""
    try:
        while link.socket.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@tap.test
def damaged_heads_of_kept_connections_end():
    """150 damaged requests after a good one on the same connection"""
    dice = random.Random(21)
    whole = request(SAMPLE, keep=True)
    with unharmed(header_timeout="100ms", body_timeout="100ms",
                  keepalive_idle="100ms") as pool:
        for number in range(150):
            data = damaged(whole, dice)
            with pool.link() as link:
                link.send(whole)
                tap.equal(link.read_reply().status, 200, "the first status")
                try:
                    link.send(data)
                except ConnectionError:
                    continue
                tap.check(ends(link),
                          f"nothing came of no. {number}: {data.hex()}")


sys.exit(kit.run())

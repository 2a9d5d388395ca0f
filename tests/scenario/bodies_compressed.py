#!/usr/bin/env python3
"""Compressed bodies: whatever comes out of one, a worker's memory stays flat."""

import pathlib
import re
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool
from procfs import children_of

MEGABYTES = 256
FLAT = 350  # KB, for zlib's window and the decoder


def bomb():
    """A body of many megabytes that adds up to 42, a thousandth as long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(SAMPLE.rstrip(b"}") + b',"x":"')]
    piece = b"y" * (1 << 20)
    parts += [packer.compress(piece) for _ in range(MEGABYTES)]
    parts += [packer.compress(b'"}'), packer.flush()]
    return b"".join(parts)


def private_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(value) for value in
               re.findall(r"^Private_\w+: +(\d+) kB", text, re.M))


def post(pool, path, body, encoding="gzip"):
    return pool.post(body, path=path, HTTP_CONTENT_ENCODING=encoding)


@tap.test
def a_bomb_is_refused_or_taken_and_memory_stays_flat():
    if kit.SANITIZED or kit.WRAPPER:
        raise tap.Skip("the memory of a sanitizer is not ours")
    body = bomb()
    endpoints = {"strict": {"path": "/strict", "max_body": "1g"},
                 "small": {"path": "/small", "max_ratio": 1000000},
                 "loose": {"path": "/loose", "max_body": "1g",
                           "max_ratio": 1000000}}
    with Pool(endpoints, workers=1) as pool:
        for path in endpoints:
            reply = post(pool, f"/{path}", SAMPLE, "identity")
            tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), path)
        [worker] = children_of(pool.pid)
        before = private_kb(worker)
        for path, status in (("/strict", 413), ("/small", 413),
                             ("/loose", 200)):
            reply = post(pool, path, body)
            tap.equal(reply.status, status, f"{len(body)} bytes to {path}")
        grown = private_kb(worker) - before
        tap.equal(children_of(pool.pid), [worker], "the worker")
        tap.check(grown <= FLAT, f"{MEGABYTES} MB came out of it, and the "
                                 f"worker has {grown} KB more")


sys.exit(kit.run())

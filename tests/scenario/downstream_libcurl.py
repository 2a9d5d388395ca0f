#!/usr/bin/env python3
"""The same as downstream_answers, _faults, _reuse and _tls, with
downstream_client = libcurl: both clients keep one contract."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE)]

import downstream  # noqa: E402
import kit  # noqa: E402
import pool  # noqa: E402
import tap  # noqa: E402

pool.DOWNSTREAM_DEFAULTS["downstream_client"] = "libcurl"

# Each brings its tests.
import downstream_answers  # noqa: E402,F401
import downstream_faults  # noqa: E402,F401
import downstream_reuse  # noqa: E402,F401
import downstream_tls  # noqa: E402,F401



@tap.test
def it_is_libcurl_that_posts():
    """libcurl takes an answer with Transfer-Encoding: identity, which the
    direct exchange refuses (tests/unit/downstream/test_clients.c)"""
    answer = downstream.Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
                            b"Content-Length: 2\r\n\r\n{}")
    with downstream.Downstream(answer) as down, pool.Pool(
            {"post": {"downstream": down.url}}, workers=1) as one:
        tap.equal(one.post(pool.SAMPLE).status, 200, "the status")


if __name__ == "__main__":
    sys.exit(kit.run())

#!/usr/bin/env python3
"""The same as downstream_answers, _faults, _reuse and _tls, with
downstream_client = libcurl: both clients keep one contract."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE)]

import kit  # noqa: E402
import pool  # noqa: E402

pool.DOWNSTREAM_DEFAULTS["downstream_client"] = "libcurl"

# Each brings its tests.
import downstream_answers  # noqa: E402,F401
import downstream_faults  # noqa: E402,F401
import downstream_reuse  # noqa: E402,F401
import downstream_tls  # noqa: E402,F401

if __name__ == "__main__":
    sys.exit(kit.run())

#!/usr/bin/env python3
"""HAProxy checks a pool over FastCGI, with conf/haproxy/tallyd.cfg."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import tap
from pool import SAMPLE

PASSED = "Layer7 check passed, code: 200"


def start(endpoints=None, **settings):
    return fronts.Haproxy(endpoints, ping_path="/ping", **settings)


@tap.test
def a_pool_that_is_ready_is_up():
    front = start()
    front.pool.wait_for_count("pings", 3, 60)
    tap.check(PASSED in front.process.log(), "HAProxy's log has no such check")
    tap.equal(front.pool.status()["requests"], 0, "requests")
    tap.equal(front.post("/", SAMPLE).status, 200, "the status")
    tap.equal(front.pool.status()["requests"], 1, "requests afterwards")
    front.stop()


@tap.test
def a_pool_that_is_gone_is_down_until_it_is_back():
    front = start()
    front.pool.wait_for_count("pings", 1)
    front.pool.stop()
    front.process.wait_for_log("Server tallyd/pool is DOWN", 60)
    tap.equal(front.post("/", SAMPLE).status, 503, "the status")
    front.pool.start()
    front.process.wait_for_log("Server tallyd/pool is UP", 60)
    tap.equal(front.post("/", SAMPLE).status, 200, "the status")
    front.stop()


sys.exit(kit.run())

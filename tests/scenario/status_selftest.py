#!/usr/bin/env python3
"""A worker that adds up wrongly does not serve, and the pool says so."""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import Pool, serves

ENDPOINTS = {
    "main": {}, "double": {"path": "/d", "numbers": "double"},
    "tree": {"path": "/t", "decoder": "json-c", "multiply": "-1048576"},
    "both": {"path": "/b", "verify": "1", "numbers": "double",
             "multiply": "0"},
    "same": {"path": "/s", "array": "id", "field": "id"},
    "an": {"path": "/a", "array": "an", "field": "\u00e9\"\\"},
    "flat": {"path": "/f", "max_depth": "2", "max_body": "1"}}


def watched(endpoints=None, **settings):
    settings.setdefault("status_listen", kit.fresh_path("status.sock"))
    return Pool(endpoints, **settings)


def wrong_pool(switch, **settings):
    """A pool that is wrong while the file `switch` is there."""
    program = os.path.join(os.path.dirname(kit.TALLYD), "..", "tests",
                           "scenario", "tallyd_times_three")
    if not os.access(program, os.X_OK):
        raise tap.Skip("tallyd_times_three is not built")
    return watched(through=lambda command: [
        program if part == kit.TALLYD else part for part in command],
        env={"TIMES_THREE": str(switch)}, env_keep="TIMES_THREE", **settings)


def looks(pool):
    """The statuses of /readyz and /selftest."""
    return pool.page("/readyz").status, pool.page("/selftest").status


@tap.test
def every_shape_passes_at_the_start():
    with watched(ENDPOINTS, workers=3) as pool:
        pool.wait_for_workers()
        tap.equal(looks(pool), (200, 200), "/readyz and /selftest")
        tap.equal(pool.count("selftests"), 3, "self-tests")
        tap.equal(pool.count("selftest_failures"), 0, "failures")
        tap.contains(pool.page("/metrics").text, "\ntallyd_selftest_ok 1\n",
                     "/metrics")


@tap.test
def idle_workers_repeat_it():
    with watched(selftest_interval="20ms") as pool:
        pids = pool.wait_for_workers()
        pool.wait_for_count("selftests", 20)
        tap.equal(pool.workers(), pids, "the workers")
        serves(pool)


@tap.test
def without_an_interval_idle_workers_sleep():
    with watched() as pool:
        pids = pool.wait_for_workers()
        kit.until("they wait", lambda: all(procfs.state_of(pid) == "S"
                                           for pid in pids))
        before = [procfs.switches(pid) for pid in pids]
        time.sleep(1.0)  # time passing is what is tested
        tap.equal([procfs.switches(pid) for pid in pids], before, "wake-ups")


@tap.test
def a_pool_that_multiplies_by_three_does_not_serve():
    switch = kit.fresh_path("switch")
    switch.write_text("")
    with wrong_pool(switch) as pool:
        pool.wait_for_count("selftest_failures", 2)
        tap.equal(looks(pool), (503, 503), "/readyz and /selftest")
        tap.contains(pool.page("/readyz").text, "self-test", "/readyz")
        tap.contains(pool.log(), 'gives {"sum":126} instead of {"sum":84}',
                     "the log")
        tap.equal(pool.workers(), [], "workers that serve")
        switch.unlink()
        pool.wait_for_workers(limit=20)
        tap.equal(looks(pool), (200, 200), "/readyz and /selftest")
        serves(pool)


@tap.test
def a_worker_that_turns_wrong_retires():
    switch = kit.fresh_path("switch")
    with wrong_pool(switch, selftest_interval="20ms") as pool:
        pids = pool.wait_for_workers()
        serves(pool)
        switch.write_text("")
        kit.until("not ready", lambda: looks(pool) == (503, 503))
        kit.until("both have ended",
                  lambda: not any(procfs.is_alive(pid) for pid in pids))
        switch.unlink()
        pool.wait_for_workers(besides=pids, limit=20)
        kit.until("ready again", lambda: looks(pool) == (200, 200))
        serves(pool)


sys.exit(kit.run())

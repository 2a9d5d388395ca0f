#!/usr/bin/env python3
"""A worker that adds up wrongly does not serve, and the pool says so."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import (SAMPLE, Pool, nobody_wakes_up, run_tallyctl, run_tallyd,
                  serves)

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


def sample(body=SAMPLE, total="42", **keys):
    """An endpoint with a body of its own for the self-test."""
    path = kit.fresh_path("sample.json")
    path.write_bytes(body)
    return {"selftest_file": path, "selftest_sum": total, **keys}


@tap.test
def a_body_of_ones_own_passes():
    with watched({"main": sample(), "tenths": sample(
            b'{"items":[{"value":0.1},{"value":0.2}]}', "0.6000000000000001",
            numbers="double", path="/d", verify=1),
            "big": sample(b'{"items":[' + b",".join([b'{"value":1}'] * 80000)
                          + b"]}", "160000", path="/b")},
            selftest_interval="20ms") as pool:
        pool.wait_for_workers()
        pool.wait_for_count("selftests", 10)
        tap.equal(pool.count("selftest_failures"), 0, "failures")
        pool.endpoints["main"]["selftest_file"].unlink()
        before = pool.count("selftests")
        pool.wait_for_count("selftests", before + 10)
        serves(pool)


@tap.test
def a_body_with_another_result_is_a_bad_setting():
    """tallyd -t and the start say what it gives instead"""
    for keys, words in (
            (sample(total="43"), 'gives {"sum":42} instead of {"sum":43}'),
            (sample(total="42.0"), 'gives {"sum":42} instead of {"sum":42.0}'),
            (sample(b'{"items":[1,'), "gives the document is not complete at byte 12"),
            (sample(b"{}"), "gives "), (sample(b""), "it is empty"),
            (sample(b" " * ((1 << 20) + 1)), "too large"),
            (sample(max_body=10), "too large (1 to 10 bytes are read)")):
        pool = Pool({"main": keys}, start=False)
        for option in ("-t",), ():
            status, _out, errors = run_tallyd(*option, "-c", pool.config)
            tap.equal(status, 78, f"{words}: {errors}")
            tap.contains(errors, words, "the error")
            tap.contains(errors, f"tallyd: {pool.config}: ", "the error")
            tap.contains(errors, "selftest_file", "the error")


@tap.test
def a_reload_with_another_result_is_refused():
    """The new workers find out, none of them serves, and the old ones stay"""
    with watched({"main": sample()}) as pool:
        pids = pool.wait_for_workers()
        pool.endpoints["main"]["selftest_sum"] = "43"
        pool.change()
        status, _out, errors = run_tallyctl("-c", pool.config, "reload")
        tap.equal(status, 1, f"tallyctl reload: {errors}")
        pool.wait_for_log('the self-test failed: endpoint main: selftest_file '
                          'gives {"sum":42} instead of {"sum":43}')
        tap.equal(pool.workers(), pids, "the workers")
        serves(pool)


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
        nobody_wakes_up(pids, 1.0)


@tap.test
def a_pool_that_multiplies_by_three_does_not_serve():
    switch = kit.fresh_path("switch")
    switch.write_text("")
    with wrong_pool(switch) as pool:
        pool.wait_for_count("selftest_failures", 2)
        tap.equal(looks(pool), (503, 503), "/readyz and /selftest")
        tap.contains(pool.page("/readyz").text, "self-test", "/readyz")
        pool.wait_for_log('gives {"sum":126} instead of {"sum":84}')
        tap.equal(pool.workers(), [], "workers that serve")
        switch.unlink()
        pool.wait_for_workers(limit=20)
        kit.until("ready", lambda: looks(pool) == (200, 200))
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

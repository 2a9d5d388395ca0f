#!/usr/bin/env python3
"""[shadow] totals_file: what the shadow has found out outlives the pool, however
it ends, and nothing of that file is ever believed that is not its own."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool, run_tallyctl
from reloads import reload

EQUAL = Answer(body=b'{"sum":42}')


def shadowed(old, path=None, **more):
    path = path or kit.fresh_path("totals")
    pool = Pool(workers=1, shadow={
        "url": old.url.removesuffix("/process"), "share": 1, "processes": 2,
        "totals_file": path, "totals_interval": "100ms", **more})
    pool.totals = path
    return pool


def report(pool, *more, wanted=0):
    status, out, errors = run_tallyctl("shadow", "report", "-c", pool.config,
                                       "--json", *more)
    tap.equal((status, errors), (wanted, ""), "the exit status, errors")
    return json.loads(out)


def equal(pool):
    return report(pool)["comparison"]["equal"]


def ask(pool, count):
    """So many more requests, and all of them compared."""
    before = equal(pool)
    for _ in range(count):
        pool.post(SAMPLE)
    kit.until(f"{count} more are compared",
              lambda: equal(pool) == before + count)


def kept(pool):
    """{name: number} of the file; None: there is none."""
    if not pool.totals.exists():
        return None
    lines = pool.totals.read_text().splitlines()[1:]
    return {name: int(value) for name, value in map(str.split, lines)}


def wait_until_kept(pool, equal_now):
    """Until the file has so many of this pool, and not of the one before."""
    def is_kept():
        found = kept(pool) or {}
        return (found.get("pid"), found.get("now.kind.equal", 0)) == (
            pool.pid, equal_now)

    kit.until(f"{equal_now} are in the file", is_kept)


@tap.test
def a_restart_goes_on_counting():
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        ask(pool, 3)
        first = report(pool)
        tap.equal((first["restarts"], first["running"], first["requests"]),
                  (0, True, 3), "before")
        wait_until_kept(pool, 3)
        pool.stop()
        stopped = report(pool)
        tap.equal((stopped["running"], stopped["comparison"]["equal"],
                   stopped["requests"]), (False, 3, 3), "while it is stopped")
        tap.contains(run_tallyctl("shadow", "report", "-c", pool.config)[1],
                     "it is not running now", "in words")
        pool.start()
        tap.equal(equal(pool), 3, "right after the start")
        ask(pool, 2)
        old.answer = Answer(body=b'{"sum":43}')
        pool.post(SAMPLE)
        kit.until("a mismatch is counted", lambda: run_tallyctl(
            "shadow", "report", "-c", pool.config)[0] == 1)
        pool.wait_for_count("shadow_sampled", 3)  # perhaps after that
        page = report(pool, wanted=1)
        tap.equal((page["restarts"], page["requests"], page["sampled"],
                   page["comparison"]["kinds"]),
                  (1, 6, 6, {"equal": 5, "reply_body": 1}), "after")
        tap.equal(page["from"], first["from"], "since when")
        tap.contains(run_tallyctl("shadow", "report", "-c", pool.config)[1],
                     "started anew 1 time since then", "in words")
        kit.until("it is kept", lambda: kept(pool).get(
            "now.kind.reply_body") == 1)
        pool.stop()
        pool.start()  # a pool that does nothing
        wait_until_kept(pool, 0)
        pool.stop()
        page = report(pool, wanted=1)
        tap.equal((page["restarts"], page["comparison"]["cases"]), (2, 6),
                  "in the end")


@tap.test
def a_kill_loses_what_was_not_saved_and_no_more():
    """SIGKILL to all of it: what was in the file stays, and the next goes on"""
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        for turn in range(1, 4):
            ask(pool, 2)
            wait_until_kept(pool, 2)
            pool.process.end()  # SIGKILL to the whole group
            tap.equal(equal(pool), 2 * turn, "in the file")
            pool.start()
            tap.equal(equal(pool), 2 * turn, "of the next pool")
        tap.equal(report(pool)["restarts"], 3, "restarts")


@tap.test
def reloads_and_upgrades_are_the_same_pool():
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        for order in ("reload", "upgrade", "reload"):
            ask(pool, 2)
            reload(pool, order)
        ask(pool, 1)
        wait_until_kept(pool, 7)
        page = report(pool)
        tap.equal((page["comparison"]["equal"], page["requests"],
                   page["restarts"]), (7, 7, 0), "all of it")


@tap.test
def a_new_report_is_begun():
    """--reset: while the pool runs, after a restart, and while it is stopped"""
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        ask(pool, 3)
        wait_until_kept(pool, 3)
        tap.equal(report(pool, "--reset")["comparison"]["equal"], 3,
                  "the last one of the old report")
        page = report(pool)
        tap.equal((page["comparison"]["equal"], page["requests"],
                   page["restarts"]), (0, 0, 0), "the new one")
        ask(pool, 2)
        wait_until_kept(pool, 5)
        tap.equal(equal(pool), 2, "of the new one")
        pool.stop()
        tap.equal(equal(pool), 2, "while it is stopped")
        pool.start()
        ask(pool, 1)
        tap.equal(report(pool)["comparison"]["equal"], 3, "after a restart")
        pool.stop()
        report(pool, "--reset")
        tap.equal(equal(pool), 0, "begun while it was stopped")
        pool.start()
        ask(pool, 1)
        page = report(pool)
        tap.equal((page["comparison"]["equal"], page["requests"]), (1, 1),
                  "and counted on")


@tap.test
def a_file_that_is_not_its_own_is_put_aside():
    """text, bytes, a cut or a changed file: told, kept as .bad, never believed"""
    good = None
    with Downstream(EQUAL) as old:
        with shadowed(old) as pool:
            ask(pool, 1)
            wait_until_kept(pool, 1)
        good = pool.totals.read_bytes()
        for bad in (b"root:x:0:0\n", bytes(range(256)) * 200, good[:-9],
                    good.replace(b"now.kind.equal 1", b"now.kind.equal 9")):
            path = kit.fresh_path("totals")
            path.write_bytes(bad)
            path.chmod(0o666)
            with shadowed(old, path) as pool:
                pool.wait_for_log("counting begins anew")
                tap.equal(pathlib.Path(f"{path}.bad").read_bytes(), bad,
                          "what was put aside")
                ask(pool, 2)
                tap.equal(equal(pool), 2, "counted")
            pool.totals.write_bytes(bad)
            status, out, errors = run_tallyctl("shadow", "report", "-c",
                                               pool.config)
            tap.equal((status, out), (65, ""), "the exit status of the report")
            tap.contains(errors, "move it away to begin anew", "its message")


@tap.test
def two_pools_do_not_share_a_file():
    with Downstream(EQUAL) as old, shadowed(
            old, totals_interval="1h") as one:
        ask(one, 1)
        kit.until("it is made", lambda: kept(one))
        with shadowed(old, one.totals, totals_interval="1h") as other:
            other.wait_for_log(f"another pool (pid {one.pid}) keeps its totals")
            tap.equal(kept(one)["pid"], one.pid, "whose they are")
            failed = other.status()["shadow"]["totals_failed"]
            tap.check(failed > 0, "it is counted")
            other.stop()
        tap.equal(kept(one)["pid"], one.pid, "whose they are in the end")


@tap.test
def a_place_that_cannot_be_written_costs_no_request():
    with Downstream(EQUAL) as old:
        folder = kit.fresh_path("folder")
        folder.mkdir()
        for path in (pathlib.Path("/proc/none/totals"), folder):
            with shadowed(old, path) as pool:
                tap.equal(pool.post(SAMPLE).status, 200, "the status")
                pool.wait_for_log("totals_file: ")
                kit.until("it is counted", lambda: pool.status()["shadow"][
                    "totals_failed"] > 0)


@tap.test
def a_reset_that_cannot_be_is_told():
    with Downstream(EQUAL) as old, shadowed(old, totals_file="") as pool:
        status, _out, errors = run_tallyctl("shadow", "report", "--reset", "-c",
                                            pool.config)
        tap.equal(status, 78, "without a file")
        tap.contains(errors, "needs [shadow] totals_file", "the message")


sys.exit(kit.run())

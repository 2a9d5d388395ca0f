#!/usr/bin/env python3
"""tallyctl health: its limits, its exit statuses, its line."""

import os
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool, run_tallyctl

OK, WARNING, CRITICAL, UNKNOWN = range(4)
LINE = re.compile(r"TALLYD (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+"
                  r"( \|( \w+=\d+(%;\d+;\d+;0|c|ms)?)+)?\n")


def health(pool, *limits):
    """(exit status, line)"""
    status, out, _errors = run_tallyctl("-c", pool.config, "health", *limits)
    tap.check(LINE.fullmatch(out), f"the line: {out!r}")
    word = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[status]
    tap.contains(out, f"TALLYD {word} - ", "the line")
    return status, out


@tap.test
def a_pool_at_rest_is_ok():
    with Pool(workers=4) as pool:
        pool.wait_for_workers()
        pool.post(SAMPLE)
        kit.until("its worker is idle again", lambda: all(
            worker["state"] == "idle" for worker in pool.status()["workers"]))
        status, line = health(pool)
        tap.equal(status, OK, line)
        for part in "0 of 4 workers", "busy=0%;100;101;0", "requests=1c":
            tap.contains(line, part, "the line")


@tap.test
def busy_workers_are_held_against_their_limit():
    with Downstream() as down, Pool({"post": {"downstream": down.url}},
                                    workers=4) as pool:
        pool.wait_for_workers()
        down.hold()
        links = [pool.link() for _ in range(2)]
        for link in links:
            link.send(request(SAMPLE))
        down.wait_for(2)
        for limits, wanted in (("51,52", OK), ("50,51", WARNING),
                               ("0,50", CRITICAL), ("50,50", CRITICAL)):
            tap.equal(health(pool, "--busy", limits)[0], wanted, limits)
        down.release()
        for link in links:
            with link:
                link.read_reply()


@tap.test
def a_queue_is_held_against_its_limit():
    with Downstream() as down, Pool({"post": {"downstream": down.url}},
                                    workers=1, backlog=10) as pool:
        pool.wait_for_workers()
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            links = [pool.link() for _ in range(6)]
            status, line = health(pool)
            tap.equal(status, WARNING, line)
            tap.contains(line, "queue=60%", "the line")
            tap.equal(health(pool, "--queue", "10,60")[0], CRITICAL, "60 %")
            for other in links:
                other.close()
            down.release()
            link.read_reply()


@tap.test
def failures_are_held_against_their_limit():
    with Pool({"post": {"downstream": "http://127.0.0.1:1/"},
               "sum": {"path": "/sum"}}) as pool:
        pool.wait_for_workers()
        for number in range(20):
            pool.post(SAMPLE, path="/" if number < 2 else "/sum")
        kit.until("all are counted",
                  lambda: pool.status()["recent"]["requests"] == 20)
        tap.equal(health(pool)[0], WARNING, "10 % of failures")
        tap.equal(health(pool, "--failures", "11,12")[0], OK, "11,12")
        tap.equal(health(pool, "--failures", "1,10")[0], CRITICAL, "1,10")


@tap.test
def a_pool_that_is_gone_or_not_ready_is_critical():
    with Downstream() as down, Pool(
            {"post": {"downstream": down.url}}) as pool:
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            os.kill(pool.pid, signal.SIGTERM)
            # The log says it before the scoreboard does.
            _status, line = kit.until("it is critical", lambda: [
                got for got in [health(pool)] if got[0] == CRITICAL])[0]
            tap.contains(line, "draining", "the line")
            down.release()
            link.read_reply()
        pool.process.wait()
        status, line = health(pool)
        tap.equal(status, CRITICAL, line)
        tap.contains(line, "not running", "the line")


@tap.test
def what_cannot_be_told_is_unknown():
    with Pool() as pool:
        for limits in (["--busy", "90"], ["--busy", "a,b"], ["--queue", "1,"],
                       ["--failures", "1,2,3"], ["--busy", "1,1001"],
                       ["--busy", "-1,5"], ["--busy", "1,2", "more"], ["-x"]):
            tap.equal(health(pool, *limits)[0], UNKNOWN, str(limits))
    status, out, _errors = run_tallyctl("-s", "pool.workers=x", "health")
    tap.equal((status, out[:16]), (UNKNOWN, "TALLYD UNKNOWN -"),
              "with wrong settings")
    status, out, _errors = run_tallyctl("-p", "nobody", "health")
    tap.equal((status, out[:17]), (CRITICAL, "TALLYD CRITICAL -"),
              "of a pool that is not there")


sys.exit(kit.run())

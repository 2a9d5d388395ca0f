#!/usr/bin/env python3
"""A worker that hangs before it serves: it is killed after start_timeout, the
log says what it was at, and the pool gets its size; a reload, or an upgrade,
with such workers changes nothing."""

import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import stuck
import tap
from pool import SAMPLE, run_tallyctl, serves
from stuck import Stuck, expect_backtrace, functions_of, pid_in

# A sound worker has this and a second: many times what it needs.
SETTINGS = {"start_timeout": "2s"}
KILLED = "does not get to serve and is killed"


def starts_with(how, **settings):
    """(Stuck, its pool), whose workers get stuck in their start."""
    one = Stuck(how=how, **{**SETTINGS, **settings})
    return one, one.served


def killed_lines(pool, count=1):
    return kit.until("the log says who is killed", lambda: [
        lines for lines in [pool.log_lines(" error ", KILLED)]
        if len(lines) >= count], limit=30)[0]


def processes(pool):
    return set(procfs.children_of(pool.pid))


def expect_death(how, function):
    """One worker is stuck in its self-test, the other serves meanwhile."""
    one, pool = starts_with(how)
    with pool:
        one.wait_until_it_is()
        serves(pool)
        line = killed_lines(pool)[0]
        tap.contains(line, "[pool] start_timeout step=self-test total=",
                     "the line")
        expect_backtrace(line, function, "exchange_test", "worker_run")
        pool.wait_for_workers(besides=[pid_in(line)])
        pool.wait_for_log("ended before it began a request; the next start is "
                          "in ")
        tap.check(pool.count("start_kills") >= 1, "it is not counted")
        tap.equal(pool.count("overdue_kills"), 0, "killed in a request")
        serves(pool)


@tap.test
def one_that_spins():
    expect_death("spin", "spin_for_ever")


@tap.test
def one_that_waits():
    expect_death("wait", "wait_for_ever")


@tap.test
def one_that_takes_no_signal():
    expect_death("deaf", None)


@tap.test
def one_that_is_stopped():
    """SIGSTOP while it starts, which it would have done in time"""
    one, pool = starts_with("late", start_timeout="5s")
    with pool:
        one.wait_until_it_is()
        sound = kit.until("the other one serves", pool.workers)
        victim, = kit.until("one does not", lambda: processes(pool) - set(sound))
        os.kill(victim, signal.SIGSTOP)
        line = killed_lines(pool)[0]
        tap.equal(pid_in(line), victim, "who is killed")
        expect_backtrace(line, None)
        pool.wait_for_workers(besides=[victim])
        serves(pool)


@tap.test
def one_that_gets_there_at_last():
    """Asked where it is, it goes on, and stays"""
    one, pool = starts_with("late", workers=1)
    with pool:
        one.wait_until_it_is()
        line = kit.until("the log says so", lambda: pool.log_lines(
            " warn ", "took longer than start_timeout to serve"), limit=30)[0]
        tap.contains(line, "step=serving total=", "the line")
        tap.check("get_stuck" in functions_of(line), line)
        worker = pool.workers()
        tap.equal(worker, [pid_in(line)], "who serves")
        for _turn in range(3):
            serves(pool)
        tap.equal(pool.workers(), worker, "who serves")
        tap.equal(pool.count("start_kills"), 0, "workers killed")


@tap.test
def all_of_them():
    """And as soon as they do not hang the pool is whole"""
    one, pool = starts_with("wait all",
                            status_listen=kit.fresh_path("s.sock"))
    with pool:
        lines = killed_lines(pool, 2)
        tap.equal(len({pid_in(line) for line in lines}), len(lines), "victims")
        tap.equal(pool.page("/readyz").status, 503, "/readyz")
        tap.contains(pool.page("/status").text, "did not get to serve",
                     "/status")
        kit.until("they are started again, and hang", lambda: len(
            pool.log_lines(" error ", KILLED)) >= 4, limit=60)
        one.no_more()
        pool.wait_for_workers(limit=60)
        serves(pool)
        tap.equal(pool.page("/readyz").status, 200, "/readyz")
        kit.until("all are counted", lambda: (
            f"\ntallyd_workers_start_overdue_total "
            f"{len(pool.log_lines(' error ', KILLED))}\n"
            in pool.page("/metrics").text))


@tap.test
def a_stop_does_not_wait_for_them():
    _one, pool = starts_with("deaf all", start_timeout="1h",
                             drain_timeout="500ms")
    kit.until("they are there", lambda: len(processes(pool)) == 2)
    pool.stop()
    tap.check(pool.log_lines("drain_timeout is over"), pool.log())


def goes_on(one, pool, order, then=None):
    """What is ordered has workers that hang: those before them stay. `then`:
    the settings of the next reload."""
    before = pool.wait_for_workers()
    one.get("wait all")
    status, out, errors = run_tallyctl("-c", pool.config, order, limit=90)
    tap.equal((status, out), (1, ""), f"tallyctl {order}: {errors}")
    tap.contains(errors, "see its log", f"tallyctl {order}")
    line = pool.log_lines(" error ", "did not start: ")[0]
    tap.contains(line, " did not get to serve within start_timeout; generation "
                 "1 goes on", "the line")
    killed_lines(pool)
    tap.equal(pool.workers(), before, "the workers that serve")
    one.no_more()  # or requests would hang as well
    serves(pool)
    kit.until("those that hang are gone",
              lambda: processes(pool) == set(before), limit=30)
    tap.equal(pool.count("reloads_failed"), 1, "reloads that failed")
    # And the next one works.
    if then:
        pool.config.write_text(then)
    status, _out, errors = run_tallyctl("-c", pool.config, "reload", limit=90)
    tap.equal(status, 0, f"tallyctl reload: {errors}")
    pool.wait_for_workers(besides=before)
    serves(pool)


@tap.test
def a_reload_into_workers_that_hang():
    one = Stuck(**SETTINGS)
    with one.served as pool:
        goes_on(one, pool, "reload")


@tap.test
def an_upgrade_to_workers_that_hang():
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    one = Stuck(**SETTINGS)
    with one.served as pool:
        goes_on(one, pool, "upgrade")


@tap.test
def a_reload_that_gives_them_less_time():
    """The deadline is that of the settings the workers are started with"""
    one = Stuck(start_timeout="1h")
    with one.served as pool:
        text = pool.config.read_text()
        pool.config.write_text(text.replace("start_timeout = 1h",
                                            "start_timeout = 1s"))
        goes_on(one, pool, "reload", text)  # a sound one may need more


def answers_meanwhile(**settings):
    """A request that comes when the only worker that starts hangs."""
    one, pool = starts_with("wait", workers=3, **settings)
    with pool:
        reply = pool.post(SAMPLE, limit=30)
        tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")
        tap.check(not one.how.is_there(), "nobody was stuck")
        killed_lines(pool)
        serves(pool)
        kit.until("none of them is left", lambda: not [
            pid for pid in processes(pool) if pid in map(
                pid_in, pool.log_lines(" error ", KILLED))])


@tap.test
def ondemand():
    answers_meanwhile(process_model="ondemand")


@tap.test
def dynamic():
    answers_meanwhile(process_model="dynamic")


@tap.test
def its_program_is_the_one_that_hangs():
    """Without the file it is the usual one"""
    tap.check(shutil.which(stuck.PROGRAM), stuck.PROGRAM)
    one = Stuck(**SETTINGS)
    with one.served as pool:
        pool.wait_for_workers()
        serves(pool)
        tap.equal(pool.count("start_kills"), 0, "workers killed")


sys.exit(kit.run())

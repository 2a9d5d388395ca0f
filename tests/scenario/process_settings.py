#!/usr/bin/env python3
"""Settings of the processes themselves: where and how they are scheduled."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from pool import Pool, run_tallyd, serves, write_settings

CPUS = sorted(os.sched_getaffinity(0))


def places(pool, count):
    """The CPUs of each worker, in the order of their slots."""
    pool.wait_for_workers(count)
    workers = pool.status()["workers"]
    return [sorted(os.sched_getaffinity(worker["pid"])) for worker in workers]


def niceness(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


@tap.test
def workers_are_spread_over_the_cpus():
    """cpu_affinity = auto: a CPU each, in turn; the supervisor keeps all"""
    with Pool(workers=3, cpu_affinity="auto") as pool:
        kit.until("each has its place", lambda: places(pool, 3) ==
                  [[CPUS[number % len(CPUS)]] for number in range(3)])
        tap.equal(sorted(os.sched_getaffinity(pool.pid)), CPUS,
                  "the supervisor's")
        serves(pool)


@tap.test
def a_list_is_followed():
    """cpu_affinity = a list; a reload changes it"""
    with Pool(workers=2, cpu_affinity=f"{CPUS[-1]},{CPUS[0]}") as pool:
        kit.until("each has its place", lambda: places(pool, 2) ==
                  [[CPUS[-1]], [CPUS[0]]])
        pool.settings["cpu_affinity"] = ""
        write_settings(pool.config, pool.settings, pool.endpoints)
        reloads.reload(pool)
        reloads.wait_until_alone(pool)
        tap.equal(places(pool, 2), [CPUS, CPUS], "after the reload")
        serves(pool)


@tap.test
def a_cpu_that_is_not_there_is_told():
    """a wrong list, and a list without a supervisor: status 78"""
    for text, *more in (["x"], ["0-"], ["1023"],
                        ["auto", "-s", "pool.workers=0"]):
        status, _out, errors = run_tallyd(
            "-t", "-s", f"pool.cpu_affinity={text}", *more)
        tap.equal(status, 78, f"the exit status for {text} ({errors})")
        tap.contains(errors, "cpu_affinity", "the message")


@tap.test
def workers_are_batch():
    """scheduler = batch: the workers, not the supervisor"""
    for scheduler, policy in (("batch", os.SCHED_BATCH),
                              ("other", os.SCHED_OTHER)):
        with Pool(workers=2, scheduler=scheduler) as pool:
            for pid in pool.wait_for_workers(2):
                kit.until("it is scheduled as told", lambda pid=pid:
                          os.sched_getscheduler(pid) == policy)
            tap.equal(os.sched_getscheduler(pool.pid), os.SCHED_OTHER,
                      "the supervisor's")
            serves(pool)


@tap.test
def without_a_supervisor_too():
    """scheduler = batch with workers = 0"""
    with Pool(workers=0, scheduler="batch") as pool:
        serves(pool)
        tap.equal(os.sched_getscheduler(pool.pid), os.SCHED_BATCH, "policy")


@tap.test
def all_are_nice():
    wanted = min(19, niceness(0) + 3)
    with Pool(workers=1, nice=wanted) as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(niceness(pid), wanted, "the nice value")
        serves(pool)


@tap.test
def less_than_before_needs_root():
    """a nice value that only root may have: told at the start"""
    if os.geteuid() != 0:
        status, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}", "-s", "pool.nice=-20")
        tap.equal(status, 1, f"the exit status ({errors})")
        tap.contains(errors, "nice = -20: Permission denied", "the message")
        return
    with Pool(workers=1, nice=-5, user="nobody") as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(niceness(pid), -5, "the nice value")
        serves(pool)


sys.exit(kit.run())

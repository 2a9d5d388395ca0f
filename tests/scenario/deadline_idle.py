#!/usr/bin/env python3
"""A worker that is stuck though it calls itself idle: what it does not take is
taken by another one, and it is replaced."""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from deaths import Deaths
from pool import SAMPLE, Pool, nobody_wakes_up, serves
from standstill import Standstill

SUM = b'{"sum":42}'


def stop(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        kit.until("it has stopped", lambda: procfs.state_of(pid) == "T")


def was_replaced(pool, *victims):
    """Each is killed, with a line that says why; the pool has its size."""
    kit.until("they are replaced",
              lambda: pool.count("idle_kills") == len(victims))
    for pid in victims:
        tap.equal(len(pool.log_lines(
            " error ", f"(pid {pid}) is stuck while it is idle and killed",
            'backtrace="none, it does not take signals"')), 1, "lines")
    tap.equal(len(pool.log_lines(" warn ", "calls itself idle")), 1,
              "paced warnings")
    pool.wait_for_count("exits_signal", len(victims))
    tap.equal(pool.count("exits_signal"), len(victims), "workers killed")


def stopped_ones(count, ask, **settings):
    with Pool(log_level="info", **settings) as pool:
        victims = kit.until("workers are there", lambda: (
            pool.workers() if len(pool.workers()) == count else None))
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the first reply")
            pool.wait_for_sleep()
            stop(*victims)
            ask(pool, link)
            was_replaced(pool, *victims)
            for _turn in range(3):
                link.send(fastcgi.request(SAMPLE, keep=True))
                tap.equal(link.read_reply().body, SUM, "a reply")
                serves(pool)
        kit.until("the pool has its size", lambda: len(pool.workers()) >= count)
        tap.equal(set(victims) & set(pool.workers()), set(), "stuck workers")
        nobody_wakes_up([pool.pid])


def on_a_new_connection(pool, _link):
    serves(pool)


def on_a_kept_connection(_pool, link):
    link.send(fastcgi.request(SAMPLE, keep=True))
    tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def static():
    """workers that are stopped while idle: a new connection is served"""
    stopped_ones(1, on_a_new_connection, workers=1)
    stopped_ones(3, on_a_new_connection, workers=3)


@tap.test
def static_kept():
    """the same for a request on a kept connection"""
    stopped_ones(2, on_a_kept_connection, workers=2)


@tap.test
def dynamic():
    """a dynamic pool grows, though idle workers seem to be there"""
    for ask in on_a_new_connection, on_a_kept_connection:
        stopped_ones(2, ask, process_model="dynamic", workers=8,
                     min_workers=2, spare_workers=1, idle_timeout="1h")


@tap.test
def nothing_waits():
    """one that is stopped while nothing waits is replaced as well: it may have
    been told of what nobody else is told of"""
    stopped_ones(2, lambda *_: None, workers=2)


@tap.test
def told_and_then_stopped():
    """one that was just told of a connection, which no other is told of then;
    the other workers are idle"""
    for ask in on_a_new_connection, on_a_kept_connection:
        deaths = Deaths(workers=3, log_level="info")
        with deaths.pool as pool, pool.link() as link:
            on_a_kept_connection(pool, link)
            pool.wait_for_workers()
            pool.wait_for_sleep()
            before = pool.workers()
            deaths.hit_after(1, "epoll_pwait", signal.SIGSTOP)
            ask(pool, link)
            kit.until("one is replaced", lambda: len(
                set(before) & set(pool.wait_for_workers())) == 2)
            tap.equal(pool.count("idle_kills"), 1, "workers killed")


@tap.test
def one_that_goes_on():
    """stopped for a moment, it goes on to serve"""
    with Pool(workers=1) as pool:
        before = pool.wait_for_workers()
        for _turn in range(10):
            pool.wait_for_sleep()
            stop(*before)
            os.kill(before[0], signal.SIGCONT)
            serves(pool)
        tap.equal(pool.workers(), before, "the worker")
        tap.equal(pool.count("idle_kills"), 0, "workers killed")


@tap.test
def idle_ones_are_left_alone():
    """requests for seconds on end, more workers than are used: nobody is asked
    or killed"""
    with Pool(workers=6, log_level="info") as pool:
        before = pool.wait_for_workers()
        standstill = Standstill()
        with pool.link() as link:
            end = time.monotonic() + 3
            while time.monotonic() < end:  # time passing is what is tested
                for _turn in range(500):
                    link.send(fastcgi.request(SAMPLE, keep=True))
                    tap.equal(link.read_reply().body, SUM, "the reply")
        after, warnings = pool.workers(), pool.log_lines("calls itself idle")
        longest = standstill.longest()
        # A worker has half a second to come when it is called.
        if longest > 0.3 and (after != before or warnings):
            raise tap.Skip(f"the machine stood still for {longest:.1f} s")
        tap.equal(after, before, "the workers")
        tap.equal(warnings, [], "warnings")


sys.exit(kit.run())

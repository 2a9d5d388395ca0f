#!/usr/bin/env python3
"""A worker that does not come back from a request: the log says where it is in
the code, it is killed, and the pool has its size again."""

import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import fronts
import kit
import procfs
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, serves
from stuck import Stuck, expect_backtrace, functions_of, pid_in

SETTINGS = {"request_timeout": "1s"}


def pool_that(how, **settings):
    """(Stuck, its pool); the workers that serve are sound before."""
    stuck = Stuck(**{**SETTINGS, **settings})
    stuck.served.wait_for_workers()
    serves(stuck.served)
    stuck.get(how)
    return stuck, stuck.served


def is_cut(link):
    try:
        raise tap.Failure(f"a reply: {link.read_reply().status}")
    except fastcgi.Broken:
        link.close()


def stuck_line(pool):
    """The one line about a stuck worker."""
    pool.wait_for_count("overdue_kills", 1)
    lines = pool.log_lines(" error ", "is stuck and killed")
    tap.equal(len(lines), 1, "lines")
    return lines[0]


def expect_death(how, function):
    """One request on a worker stuck like this, while another is served."""
    stuck, pool = pool_that(how)
    with pool:
        before = pool.workers()
        link = pool.link()
        link.send(fastcgi.request(
            SAMPLE, path="/a\n\"b", HTTP_X_REQUEST_ID="who-am-i"))
        stuck.wait_until_it_is()
        serves(pool)
        is_cut(link)
        line = stuck_line(pool)
        for part in (" request=who-am-i ",
                     ' method="POST" path="/a??b" state=reading total='):
            tap.contains(line, part, "the line")
        victim = pid_in(line)
        after = pool.wait_for_workers(besides=[victim])
        tap.equal(set(before) - set(after), {victim}, "workers replaced")
        expect_backtrace(line, function, "exchange_serve")
        tap.equal(pool.count("exits_signal"), 1, "exits by a signal")
        serves(pool)


@tap.test
def one_that_spins():
    expect_death("spin", "spin_for_ever")


@tap.test
def one_that_waits():
    expect_death("wait", "wait_for_ever")


@tap.test
def one_that_waits_for_itself():
    expect_death("lock", "lock_for_ever")


@tap.test
def one_that_takes_no_signal():
    expect_death("deaf", None)


@tap.test
def one_that_is_stopped():
    """SIGSTOP in the middle of a request"""
    with Downstream() as down, Pool({"main": {"downstream": down.url}},
                                    workers=1, request_timeout="3s") as pool:
        victim, = pool.wait_for_workers()
        down.hold()
        link = pool.link()
        link.send(fastcgi.request(SAMPLE))
        down.wait_for(1)
        os.kill(victim, signal.SIGSTOP)
        tap.contains(stuck_line(pool), f"(pid {victim}) is stuck and killed",
                     "the line")
        is_cut(link)
        down.release()
        pool.wait_for_workers(besides=[victim])


@tap.test
def one_that_comes_back_late():
    """It answers, is not killed, and makes room"""
    _stuck, pool = pool_that("late", workers=1)
    with pool:
        worker = pool.workers()[0]
        with pool.link() as link, pool.link() as other:
            link.send(fastcgi.request(SAMPLE, keep=True,
                                      HTTP_X_REQUEST_ID="late-one"))
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
            pool.wait_for_workers(besides=[worker])
            line = kit.until("the log says so", lambda: pool.log_lines(
                " warn ", "came back late, makes room"))[0]
            tap.contains(line, "request=late-one ", "the line")
            tap.check("get_stuck" in functions_of(line), line)
            # Its connections have found another worker.
            for one in link, other:
                one.send(fastcgi.request(SAMPLE, keep=True))
                tap.equal(one.read_reply().body, b'{"sum":42}', "the reply")
        tap.equal(pool.count("overdue_kills"), 0, "workers killed")
        tap.equal(pool.count("exits_signal"), 0, "exits by a signal")


@tap.test
def a_supervisor_that_watches_nobody_sleeps():
    """However many requests there were, it waits without a limit again"""
    with Pool(**SETTINGS) as pool:
        pool.wait_for_workers()
        for _turn in range(5):
            serves(pool)
        kit.until("the supervisor sleeps for good",
                  lambda: waits_for_ever(pool.pid))


def waits_for_ever(pid):
    """It is in ppoll(2) without a timeout."""
    numbers = {"x86_64": 271, "aarch64": 73}
    number = numbers.get(os.uname().machine)
    if number is None:
        raise tap.Skip(f"the number of ppoll on {os.uname().machine}")
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            words = file.read().split()
    except PermissionError as error:
        raise tap.Skip(f"/proc/{pid}/syscall: {error}") from None
    return words[0] == str(number) and int(words[3], 16) == 0


@tap.test
def through_nginx_it_is_one_502():
    class Front(fronts.Nginx):
        def start_pool(self, endpoints, settings):
            self.stuck = Stuck(endpoints, **{**SETTINGS, **settings})
            self.pool = self.stuck.served
    front = Front({"main": {}})
    front.pool.wait_for_workers()
    front.stuck.get("spin")
    statuses = []
    thread = threading.Thread(
        target=lambda: statuses.append(front.post("/", SAMPLE).status))
    thread.start()
    front.stuck.wait_until_it_is()
    for _turn in range(20):
        # One that is slow may be late; it is not lost.
        tap.check(front.post("/", SAMPLE).status in (200, 504), "a status")
    thread.join()
    tap.equal(statuses, [502], "the status of the stuck one")
    tap.equal(front.pool.count("overdue_kills"), 1, "workers killed")
    front.stop()


@tap.test
def the_status_page_says_so():
    stuck, pool = pool_that("spin", status_listen=kit.fresh_path("s.sock"))
    with pool, pool.link() as link:
        link.send(fastcgi.request(SAMPLE))
        stuck.wait_until_it_is()
        stuck_line(pool)
        pool.wait_for_workers()
        tap.contains(pool.page("/status").text, "did not come back", "/status")
        tap.contains(pool.page("/metrics").text,
                     "\ntallyd_workers_overdue_total 1\n", "/metrics")


@tap.test
def a_worker_is_not_killed_for_the_requests_of_a_busy_day():
    """Many requests in a row, together longer than request_timeout, are not one
    that is overdue"""
    # Large enough that the worker is at work, and not we.
    body = b'{"items":[' + b'{"value":1},' * 16000 + b'{"value":2}]}'
    request = fastcgi.request(body, keep=True)
    limit = 3  # more than the machine may stand still within a request
    with Pool(workers=1, request_timeout=f"{limit}s") as pool:
        worker = pool.wait_for_workers()
        before = procfs.cpu_seconds(worker[0])
        end = time.monotonic() + limit + 2
        with pool.link() as link:
            while (procfs.cpu_seconds(worker[0]) - before < 1.5
                   or time.monotonic() < end):  # that is what is tested
                for _turn in range(50):
                    link.send(request)
                    tap.equal(link.read_reply().status, 200, "the status")
        tap.equal(pool.workers(), worker, "the workers")
        tap.equal(pool.count("overdue_kills"), 0, "workers killed")


sys.exit(kit.run())

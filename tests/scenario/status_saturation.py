#!/usr/bin/env python3
"""Overload is visible: what all displays and the log say while requests wait
and all workers are busy, whatever queue_timeout is."""

import contextlib
import datetime
import pathlib
import re
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, nobody_wakes_up, run_tallyctl
from terminal import Terminal

CLIENTS, WORKERS = 200, 2


def start(down, **settings):
    return Pool({"main": {"downstream": down.url}}, backlog=512,
                status_listen=f"{kit.HOST}:{kit.free_port()}",
                **{"workers": WORKERS, **settings})


def send_all(pool, count):
    links = [pool.link() for _ in range(count)]
    for link in links:
        link.send(fastcgi.request(SAMPLE))
    return links


@contextlib.contextmanager
def at_once(pool, down, posts):
    """The supervisor, which tells how many wait a second after it has seen the
    first, sees none until all are there and `posts` have been posted."""
    pool.process.send(signal.SIGSTOP)
    yield
    down.wait_for(posts)
    pool.process.send(signal.SIGCONT)


def read_all(links):
    for link in links:
        with link:
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")


def waiting(pool):
    return pool.status()["waiting"]


def sample(pool, name):
    text = pool.page("/metrics").text
    return float(re.search(rf"^tallyd_{name} (\S+)$", text, re.M)[1])


def health(pool):
    status, out, _errors = run_tallyctl("-c", pool.config, "health",
                                        "--busy", "200,300")
    return status, out


def is_told(pool):
    """After a second of saturation the log and health say so."""
    pool.wait_for_log("saturated since ", limit=30)
    kit.until("health warns", lambda: health(pool)[0] == 1)


@tap.test
def all_displays_say_it():
    """200 clients on 2 workers, all waiting: page, top, health, metrics, log"""
    with Downstream() as down, start(down) as pool:
        pool.wait_for_workers()
        began = int(time.time())
        down.hold()
        with at_once(pool, down, WORKERS):
            links = send_all(pool, CLIENTS)
        is_told(pool)
        rest = CLIENTS - WORKERS
        line = pool.log_lines(" warn ", "saturated since ")[0]
        tap.check(re.search(rf"since 2\d\d\d-\d\d-\d\dT[\d:]+Z: all {WORKERS} "
                            rf"workers are busy and {rest} requests wait, the "
                            r"longest for \d+\.\d s: raise \[pool\] workers",
                            line), f"the log: {line}")
        now = waiting(pool)
        tap.equal(now["requests"], rest, "waiting")
        tap.check(now["longest_milliseconds"] >= 900, f"the longest: {now}")
        tap.check(now["saturated_milliseconds"] >= 1000, f"since: {now}")
        status, text, _errors = run_tallyctl("-c", pool.config, "status")
        tap.equal(status, 0, "tallyctl status")
        tap.contains(text, f"requests waiting {rest}, on kept connections "
                     f"{now['kept']}, the longest for ", "the text")
        tap.contains(text, f"and {rest} requests wait, the longest", "advice")
        tap.contains(health(pool)[1], f"saturated, raise workers; 2 of 2 "
                     f"workers busy, {rest} waiting (the longest for ", "health")
        tap.equal(sample(pool, "requests_waiting"), rest, "metrics")
        tap.check(sample(pool, "request_longest_wait_seconds") >= 1, "longest")
        tap.check(sample(pool, "saturated_seconds") >= 1, "saturated")
        page = pool.page("/status?html").text
        tap.check(re.search(r"requests waiting<p class=v>198 <small class=dim>"
                            r"the longest for \d+\.\d s", page), page)
        tap.contains(pool.page("/readyz").text, "ready", "readyz")
        with Terminal(pool) as terminal:
            terminal.wait_for(f"requests waiting {rest}, on kept connections")
            terminal.type("q")
            tap.equal(terminal.end(), 0, "top")
        down.release()
        read_all(links)
        the_most_is_kept(pool, rest, began)


def the_most_is_kept(pool, most, began):
    kit.until("nothing waits", lambda: waiting(pool)["requests"] == 0)
    kit.until("it is not saturated any more", lambda: waiting(pool)[
        "saturated_milliseconds"] == 0 and health(pool)[0] == 0)
    now = waiting(pool)
    tap.equal(now["most"], most, "the most")
    tap.check(began <= now["most_at"] <= time.time(), f"its time: {now}")
    tap.check(now["all_busy"] >= 1, f"all busy: {now}")
    tap.equal(sample(pool, "requests_waiting_most"), most, "metrics, the most")
    tap.equal(int(sample(pool, "requests_waiting_most_time_seconds")),
              now["most_at"], "metrics, its time")
    tap.equal(sample(pool, "workers_all_busy_total"), now["all_busy"],
              "metrics, all busy")
    moment = datetime.datetime.fromtimestamp(
        now["most_at"], datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    _status, text, _errors = run_tallyctl("-c", pool.config, "status")
    tap.contains(text, f"most waiting {most} at {moment}, all workers busy "
                 f"{now['all_busy']} times", "the text")
    tap.contains(pool.page("/status?html").text, f"most {most} at {moment}",
                 "the page")


@tap.test
def a_small_peak_does_not_replace_the_most():
    with Downstream() as down, start(down) as pool:
        pool.wait_for_workers()
        for count, most in (9, 7), (5, 7), (12, 10):
            down.hold()
            links = send_all(pool, count)
            kit.until("the supervisor has seen it", lambda number=count:
                      waiting(pool)["longest_milliseconds"] > 0 and
                      waiting(pool)["requests"] == number - WORKERS)
            tap.equal(waiting(pool)["most"], most, f"after {count}")
            down.release()
            read_all(links)
            kit.until("nothing waits", lambda: waiting(pool)["requests"] == 0)
        nobody_wakes_up([pool.pid])


@tap.test
def requests_on_kept_connections_count():
    """requests on kept connections wait as well as new connections do"""
    with Downstream() as down, start(down) as pool:
        pool.wait_for_workers()
        links = [pool.link() for _ in range(20)]
        for link in links:
            link.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, b'{"ok":true}', "the first")
        down.hold()
        with at_once(pool, down, 20 + WORKERS):
            for link in links:
                link.send(fastcgi.request(SAMPLE))
            others = send_all(pool, 5)
        is_told(pool)
        now = waiting(pool)
        tap.equal(now["requests"], 25 - WORKERS, "all that wait")
        tap.check(now["kept"] >= 20 - WORKERS, f"kept: {now}")
        tap.equal(sample(pool, "requests_waiting_kept"), now["kept"], "metrics")
        tap.contains(pool.log_lines("saturated since")[0],
                     f"and {25 - WORKERS} requests wait", "the log")
        down.release()
        read_all(links + others)


@tap.test
def a_dynamic_pool_at_its_limit_says_it_once():
    """process_model = dynamic: the same line, and no other, at the limit"""
    with Downstream() as down, start(down, process_model="dynamic",
                                     workers=3) as pool:
        down.hold()
        links = send_all(pool, 8)
        is_told(pool)
        tap.contains(pool.log_lines("saturated since")[0], "all 3 workers",
                     "the log")
        tap.equal(len(pool.warnings()), 1, f"warnings: {pool.warnings()}")
        down.release()
        read_all(links)


sys.exit(kit.run())

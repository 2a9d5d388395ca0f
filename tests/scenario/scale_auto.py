#!/usr/bin/env python3
"""workers = auto behind nginx: as many workers as requests wait for the
downstream, as few as compute, up to what there is; and no request fails."""

import gzip
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from crowd import Crowd, hold_requests
from downstream import Downstream
from pool import Pool, run_tallyctl, run_tallyd

OK = (200, b'{"ok":true}')
CPUS = len(os.sched_getaffinity(0))
CLIENTS = 60
# Descriptors for 40 connections, 128 and three for each: two a worker.
FEW = {"prefix": ("prlimit", "--nofile=248:248"), "most": 20}


def start_front(target=None, more=None, **settings):
    endpoint = {**({"downstream": target.url} if target else {}), **(more or {})}
    return reloads.NginxKeepalive({"main": endpoint}, **{
        "workers": "auto", "idle_timeout": "500ms", **settings})


def alive(front):
    return len(front.pool.workers())


def supervisor(front):
    return front.pool.status()["supervisor"]


def is_over(front, target, crowd, count):
    """They are answered, and nobody has failed for the growth."""
    target.release()
    tap.equal(crowd.wait(), {OK: count}, "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    have = supervisor(front)
    tap.equal((have["exits_signal"], have["exits_status"],
               have["fork_errors"]), (0, 0, 0), "bad ends")


def has_retired(front, least):
    have = supervisor(front)
    return have["workers_retired"] + least == have["forks"]


def settings_of(text):
    """What -T prints, without the comments."""
    return [line for line in text.splitlines() if line and line[0] != ";"]


@tap.test
def as_many_as_wait_and_back():
    """60 requests at once get a worker each; then as few stay as CPUs"""
    with Downstream() as target:
        front = start_front(target)
        least = kit.until("it is told how many there are to be",
                          lambda: supervisor(front)["workers_wanted"])
        tap.check(1 <= least <= CPUS, f"{least} workers for {CPUS} CPUs")
        for _ in range(2):
            crowd = hold_requests(front, target, CLIENTS)
            kit.until("they are all told of",
                      lambda: alive(front) >= CLIENTS, 20)
            tap.check(alive(front) <= CLIENTS + 40,
                      f"{alive(front)} workers for {CLIENTS} requests")
            is_over(front, target, crowd, CLIENTS)
            kit.until("the others leave", lambda: alive(front) == least, 20)
        # One that is slow to start may come, and leave, after the others.
        kit.until("all that were started have left, or are there",
                  lambda: has_retired(front, least))
        tap.equal(supervisor(front)["workers_limit_hits"], 0,
                  "times it was at the limit")
        front.stop()


@tap.test
def no_more_than_there_is():
    """too few descriptors: the limit and its reason are told everywhere"""
    with Downstream() as target:
        front = start_front(target, prefix=FEW["prefix"],
                            idle_timeout="10m", log_level="info")
        pool, most = front.pool, FEW["most"]
        told = pool.log_lines("workers = auto: ")[0]
        tap.contains(told, f" to {most}, limited by open files", "the log")
        crowd = hold_requests(front, target, most)
        more = Crowd(front, 10, turns=1)
        pool.wait_for_log("requests wait, the longest for ", limit=30)
        tap.contains(pool.log_lines("saturated since")[0],
                     "there can be no more, by open files", "the log")
        have = supervisor(front)
        tap.equal((have["forks"], have["workers_limit"],
                   have["workers_limit_by"]),
                  (most, most, "files"), "the limit")
        text = run_tallyctl("-c", pool.config, "status")[1]
        tap.contains(text, f"at most {most}: limited by open files", "status")
        tap.contains(" ".join(text.split()), f"no more than {most}, limited "
                     "by open files", "status")
        tap.contains(run_tallyctl("-c", pool.config, "health")[1],
                     "workers are limited by open files", "health")
        target.release()
        tap.equal(crowd.wait() + more.wait(), {OK: most + 10}, "the answers")
        tap.equal(crowd.lost + more.lost, [], "broken connections")
        front.stop()


@tap.test
def a_downstream_that_hangs():
    """growth stops at the limit, requests time out, and the breaker opens"""
    with Downstream() as target:
        front = start_front(target, {"timeout": "1s", "breaker": 5,
                                     "breaker_cooldown": "10m"},
                            prefix=FEW["prefix"], idle_timeout="10m")
        target.hold()
        crowd = Crowd(front, 2 * FEW["most"], turns=3)
        answers = crowd.wait()
        statuses = {status for status, _body in answers}
        tap.equal((statuses, sum(answers.values())),
                  ({503, 504}, 6 * FEW["most"]), "the answers")
        tap.equal(crowd.lost, [], "broken connections")
        forks = supervisor(front)["forks"]
        tap.check(forks <= FEW["most"], f"{forks} workers were started")
        target.release()
        front.stop()


@tap.test
def what_waits_at_the_limit():
    """nobody more can be added: who has waited for too long gets 503"""
    with Downstream() as target:
        front = start_front(target, prefix=FEW["prefix"], idle_timeout="10m",
                            queue_timeout="3s")
        pool, most, late = front.pool, FEW["most"], 10
        crowd = hold_requests(front, target, most)
        more = Crowd(front, late, turns=1)
        kit.until("all of the others wait",
                  lambda: pool.status()["waiting"]["requests"] == late, 20)
        since = time.monotonic()
        kit.until("they have waited for too long",
                  lambda: time.monotonic() > since + 3.2)
        target.release()
        tap.equal(crowd.wait(), {OK: most}, "the answers")
        answers = more.wait()
        tap.equal(({status for status, _body in answers},
                   sum(answers.values())), ({503}, late), "the others'")
        tap.equal(crowd.lost + more.lost, [], "broken connections")
        tap.equal((pool.count("queue_timeout"), len(target.requests),
                   supervisor(front)["forks"]), (late, most, most),
                  "refused, posts, workers that were started")
        front.stop()


@tap.test
def who_computes_gets_no_company():
    """requests that are all work: the pool stays near the number of CPUs"""
    front = start_front(more={"max_ratio": 10000}, idle_timeout="10m")
    # Compressed, so that no worker waits for the rest of a body, which is no
    # work, when nginx stands still.
    body = gzip.compress(b'{"items":[' + b",".join([b'{"value":1}'] * 60000)
                         + b"]}")
    crowd = Crowd(front, 24, body=body, headers={"Content-Encoding": "gzip"})
    kit.until("requests were served", lambda: crowd.served() > 400, 120)
    most = supervisor(front)["forks"]
    answers = crowd.stop()
    tap.equal(list(answers), [(200, b'{"sum":120000}')], "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    tap.check(most <= 4 * CPUS + 2, f"{most} workers for {CPUS} CPUs")
    front.stop()


@tap.test
def a_pool_that_is_full_of_work_says_so():
    """requests wait, more workers are allowed, and none would help"""
    front = start_front(more={"max_ratio": 10000}, idle_timeout="10m")
    body = gzip.compress(b'{"items":[' + b",".join([b'{"value":1}'] * 600000)
                         + b"]}")
    crowd = Crowd(front, 48, body=body, headers={"Content-Encoding": "gzip"})
    front.pool.wait_for_log("no more are added, the CPUs are full", limit=60)
    kit.until("health says so", lambda: "saturated, the CPUs are full" in
              run_tallyctl("-c", front.pool.config, "health")[1], 60)
    have = supervisor(front)
    tap.check(have["workers_wanted"] < have["workers_limit"],
              f'{have["workers_wanted"]} workers')
    crowd.stop()
    tap.equal(crowd.lost, [], "broken connections")
    front.stop()


@tap.test
def reloads_to_auto_and_back():
    """a number becomes auto and auto a number while requests wait"""
    with Downstream() as target:
        front = start_front(target, workers=3, log_level="info",
                            max_connections=200)
        pool = front.pool
        pool.wait_for_workers(3)
        reloads.reload_with(pool, workers="auto")
        tap.equal((supervisor(front)["workers_limit"],
                   supervisor(front)["workers_limit_by"]),
                  (100, "connections"), "the limit")
        crowd = hold_requests(front, target, CLIENTS)
        pool.change(workers=4)
        reloads.reload(pool)
        is_over(front, target, crowd, CLIENTS)
        reloads.wait_until_alone(pool)
        tap.equal(alive(front), 4, "workers")
        have = supervisor(front)
        tap.equal((have["workers_limit"], have["workers_limit_by"]),
                  (4, "setting"), "the limit")
        front.stop()


@tap.test
def what_is_printed():
    """-T says how many that is here, and gives settings that are taken"""
    status, out, errors = run_tallyd("-T")
    tap.equal(status, 0, f"the exit status ({errors})")
    tap.contains(out.splitlines(), "workers = auto", "-T")
    tap.contains(out, "\n; workers = auto is ", "-T")
    path = kit.fresh_path("printed.conf")
    path.write_text(out)
    status, again, errors = run_tallyd("-T", "-c", path)
    tap.equal((status, errors), (0, ""), "-T of that")
    tap.equal(settings_of(again), settings_of(out), "-T of that")
    number = run_tallyd("-T", "-spool.workers=3")[1]
    tap.check("workers = auto is" not in number, "-T of a number")


@tap.test
def without_a_front():
    """metrics have the limit and what it comes from"""
    with Pool(workers="auto", status_listen=kit.fresh_path("status")) as pool:
        kit.until("the limit is told",
                  lambda: pool.status()["supervisor"]["workers_limit"])
        have = pool.status()["supervisor"]
        text = pool.page("/metrics").text
        tap.contains(text, f'tallyd_workers_limit {have["workers_limit"]}\n',
                     "the metrics")
        tap.contains(text, 'tallyd_workers_limit_info{by="'
                     f'{have["workers_limit_by"]}"}} 1\n', "the metrics")


sys.exit(kit.run())

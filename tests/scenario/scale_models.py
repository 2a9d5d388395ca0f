#!/usr/bin/env python3
"""process_model = dynamic and ondemand behind nginx: workers come when requests
do and leave when they are not needed, and no request fails for it."""

import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from crowd import Crowd, hold_requests
from downstream import Downstream
from pool import SAMPLE, Pool, run_tallyd

FRONTS = reloads.Nginx, reloads.NginxKeepalive
OK = (200, b'{"ok":true}')


def start_front(front_class, target, **settings):
    return front_class({"main": {"downstream": target.url}},
                       **{"idle_timeout": "500ms", **settings})


def alive(front):
    return len(front.pool.workers())


def wait_for(front, count):
    kit.until(f"{count} workers are there", lambda: alive(front) == count, 20)


def all_is_well(front, kills=0):
    """Nothing but the answers that were expected."""
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    supervisor = front.pool.status()["supervisor"]
    tap.equal((supervisor["exits_signal"], supervisor["exits_status"]),
              (kills, 0), "bad ends")


def only_good_answers(crowd, answer=OK):
    answers = crowd.stop()
    tap.equal(list(answers), [answer], "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    return sum(answers.values())


def from_nobody_and_back(front_class):
    with Downstream() as target:
        front = start_front(front_class, target, process_model="ondemand",
                            workers=8)
        tap.equal(alive(front), 0, "workers before the first request")
        for _ in range(3):
            before, began = front.pool.count("forks"), time.monotonic()
            reply = front.post("/", SAMPLE)
            # One that has not come up after a second does not count any more.
            most = 1 + int(time.monotonic() - began)
            tap.equal((reply.status, reply.body), OK, "the answer")
            kit.until("all are retired", lambda: front.pool.count(
                "workers_retired") == front.pool.count("forks"), 20)
            wait_for(front, 0)
            started = front.pool.count("forks") - before
            tap.check(1 <= started <= most, f"{started} workers, not {most}")
        status = front.pool.status()
        tap.equal(status["ready"], True, "ready without a worker")
        if front.keeps:
            tap.equal(status["counters"]["kept"], 2, "requests on a kept one")
            tap.equal(status["connections"], 1, "connections kept")
        all_is_well(front)
        front.stop()


def burst_from_idle(front_class, least, **settings):
    with Downstream() as target:
        front = start_front(front_class, target, workers=24, **settings)
        wait_for(front, least)
        crowd = hold_requests(front, target, 24)
        tap.equal(alive(front), 24, "workers at the height of it")
        target.release()
        tap.equal(crowd.wait(), {OK: 24}, "the answers")
        tap.equal(crowd.lost, [], "broken connections")
        wait_for(front, least)
        all_is_well(front)
        front.stop()


@tap.test
def on_demand_new_connections():
    """ondemand: nobody, a worker, nobody; a connection for each request"""
    from_nobody_and_back(reloads.Nginx)


@tap.test
def on_demand_kept_connections():
    """ondemand: nobody, a worker, nobody; the kept connection stays open"""
    from_nobody_and_back(reloads.NginxKeepalive)


@tap.test
def on_demand_burst():
    """ondemand: 24 requests at once get 24 workers, which leave again"""
    for front_class in FRONTS:
        burst_from_idle(front_class, 0, process_model="ondemand")


@tap.test
def dynamic_burst():
    """dynamic: 24 requests at once get 24 workers; min_workers stay"""
    for front_class in FRONTS:
        burst_from_idle(front_class, 3, process_model="dynamic", min_workers=3,
                        spare_workers=2)


@tap.test
def the_rate_of_starts_is_kept():
    """spawn_rate: no more workers in a second, and all are served"""
    with Downstream() as target:
        front = start_front(reloads.NginxKeepalive, target, workers=20,
                            process_model="ondemand", spawn_rate=4)
        crowd = hold_requests(front, target, 6)
        tap.check(alive(front) <= 12, f"{alive(front)} workers for 6 requests")
        target.release()
        tap.equal(crowd.wait(), {OK: 6}, "the answers")
        all_is_well(front)
        front.stop()


@tap.test
def too_few_are_told():
    """more requests than `workers`: counted, logged, with the key to change"""
    with Downstream() as target:
        front = start_front(reloads.NginxKeepalive, target, workers=2,
                            process_model="dynamic", idle_timeout="10m")
        target.hold()
        crowd = Crowd(front, 6, turns=1)
        front.pool.wait_for_log("requests wait, the longest for ", limit=30)
        tap.contains(front.pool.log_lines("saturated since")[0],
                     "raise [pool] workers", "the log")
        front.pool.wait_for_count("workers_limit_hits", 1)
        warnings = [w for w in front.pool.status()["warnings"]
                    if "no worker could be added" in w["text"]]
        tap.equal([w["setting"] for w in warnings], ["workers"], "the setting")
        target.release()
        tap.equal(crowd.wait(), {OK: 6}, "the answers")
        front.stop()


@tap.test
def a_trickle_does_not_keep_them():
    """one request after the other needs one worker: the others leave"""
    with Downstream() as target:
        front = start_front(reloads.NginxKeepalive, target, workers=12,
                            process_model="ondemand")
        hold_requests(front, target, 12)
        target.release()
        crowd = Crowd(front, 1)
        wait_for(front, 1)
        only_good_answers(crowd)
        all_is_well(front)
        front.stop()


@tap.test
def killed_while_it_grows():
    """kill -9 of idle workers while the pool grows: no request fails"""
    with Downstream() as target:
        front = start_front(reloads.NginxKeepalive, target, workers=24,
                            process_model="dynamic", spare_workers=4,
                            idle_timeout="10m")
        crowds, kills = [], 0
        for _ in range(4):
            crowds.append(hold_requests(front, target, 4))
            idle = kit.until("spare ones are there",
                             lambda: front.pool.workers("idle")[:2])
            for pid in idle:
                os.kill(pid, signal.SIGKILL)
            kills += len(idle)
            front.pool.wait_for_count("exits_signal", kills)
        target.release()
        for crowd in crowds:
            tap.equal(crowd.wait(), {OK: 4}, "the answers")
        all_is_well(front, kills)
        front.stop()


@tap.test
def reloads_while_it_grows():
    """reloads while the pool grows and shrinks: no request fails"""
    for front_class in FRONTS:
        front = front_class({"sum": {}}, workers=8, process_model="ondemand",
                            idle_timeout="200ms", max_requests=100)
        steady = Crowd(front, 2)
        for turn in range(6):
            crowd = Crowd(front, 24, turns=5)
            tap.equal(reloads.reload(front.pool), turn + 2, "the generation")
            crowd.wait()
            tap.equal(crowd.lost, [], "broken connections")
            tap.equal(list(crowd.answers), [(200, b'{"sum":42}')], "answers")
        only_good_answers(steady, (200, b'{"sum":42}'))
        wait_for(front, 0)
        all_is_well(front)
        front.stop()


@tap.test
def a_stop_at_nobody():
    """a stop while nobody is there, and while somebody comes"""
    pool = Pool(process_model="ondemand", workers=4)
    pool.stop()
    for _ in range(10):
        pool = Pool(process_model="ondemand", workers=4)
        got = []
        client = threading.Thread(
            target=lambda p=pool, g=got: g.append(p.post(SAMPLE).status))
        client.start()
        kit.until("a worker is asked for",
                  lambda p=pool: p.status()["supervisor"]["workers_wanted"])
        pool.stop()
        client.join()
        tap.equal(got, [200], "the status of what came before the stop")


@tap.test
def settings_that_do_not_fit():
    """min_workers over workers, ondemand without workers: refused"""
    for settings, word in (({"process_model": "dynamic", "workers": 4,
                             "min_workers": 5}, "min_workers"),
                           ({"process_model": "ondemand", "workers": 0},
                            "process_model")):
        options = [f"-spool.{name}={value}"
                   for name, value in settings.items()]
        status, _, errors = run_tallyd("-t", *options)
        tap.equal(status, 78, "the exit status")
        tap.contains(errors, word, "the complaint")


sys.exit(kit.run())

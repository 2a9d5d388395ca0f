#!/usr/bin/env python3
"""Web servers that keep their connections, with conf/ as it is shipped: as many
connections as they like for any number of workers, and nothing fails."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import kills
import tap
from crowd import Crowd
from downstream import Downstream

OK = (200, b'{"ok":true}')
SUM = (200, b'{"sum":42}')
CLIENTS, TURNS = 32, 25


class NginxMany(fronts.NginxKeepalive):
    upstream = "keepalive 16;"  # four times the workers


class NginxFew(fronts.NginxKeepalive):
    upstream = "keepalive 2;"  # a fourth of the workers


def serve_a_crowd(front_class, workers):
    """More clients than workers: all are answered; gives the pool's status
    afterwards."""
    with Downstream() as down:
        front = front_class({"post": {"downstream": down.url},
                                   "sum": {"path": "/sum"}}, workers=workers)
        posts = Crowd(front, CLIENTS, TURNS)
        sums = Crowd(front, 4, TURNS, path="/sum")
        for crowd, count, wanted in ((posts, CLIENTS, OK), (sums, 4, SUM)):
            tap.equal(dict(crowd.wait()), {wanted: count * TURNS},
                      "the answers")
            tap.equal(crowd.lost, [], "broken connections")
        tap.equal(len(down.take()), CLIENTS * TURNS, "posts")
        status = front.pool.status()
        tap.equal(status["requests"], (CLIENTS + 4) * TURNS, "requests")
        tap.equal(status["counters"]["park_errors"], 0, "park_errors")
        front.stop()
        return status["counters"]


def keeps_connections(counters):
    all_requests = (CLIENTS + 4) * TURNS
    tap.check(counters["kept"] > all_requests / 2,
              f"{counters['kept']} of {all_requests} requests came on a kept "
              f"connection; {counters['connections']} connections were made")


@tap.test
def nginx_keeps_four_times_as_many_as_there_are_workers():
    """nginx, keepalive 16, 4 workers, 36 clients: all are served"""
    keeps_connections(serve_a_crowd(NginxMany, workers=4))


@tap.test
def nginx_keeps_a_fourth_of_the_workers():
    """nginx, keepalive 2, 8 workers, 36 clients: all are served"""
    counters = serve_a_crowd(NginxFew, workers=8)
    tap.check(counters["kept"] > 0, "no request came on a kept connection")


@tap.test
def apache_with_enablereuse():
    """Apache, enablereuse=on, 4 workers, 36 clients: all are served"""
    keeps_connections(serve_a_crowd(fronts.ApacheProxy, workers=4))


@tap.test
def haproxy_with_keep_conn():
    """HAProxy, keep-conn, 4 workers, 36 clients: all are served"""
    keeps_connections(serve_a_crowd(fronts.Haproxy, workers=4))


def idle_links_survive_work(front_class):
    """What is kept while others work is there afterwards."""
    front = front_class({"sum": {"path": "/sum"}}, workers=2)
    for _turn in range(3):
        crowd = Crowd(front, 8, 10, path="/sum")
        tap.equal(dict(crowd.wait()), {SUM: 80}, "the answers")
        tap.equal(crowd.lost, [], "broken connections")
    def no_other_is_closed():
        status = front.pool.status()
        counters = status["counters"]
        return (counters["connections"] - counters["closed"]
                == status["connections"])
    kit.until("nothing is closed but by the web server", no_other_is_closed)
    tap.equal(front.pool.count("idle_closed"), 0, "idle_closed")
    front.stop()


@tap.test
def rounds_of_work_and_idleness():
    """nginx: no kept connection is closed by the pool between its requests"""
    idle_links_survive_work(NginxMany)


@tap.test
def killed_workers_cost_what_they_had_in_hand():
    """nginx, 64 clients, a worker killed every 100 ms: no more requests fail
    than workers were killed at work"""
    with Downstream() as down:
        front = NginxMany({"main": {"downstream": down.url}}, workers=8)
        front.pool.wait_for_workers()
        crowd = Crowd(front, 64)
        with kills.Killer(front.pool.pid, 0.1) as killer:
            kit.until("20 workers are killed", lambda: killer.killed >= 20)
        answers = crowd.stop()
        failed = sum(count for answer, count in answers.items()
                     if answer != OK)
        tap.equal(crowd.lost, [], "connections of clients that broke")
        tap.check({answer[0] for answer in answers} <= {200, 502},
                  f"the answers: {answers}")
        tap.check(failed <= killer.serving, f"{failed} requests failed, "
                  f"{killer.serving} workers were killed at work")
        tap.check(answers[OK] > 0, "nothing was served")
        # What was posted and not answered was in the hands of the killed.
        unanswered = len(down.take()) - answers[OK]
        tap.check(0 <= unanswered <= killer.serving,
                  f"{unanswered} posts have no answer")
        front.pool.wait_for_workers()
        again = Crowd(front, 16, 5)
        tap.equal(dict(again.wait()), {OK: 80}, "the answers afterwards")
        front.stop()


sys.exit(kit.run())

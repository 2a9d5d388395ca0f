#!/usr/bin/env python3
"""Workers that make room for fresh ones: max_requests, max_age, max_rss."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import reloads
import tap
from crowd import Crowd
from pool import SAMPLE, Pool, serves


def well(pool):
    """No start was waited for, no worker ended otherwise."""
    tap.equal(pool.log_lines("the next start is in"), [], "starts put off")
    status = pool.status()
    tap.equal((status["supervisor"]["exits_status"],
               status["supervisor"]["exits_signal"]), (0, 0), "bad ends")


@tap.test
def max_requests_is_exact():
    """max_requests: no worker serves one more"""
    with Pool(workers=1, max_requests=3) as pool:
        for turn in range(12):
            serves(pool)
            pool.wait_for_count("recycled_requests", (turn + 1) // 3)
            tap.equal(pool.count("recycled_requests"), (turn + 1) // 3,
                      f"workers that left after {turn + 1} requests")
        kit.until("five were started", lambda: pool.count("forks") == 5)
        tap.check(re.search(r"after 3 requests in \d+ s: max_requests",
                            pool.log()), pool.log())
        well(pool)


@tap.test
def they_do_not_leave_together():
    """max_requests = 200: each worker has a limit of its own, 180 to 200"""
    with Pool(workers=1, max_requests=200, log_level="info") as pool:
        with pool.link() as link:
            for _ in range(1500):
                link.send(fastcgi.request(SAMPLE, keep=True))
                tap.equal(link.read_reply().status, 200, "the status")
        tap.equal(pool.count("connections"), 1, "connections")
        ends = [int(line.split(" requests in")[0].rsplit(" ", 1)[1])
                for line in pool.log_lines("max_requests")]
        tap.check(len(ends) >= 7 and min(ends) >= 180 and max(ends) <= 200,
                  f"they left after {ends}")
        tap.check(len(set(ends)) > 1, f"all left after {ends}")
        well(pool)


@tap.test
def max_age_ends_idle_ones():
    """max_age: an idle worker leaves, too"""
    with Pool(workers=2, max_age="1s") as pool:
        before = pool.wait_for_workers()
        pool.wait_for_workers(2, besides=before)
        tap.check(pool.count("recycled_age") >= 2, "they were not counted")
        serves(pool)
        well(pool)


@tap.test
def max_rss_is_looked_at():
    """max_rss: a worker that has more leaves after its request"""
    with Pool(workers=1, max_rss="1m") as pool:
        before = pool.wait_for_workers()
        serves(pool)
        pool.wait_for_workers(1, besides=before)
        tap.check(pool.count("recycled_rss") >= 1, "it was not counted")
        serves(pool)
        well(pool)


@tap.test
def no_limit_is_none():
    """without limits nobody leaves; nor without a supervisor"""
    with Pool(workers=2) as pool:
        before = pool.wait_for_workers()
        for _ in range(50):
            serves(pool)
        tap.equal(pool.workers(), before, "the workers")
    with Pool(workers=0, max_requests=1) as pool:
        for _ in range(5):
            serves(pool)


def no_request_fails(front_class):
    front = front_class({"sum": {}}, workers=4, max_requests=20,
                        log_level="info")
    answers = Crowd(front, 16, 100)
    tap.equal(dict(answers.wait()), {(200, b'{"sum":42}'): 1600}, "the answers")
    tap.equal(answers.lost, [], "broken connections")
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    tap.check(front.pool.count("recycled_requests") >= 1600 // 20 - 4,
              "too few have left")
    well(front.pool)
    front.stop()


@tap.test
def behind_nginx():
    """a connection for each request, max_requests = 20: none fails"""
    no_request_fails(reloads.Nginx)


@tap.test
def behind_nginx_with_kept_connections():
    """kept connections, max_requests = 20: none fails"""
    no_request_fails(reloads.NginxKeepalive)


sys.exit(kit.run())

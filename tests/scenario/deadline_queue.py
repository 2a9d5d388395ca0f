#!/usr/bin/env python3
"""queue_timeout and queue_limit: who has waited for too long gets a 503 at
once, and nobody else does."""

import contextlib
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import fronts
import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool

PART = fastcgi.record(fastcgi.STDIN, SAMPLE[:9])


@contextlib.contextmanager
def busy_pool(**settings):
    """(pool, downstream, links): a pool whose only worker has a request, the
    one of links, until the downstream is released; serves at the end."""
    with Downstream() as down, Pool({"main": {"downstream": down.url}},
                                    workers=1, **settings) as pool:
        pool.wait_for_workers()
        down.hold()
        links = ask(pool, 1)
        down.wait_for(1)
        yield pool, down, links
        down.answer = Answer()
        kit.until("it is served again",
                  lambda: pool.post(SAMPLE).status == 200)


def ask(pool, count, **more):
    """So many requests, each on a new connection."""
    links = [pool.link(limit=60) for _ in range(count)]
    for link in links:
        link.send(fastcgi.request(SAMPLE, **more))
    return links


def outcomes(links):
    """How many of them ended in which way."""
    counts = {}
    for link in links:
        with link:
            reply = link.read_reply()
        name = "ok" if reply.status == 200 else reply.json()["outcome"]
        if reply.status != 200:
            tap.equal(reply.status, 503, "the status")
            tap.check(int(reply.headers["retry-after"]) >= 1, "Retry-After")
        counts[name] = counts.get(name, 0) + 1
    return counts


def slowly(seconds):
    """An answer that takes its time."""
    def answer(_request, _link):
        time.sleep(seconds)  # this is the fault, not a wait for something
        return Answer()
    return answer


@tap.test
def whoever_has_waited_for_too_long():
    """Without a stamp, by what the kernel says of the queue"""
    with busy_pool(queue_timeout="200ms") as (pool, down, links):
        links += ask(pool, 30)
        # The second is served as before, and finds how many wait.
        down.answer = slowly(0.3)
        down.release()
        counts = outcomes(links)
        tap.check(counts.get("queue_timeout", 0) >= 20, f"{counts}")
        tap.check(counts["ok"] >= 2, f"{counts}")
        tap.equal(sum(counts.values()), 31, "replies")
        tap.equal(counts["ok"], len(down.requests), "posts")
        tap.equal(pool.count("queue_timeout"), counts["queue_timeout"],
                  "queue_timeout")


@tap.test
def nobody_else():
    """A queue that moves fast enough loses nobody"""
    with busy_pool(queue_timeout="60s", queue_limit=100) as (pool, down, links):
        links += ask(pool, 90)
        down.answer = slowly(0.01)
        down.release()
        tap.equal(outcomes(links), {"ok": 91}, "outcomes")


@tap.test
def by_default_everybody_waits():
    with busy_pool() as (pool, down, links):
        links += ask(pool, 60, QUEUED_AT=f"{time.time() - 9:.3f}")
        down.release()
        tap.equal(outcomes(links), {"ok": 61}, "outcomes")


@tap.test
def a_stamp_is_exact():
    """QUEUED_AT, as nginx sets it, also on a kept connection"""
    with busy_pool(queue_timeout="200ms") as (pool, down, links):
        down.release()
        tap.equal(outcomes(links), {"ok": 1}, "the first")
        with pool.link() as kept:
            kept.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(kept.read_reply().status, 200, "the status")
            down.hold()
            second = ask(pool, 1)
            down.wait_for(3)
            stamp = f"{time.time():.3f}"
            kept.send(fastcgi.request(SAMPLE, keep=True, QUEUED_AT=stamp))
            others = ask(pool, 3, QUEUED_AT=stamp)
            time.sleep(0.25)  # time passing is what is tested
            down.release()
            reply = kept.read_reply()
            tap.equal((reply.status, reply.json()["outcome"]),
                      (503, "queue_timeout"), "the reply")
            # Its body was there, so the connection is kept.
            kept.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(kept.read_reply().status, 200, "the status")
        tap.equal(outcomes(second), {"ok": 1}, "the second")
        tap.equal(outcomes(others), {"queue_timeout": 3}, "the others")


@tap.test
def a_stamp_of_another_clock_is_not_believed():
    """Workers that wait know that no request does"""
    with Pool(workers=1, queue_timeout="5s") as pool:
        pool.wait_for_workers()
        for _turn in range(3):
            pool.wait_for_sleep()
            time.sleep(0.05)  # time passing is what is tested
            stamp = f"{time.time() - 60:.3f}"
            tap.equal(pool.post(SAMPLE, QUEUED_AT=stamp).status, 200, stamp)
        tap.equal(len(pool.log_lines("the web server's clock is not ours")), 1,
                  "lines")


@tap.test
def nonsense_is_no_stamp():
    with busy_pool(queue_timeout="10ms") as (pool, down, links):
        for stamp in "0", "1.5", "x" * 5000, "9" * 30 + ".000", "-1.000":
            links += ask(pool, 1, QUEUED_AT=stamp)
        down.release()
        outcomes(links)
        tap.equal(pool.workers(), pool.wait_for_workers(), "the workers")


@tap.test
def a_queue_that_is_too_long():
    with busy_pool(queue_limit=10) as (pool, down, links):
        links += ask(pool, 40)
        down.answer = slowly(0.05)
        down.release()
        counts = outcomes(links)
        tap.check(counts.get("queue_limit", 0) >= 20, f"{counts}")
        # As many as may wait were served, at least.
        tap.check(counts["ok"] >= 11, f"{counts}")
        tap.equal(sum(counts.values()), 41, "replies")


@tap.test
def a_body_that_is_not_there_is_not_waited_for():
    with busy_pool(queue_timeout="200ms") as (pool, down, links):
        pairs = fastcgi.parameters(SAMPLE, QUEUED_AT=f"{time.time():.3f}")
        with pool.link() as link:
            link.send(fastcgi.begin() + fastcgi.stream(
                fastcgi.PARAMS, fastcgi.pack_pairs(pairs)) + PART)
            time.sleep(0.25)  # time passing is what is tested
            down.release()
            reply = link.read_reply()
            tap.equal((reply.status, reply.json()["outcome"]),
                      (503, "queue_timeout"), "the reply")
            tap.check(link.at_end(), "the connection was not closed")
        tap.equal(outcomes(links), {"ok": 1}, "the first")
        tap.equal(len(down.take()), 1, "posts")


@tap.test
def what_is_wrong_anyway_is_told_as_that():
    with busy_pool(queue_timeout="200ms") as (pool, down, links):
        stamp = f"{time.time():.3f}"
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE, method="GET", QUEUED_AT=stamp))
            time.sleep(0.25)  # time passing is what is tested
            down.release()
            tap.equal(link.read_reply().status, 405, "the status")
        tap.equal(outcomes(links), {"ok": 1}, "the first")


@tap.test
def whoever_has_waited_for_a_connection_to_end():
    """At max_connections workers are idle, and yet a request waits: its stamp
    is believed"""
    with Pool(workers=2, max_connections=4, queue_timeout="200ms") as pool:
        kept = [pool.link() for _ in range(4)]
        for link in kept:
            link.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(link.read_reply().status, 200, "the status")
        sent = time.time()
        links = ask(pool, 1, QUEUED_AT=f"{sent:.3f}")
        pool.wait_for_count("full", 1)
        kit.until("it has waited", lambda: time.time() > sent + 0.4)
        kept[0].close()
        tap.equal(outcomes(links), {"queue_timeout": 1}, "the outcome")
        tap.equal(pool.log_lines("not believed"), [], "complaints")


@tap.test
def through_nginx():
    """With the file that is shipped, which sends the stamp"""
    with Downstream() as down:
        front = fronts.Nginx({"main": {"downstream": down.url}}, workers=1,
                             queue_timeout="300ms",
                             status_listen=kit.fresh_path("status.sock"))
        down.hold()
        replies = []

        def client():
            replies.append(front.post("/", SAMPLE))
        threads = [threading.Thread(target=client) for _ in range(9)]
        threads[0].start()
        down.wait_for(1)
        for thread in threads[1:]:
            thread.start()
        kit.until("all have come to nginx",
                  lambda: "8 of 1024" in front.pool.page("/status").text)
        time.sleep(0.35)  # time passing is what is tested
        down.release()
        for thread in threads:
            thread.join()
        tap.equal(sorted(reply.status for reply in replies), [200] + [503] * 8,
                  "statuses")
        refused = [reply for reply in replies if reply.status == 503]
        tap.equal({reply.json()["outcome"] for reply in refused},
                  {"queue_timeout"}, "outcomes")
        tap.check(all(int(reply.headers["retry-after"]) >= 1
                      for reply in refused), "Retry-After")
        tap.equal(len(down.requests), 1, "posts")
        tap.contains(front.pool.page("/status").text,
                     "8 requests of the last minute were not served", "/status")
        tap.contains(front.pool.page("/metrics").text,
                     'outcome="queue_timeout",status="503"} 8', "/metrics")
        kit.until("it is served again",
                  lambda: front.post("/", SAMPLE).status == 200)
        front.stop()


sys.exit(kit.run())

#!/usr/bin/env python3
"""What still waits when a pool stops is served, though the worker that was to
do it is gone; when there is no time left it is told so, and not just cut."""

import contextlib
import json
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from downstream import Downstream
from peers import FullBacklog
from pool import SAMPLE, Pool
from shortage import Descriptors, need_plain_program
from stuck import Stuck


def pool_of_one(down, endpoint=None, **settings):
    return Pool({"main": {"downstream": down.url, "timeout": "60s",
                          **(endpoint or {})}},
                workers=1, **{"drain_timeout": "60s", **settings})


def send(pool, count=1):
    """Send as many requests, each over its own connection."""
    links = [pool.link(limit=30) for _ in range(count)]
    for link in links:
        link.send(fastcgi.request(SAMPLE))
    return links


def expect(links, body):
    for link in links:
        with link:
            tap.equal(link.read_reply().body, body, "the reply")


def are_told(links):
    """503, to ask again: nothing was done with it."""
    for link in links:
        with link:
            reply = link.read_reply()
            tap.equal((reply.status, reply.headers["retry-after"]), (503, "1"),
                      "the reply")
            tap.equal(json.loads(reply.body)["outcome"], "draining",
                      "the problem")


def was_in_hand(link):
    """504: it may have been posted, and nobody waits any longer."""
    with link:
        reply = link.read_reply()
        tap.equal((reply.status, reply.json()["outcome"]),
                  (504, "downstream_timeout"), "the reply")


def is_cut(link):
    with link:
        try:
            reply = link.read_reply()
        except (fastcgi.Broken, ConnectionResetError):
            return
        raise tap.Failure(f"there is a reply: {reply.status}")


@tap.test
def a_worker_that_was_about_to_leave():
    """It has reached max_requests when the pool is told to stop"""
    leaving = Stuck(workers=1, max_requests=1, drain_timeout="60s")
    with leaving.served as pool:
        pool.wait_for_workers()
        leaving.get("leave all")
        expect(send(pool), b'{"sum":42}')
        pool.wait_for_log("makes room for a fresh worker")
        links = send(pool, 3)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining: 1 workers")
        leaving.no_more()
        expect(links, b'{"sum":42}')
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def a_worker_that_dies_while_it_drains():
    with Downstream() as down, pool_of_one(down) as pool:
        worker, = pool.wait_for_workers()
        down.hold()
        in_hand, = send(pool)
        down.wait_for(1)
        links = send(pool, 3)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining: 1 workers")
        os.kill(worker, signal.SIGKILL)
        is_cut(in_hand)
        down.release()
        expect(links, b'{"ok":true}')
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(len(down.requests), 4, "posts")


@tap.test
def all_that_die_while_they_drain():
    """Each costs the request it had"""
    with Downstream() as down, pool_of_one(down) as pool:
        pool.wait_for_workers()
        down.hold()
        links = send(pool)
        down.wait_for(1)
        links += send(pool, 3)
        killed = []
        for count in 1, 2, 3:
            # The scoreboard may still have the number of the one before.
            worker = kit.until("one is at it", lambda: [
                pid for pid in pool.workers("posting") if pid not in killed])
            if count == 1:
                pool.process.send(signal.SIGTERM)
                pool.wait_for_log("draining: 1 workers")
            os.kill(worker[0], signal.SIGKILL)
            killed += worker
            down.wait_for(count + 1)
        down.release()
        expect(links[3:], b'{"ok":true}')
        for link in links[:3]:
            is_cut(link)
        tap.equal(pool.process.wait(), 0, "the exit status")


def waits_in_vain(endpoint=None, **settings):
    """One request hangs until drain_timeout; the others wait in the listener's
    queue and on a kept connection."""
    with Downstream() as down, pool_of_one(
            down, endpoint, log_level="info", **settings) as pool:
        kept = pool.link(limit=30)
        kept.send(fastcgi.request(SAMPLE, keep=True))
        tap.equal(kept.read_reply().body, b'{"ok":true}', "the reply")
        down.hold()
        in_hand, = send(pool)
        down.wait_for(2)
        kept.send(fastcgi.request(SAMPLE, keep=True))
        links = send(pool, 3) + [kept]
        pool.process.send(signal.SIGTERM)
        are_told(links)
        was_in_hand(in_hand)
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(len(pool.log_lines("outcome=draining status=503")), 4,
                  "lines of the log")
        tap.equal(len(down.requests), 2, "posts")


@tap.test
def on_a_unix_socket_it_is_told():
    waits_in_vain(drain_timeout="500ms")


@tap.test
def on_a_tcp_socket_it_is_told():
    waits_in_vain(drain_timeout="500ms",
                  listen=f"{kit.HOST}:{kit.free_port()}")


@tap.test
def through_libcurl_alone_it_is_told():
    """downstream_client = libcurl: a wait for the downstream ends as well"""
    waits_in_vain({"downstream_client": "libcurl"}, drain_timeout="500ms")


@tap.test
def while_it_connects_it_is_told():
    """A downstream that neither accepts nor refuses: nothing was posted"""
    for client in "direct", "libcurl":
        with FullBacklog() as full, Pool(
                {"main": {"downstream": full.url, "connect_timeout": "1h",
                          "downstream_client": client}},
                workers=1, drain_timeout="500ms") as pool:
            pool.wait_for_workers()
            in_hand, = send(pool)
            kit.until("it is at it", lambda: pool.workers("posting"))
            pool.process.send(signal.SIGTERM)
            was_in_hand(in_hand)
            tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def without_any_time_it_is_told():
    waits_in_vain(drain_timeout="0s")


@tap.test
def a_body_that_does_not_come_is_told():
    """A worker reads it when drain_timeout is over: nothing was posted"""
    with Downstream() as down, pool_of_one(down, drain_timeout="300ms",
                                           body_timeout="1h") as pool:
        pool.wait_for_workers()
        link = pool.link(limit=30)
        link.send(fastcgi.request(SAMPLE)[:-20])
        kit.until("it is read", lambda: pool.workers("reading"))
        pool.process.send(signal.SIGTERM)
        are_told([link])
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(len(down.requests), 0, "posts")


@tap.test
def a_worker_that_is_stuck_is_killed():
    """It is stopped in a request when drain_timeout is over; the others wait
    for the rest of them"""
    with Downstream() as down, pool_of_one(down,
                                           drain_timeout="300ms") as pool:
        worker, = pool.wait_for_workers()
        down.hold()
        in_hand, = send(pool)
        down.wait_for(1)
        links = send(pool, 3)
        os.kill(worker, signal.SIGSTOP)
        pool.process.send(signal.SIGTERM)
        are_told(links)
        is_cut(in_hand)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def one_that_never_comes_holds_nobody_up():
    """A connection that is silent, when the rest is told"""
    with Downstream() as down, pool_of_one(
            down, drain_timeout="300ms", first_byte_timeout="1h") as pool:
        pool.wait_for_workers()
        with pool.link(limit=30) as silent:
            pool.wait_for_count("connections", 1)
            down.hold()
            in_hand, = send(pool)
            down.wait_for(1)
            links = send(pool)
            pool.process.send(signal.SIGTERM)
            are_told(links)
            was_in_hand(in_hand)
            tap.equal(pool.process.wait(), 0, "the exit status")
            tap.check(silent.at_end(), "the silent one is still open")


@tap.test
def all_workers_stay_until_the_end():
    """One request is in hand: the others serve what comes on connections that
    there are"""
    with Downstream() as down, Pool(
            {"slow": {"path": "/slow", "downstream": down.url},
             "fast": {"path": "/fast"}}, workers=3) as pool:
        workers = pool.wait_for_workers()
        down.hold()
        with pool.link(limit=30) as slow, contextlib.ExitStack() as links:
            slow.send(fastcgi.request(SAMPLE, path="/slow"))
            down.wait_for(1)
            # Each has 5 s for its first request; kept, a second for its next.
            others = [links.enter_context(pool.link(limit=30))
                      for _ in range(20)]
            pool.wait_for_count("connections", 21)
            pool.process.send(signal.SIGTERM)
            pool.wait_for_log("draining: 3 workers")
            for other in others:
                other.send(fastcgi.request(SAMPLE, path="/fast", keep=True))
            for other in others:
                tap.equal(other.read_reply().body, b'{"sum":42}', "the reply")
            tap.equal(pool.workers(), workers, "workers")
            for other in others:
                tap.check(other.at_end(), "a kept connection is still open")
            tap.equal(pool.workers(), workers, "workers")
            down.release()
            tap.equal(slow.read_reply().body, b'{"ok":true}', "the reply")
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def a_busy_kept_connection_is_closed_after_a_reply():
    """...when less than a second of drain_timeout is left, and not before"""
    with Downstream() as down, Pool(
            {"slow": {"path": "/slow", "downstream": down.url},
             "fast": {"path": "/fast"}}, workers=2, drain_timeout="2s") as pool:
        pool.wait_for_workers()
        down.hold()
        with pool.link(limit=30) as link:
            # At a request, it has not been silent when the drain begins.
            link.send(fastcgi.request(SAMPLE, path="/slow", keep=True))
            down.wait_for(1)
            began = time.monotonic()
            pool.process.send(signal.SIGTERM)
            pool.wait_for_log("draining: 2 workers")
            down.release()
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
            try:
                while True:
                    link.send(fastcgi.request(SAMPLE, path="/fast", keep=True))
                    tap.equal(link.read_reply().body, b'{"sum":42}',
                              "the reply")
            except (fastcgi.Broken, BrokenPipeError):
                took = time.monotonic() - began
            tap.check(took >= 1, f"it was closed after {took:.2f} s")
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(pool.log_lines("drain_timeout is over"), [], "lines")


def keep_unshared(pool, worker):
    """A connection that the kernel does not let the worker share: (link,
    descriptors)."""
    descriptors = Descriptors(worker)
    descriptors.leave(1)
    link = pool.link(limit=30)
    link.send(fastcgi.request(SAMPLE, keep=True))
    tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
    pool.wait_for_count("park_errors", 1)
    return link, descriptors


@tap.test
def a_worker_that_keeps_a_connection_obeys():
    """TERM for a worker that cannot share its connection: it leaves"""
    need_plain_program()
    with Pool(workers=1, max_connections=8, keepalive_idle="1h") as pool:
        worker, = pool.wait_for_workers()
        link, _descriptors = keep_unshared(pool, worker)
        with link:
            os.kill(worker, signal.SIGTERM)
            pool.wait_for_workers(1, besides=[worker])
            tap.check(link.at_end(), "its connection is still open")


@tap.test
def a_head_on_a_connection_that_cannot_be_shared():
    """TERM: it has time for the rest of it"""
    need_plain_program()
    with Pool(workers=1, max_connections=8) as pool:
        worker, = pool.wait_for_workers()
        link, _descriptors = keep_unshared(pool, worker)
        with link:
            whole = fastcgi.request(SAMPLE, keep=True)
            errors = pool.count("park_errors")
            link.send(whole[:20])
            pool.wait_for_count("park_errors", errors + 3)
            pool.process.send(signal.SIGTERM)
            pool.wait_for_log("draining")
            errors = pool.count("park_errors")
            pool.wait_for_count("park_errors", errors + 3)
            link.send(whole[20:])
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def an_interrupt_tells_nobody():
    with Downstream() as down, pool_of_one(down) as pool:
        pool.wait_for_workers()
        down.hold()
        links = send(pool)
        down.wait_for(1)
        links += send(pool, 2)
        pool.process.send(signal.SIGINT)
        for link in links:
            is_cut(link)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def workers_that_do_not_start_any_more():
    """A stop does not try for ever"""
    hanging = Stuck(how="deaf all", workers=1, start_timeout="1s",
                    drain_timeout="1h")
    with hanging.served as pool:
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(60), 0, "the exit status")
        tap.equal(len(pool.log_lines("does not get to serve and is killed")), 1,
                  "workers killed")


sys.exit(kit.run())

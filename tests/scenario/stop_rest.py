#!/usr/bin/env python3
"""What still waits when a pool stops is served, though the worker that was to
do it is gone; when there is no time left it is told so, and not just cut."""

import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from downstream import Downstream
from pool import SAMPLE, Pool
from stuck import Stuck


def pool_of_one(down, **settings):
    return Pool({"main": {"downstream": down.url, "timeout": "60s"}},
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
        for count in 1, 2, 3:
            worker = kit.until("one is at it", lambda: [
                one["pid"] for one in pool.status()["workers"]
                if one["state"] == "posting"])
            if count == 1:
                pool.process.send(signal.SIGTERM)
                pool.wait_for_log("draining: 1 workers")
            os.kill(worker[0], signal.SIGKILL)
            down.wait_for(count + 1)
        down.release()
        expect(links[3:], b'{"ok":true}')
        for link in links[:3]:
            is_cut(link)
        tap.equal(pool.process.wait(), 0, "the exit status")


def waits_in_vain(**settings):
    """One request hangs until drain_timeout; the others wait in the listener's
    queue and on a kept connection."""
    with Downstream() as down, pool_of_one(
            down, log_level="info", **settings) as pool:
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
        is_cut(in_hand)
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
def without_any_time_it_is_told():
    waits_in_vain(drain_timeout="0s")


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
            is_cut(in_hand)
            tap.equal(pool.process.wait(), 0, "the exit status")
            tap.check(silent.at_end(), "the silent one is still open")


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

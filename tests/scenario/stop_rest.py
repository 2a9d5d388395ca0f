#!/usr/bin/env python3
"""What still waits when a pool stops is served, though the worker that was to
do it is gone."""

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

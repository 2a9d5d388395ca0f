#!/usr/bin/env python3
"""Workers that die cost the requests they had in hand; the pool has its size
again, and a crash loop never spins."""

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


def worker_that_posts(pool):
    """The pid of the one worker that waits for the downstream."""
    posting = kit.until("a worker posts", lambda: pool.workers("posting"))
    tap.equal(len(posting), 1, "workers that post")
    return posting[0]


@tap.test
def a_killed_worker_costs_its_request():
    """a worker killed in mid-request: that request fails and no other, and
    the pool has its size again"""
    with Downstream() as down, Pool({"main": {"downstream": down.url}},
                                    workers=3) as pool:
        workers = pool.wait_for_workers()
        down.hold()
        first = pool.link()
        first.send(fastcgi.request(SAMPLE))
        down.wait_for(1)
        victim = worker_that_posts(pool)
        others = [pool.link() for _ in range(2)]
        for link in others:
            link.send(fastcgi.request(SAMPLE))
        down.wait_for(3)
        os.kill(victim, signal.SIGKILL)
        try:
            raise tap.Failure(f"a reply: {first.read_reply().status}")
        except fastcgi.Broken:
            first.close()
        down.release()
        for link in others:
            with link:
                tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        after = pool.wait_for_workers(3, besides=[victim])
        tap.equal(set(workers) - set(after), {victim}, "workers replaced")
        tap.equal(pool.count("exits_signal"), 1, "exits by a signal")
        tap.equal(len(pool.log_lines("warn", f"pid {victim}", "signal 9")), 1,
                  "log lines")
        tap.equal(pool.count("downstream_posts"), 2, "posts that were counted")


@tap.test
def through_nginx_it_is_one_502():
    """through nginx a killed worker is one 502; all others are answered"""
    with Downstream() as down:
        front = fronts.Nginx({"main": {"downstream": down.url}}, workers=3)
        statuses = []

        def client():
            statuses.append(front.post("/", SAMPLE).status)
        down.hold()
        first = threading.Thread(target=client)
        first.start()
        down.wait_for(1)
        victim = worker_that_posts(front.pool)
        rest = [threading.Thread(target=client) for _ in range(8)]
        for thread in rest:
            thread.start()
        down.wait_for(3)
        os.kill(victim, signal.SIGKILL)
        first.join()
        down.release()
        for thread in rest:
            thread.join()
        tap.equal(sorted(statuses), [200] * 8 + [502], "statuses")
        tap.equal(len(down.requests), 9, "posts")
        front.stop()


@tap.test
def each_kind_of_death_is_survived():
    """workers that end by SEGV, ABRT, TERM, KILL are replaced"""
    # The sanitizer is not to take our signals for its own findings.
    plain = {"ASAN_OPTIONS": "handle_segv=0:handle_sigbus=0:handle_abort=0"}
    with Pool(workers=2, env=plain) as pool:
        numbers = [signal.SIGABRT, signal.SIGTERM, signal.SIGKILL]
        if not kit.WRAPPER:  # valgrind waits for faults of its own
            numbers += [signal.SIGSEGV, signal.SIGBUS]
        for number in numbers:
            workers = pool.wait_for_workers()
            serves(pool)
            # Alive for a second, or a request begun: a good start.
            os.kill(workers[0], number)
            pool.wait_for_workers(2, besides=workers[:1])
            serves(pool)
        tap.equal(pool.process.status(), None, "the exit status so far")


@tap.test
def a_crash_loop_does_not_spin():
    """workers killed on sight: starts get rare, and the pool gets over it"""
    with Pool(workers=2) as pool:
        pool.wait_for_workers()
        before = procfs.cpu_seconds(pool.pid)
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            for pid in procfs.children_of(pool.pid):
                procfs.kill(pid)
            time.sleep(0.005)
        used = procfs.cpu_seconds(pool.pid) - before
        forks = pool.count("forks")
        tap.check(forks < 20, f"{forks} forks")
        tap.check(used < 1, f"{used:.2f} s of CPU in 2.5 s")
        pool.wait_for_log("the next start is in")
        pool.wait_for_workers(2, limit=12)
        serves(pool)
        tap.equal(pool.process.status(), None, "the exit status so far")


@tap.test
def stopping_within_a_crash_loop():
    """TERM while the next start has to wait ends the pool at once"""
    with Pool(workers=1, drain_timeout="1h") as pool:
        for _turn in range(4):
            pid, = kit.until("a worker is there", lambda: [
                pid for pid in procfs.children_of(pool.pid)
                if procfs.is_alive(pid)])
            procfs.kill(pid)
            kit.until("it is gone", lambda: not procfs.is_alive(pid))
        pool.stop()


sys.exit(kit.run())

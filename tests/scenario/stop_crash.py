#!/usr/bin/env python3
"""What goes wrong with processes and descriptors costs the requests it hits;
the pool gets over it and never spins."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
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
from pool import SAMPLE, Pool


def serves(pool):
    reply = pool.post(SAMPLE)
    tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")


def cpu_share(pid, seconds=1.0):
    """The share of one CPU a process uses, watched for a while."""
    before = procfs.cpu_seconds(pid)
    time.sleep(seconds)
    return (procfs.cpu_seconds(pid) - before) / seconds


def does_not_spin(pid):
    share = cpu_share(pid)
    tap.check(share < 0.2, f"process {pid} uses {share:.0%} of a CPU")


def worker_that_posts(pool):
    """The pid of the one worker that waits for the downstream."""
    posting = [worker["pid"] for worker in pool.status()["workers"]
               if worker["state"] == "posting"]
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
    reason = fronts.Nginx.missing()
    if reason:
        raise tap.Skip(reason)
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
    with Pool(workers=2) as pool:
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM,
                       signal.SIGKILL, signal.SIGBUS):
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
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        used = procfs.cpu_seconds(pool.pid) - before
        forks = pool.count("forks")
        tap.check(forks < 20, f"{forks} forks in 2.5 s")
        tap.check(used < kit.seconds(0.4), f"{used:.2f} s of CPU in 2.5 s")
        tap.contains(pool.log(), "the next start is in", "the log")
        pool.wait_for_workers(2, limit=12)
        serves(pool)
        tap.equal(pool.process.status(), None, "the exit status so far")


@tap.test
def stopping_within_a_crash_loop():
    """TERM while the next start has to wait ends the pool at once"""
    with Pool(workers=1, drain_timeout="60s") as pool:
        for _turn in range(4):
            pids = kit.until("a worker is there",
                             lambda: procfs.children_of(pool.pid))
            os.kill(pids[0], signal.SIGKILL)
            kit.until("it is gone", lambda: not procfs.is_alive(pids[0]))
        pool.stop(limit=2)


def user_nobody_has():
    """A user id without a process, so that RLIMIT_NPROC counts ours alone."""
    if os.geteuid() != 0:
        raise tap.Skip("only root can run as a user without other processes")
    return 1_000_000_000 + os.getpid()


def limited_pool(uid, processes, **settings):
    """A pool that may have so many processes."""
    place = kit.fresh_path("place")
    place.mkdir()
    os.chown(place, uid, uid)
    program = shutil.copy(kit.tallyd()[-1], place / "tallyd")
    pool = Pool(start=False, listen=place / "tallyd.sock",
                scoreboard=place / "scoreboard", **settings)
    pool.command = ["prlimit", f"--nproc={processes}:100", *become(uid),
                    *kit.WRAPPER, program, "-c", pool.config]
    return pool


def become(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def allow_forks(pool, uid):
    """Raise the limit, as the user the pool runs as: root may not always."""
    subprocess.run([*become(uid), "prlimit", "--nproc=50:", "--pid",
                    str(pool.pid)], check=True, timeout=10)


@tap.test
def a_fork_that_fails_is_tried_again():
    """RLIMIT_NPROC: the pool serves with the workers it could start, and
    starts the others when it can"""
    uid = user_nobody_has()
    pool = limited_pool(uid, 3, workers=4)
    with pool:
        pool.start()
        pool.wait_for_log("fork: ")
        tap.equal(len(pool.wait_for_workers(2)), 2, "workers")
        serves(pool)
        does_not_spin(pool.pid)
        tap.check(0 < pool.count("fork_errors") < 12, "fork_errors: "
                  f"{pool.count('fork_errors')}")
        allow_forks(pool, uid)
        pool.wait_for_workers(4, limit=12)
        serves(pool)


@tap.test
def not_one_fork_succeeds():
    """RLIMIT_NPROC: no worker at all; the supervisor waits for better times"""
    uid = user_nobody_has() + (1 << 23)
    pool = limited_pool(uid, 1, workers=2)
    with pool:
        pool.start()
        pool.wait_for_log("fork: ")
        with pool.link(20) as link:
            link.send(fastcgi.request(SAMPLE))
            does_not_spin(pool.pid)
            tap.equal(pool.process.status(), None, "the exit status so far")
            allow_forks(pool, uid)
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")


def need_plain_program():
    if kit.WRAPPER:
        raise tap.Skip("the wrapper needs descriptors of its own")


class Descriptors:
    """The soft limit of open files of a worker, lowered for a while."""

    def __init__(self, pid):
        self.pid = pid
        self.limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def leave(self, count):
        """Let it open `count` more: the lowest free numbers are used first."""
        used = set(map(int, os.listdir(f"/proc/{self.pid}/fd")))
        free = [number for number in range(max(used) + 2 + count)
                if number not in used]
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE,
                         (free[count], self.limits[1]))

    def restore(self):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.limits)


@tap.test
def out_of_descriptors_it_waits():
    """RLIMIT_NOFILE: a worker that can accept nothing does not spin, and
    serves again as soon as it can"""
    need_plain_program()
    with Pool(workers=1) as pool:
        worker, = pool.wait_for_workers()
        descriptors = Descriptors(worker)
        descriptors.leave(0)
        links = [pool.link(20) for _ in range(10)]
        for link in links:
            link.send(fastcgi.request(SAMPLE))
        pool.wait_for_count("accept_errors", 1)
        does_not_spin(worker)
        tap.check(pool.count("accept_errors") < 40, "accept_errors: "
                  f"{pool.count('accept_errors')}")
        tap.equal(len(pool.log_lines("warn", "accept: ")), 1, "warnings")
        descriptors.restore()
        for link in links:
            with link:
                tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
        tap.equal(pool.workers(), [worker], "workers")


@tap.test
def a_waiting_connection_without_a_descriptor():
    """RLIMIT_NOFILE: requests on connections that wait already are answered or
    lost, but take nothing with them"""
    need_plain_program()
    with Pool(workers=1, max_connections=8) as pool:
        worker, = pool.wait_for_workers()
        descriptors = Descriptors(worker)
        for turn in range(1, 4):
            links = [pool.link(20) for _ in range(6)]
            pool.wait_for_count("connections", 6 * turn)
            descriptors.leave(0)
            for link in links:
                link.send(fastcgi.request(SAMPLE))
            does_not_spin(worker)
            descriptors.restore()
            for link in links:
                link.close()
        for _turn in range(20):
            serves(pool)
        tap.equal(pool.workers(), [worker], "workers")


@tap.test
def too_few_descriptors_to_start():
    """RLIMIT_NOFILE too small for a pool: said at the start"""
    need_plain_program()
    for limit in 8, 12, 16, 24, 75:
        pool = Pool(workers=2, prefix=("prlimit", f"--nofile={limit}"),
                    start=False)
        process = kit.Process("tallyd", pool.command)
        tap.equal(process.wait(), 1, f"the exit status for {limit}")
        tap.check(len(process.log().splitlines()) == 1, process.log())
        if limit > 16:
            tap.contains(process.log(), f"open files is {limit}", "the log")
        process.end()
        tap.check(not pool.socket.exists(), "a socket file is left")
    with Pool(workers=2, prefix=("prlimit", "--nofile=100")) as pool:
        serves(pool)


@tap.test
def a_downstream_without_a_descriptor():
    """no descriptor left for the downstream: a 502, and the worker goes on"""
    need_plain_program()
    with Downstream() as down, Pool({"main": {"downstream": down.url}},
                                    workers=1) as pool:
        worker, = pool.wait_for_workers()
        descriptors = Descriptors(worker)
        descriptors.leave(1)  # for the connection, none for the downstream's
        reply = pool.post(SAMPLE)
        tap.equal((reply.status, reply.json()["outcome"]),
                  (502, "downstream_connect"), "the reply")
        descriptors.restore()
        tap.equal(pool.post(SAMPLE).status, 200, "the status after that")
        tap.equal(len(down.requests), 1, "posts")
        tap.equal(pool.workers(), [worker], "workers")


sys.exit(kit.run())

#!/usr/bin/env python3
"""Want of processes and of descriptors: nothing spins, nothing ends, and it is
over when the want is."""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, does_not_spin, serves
from shortage import (Descriptors, become, need_plain_program, pool_of,
                      user_nobody_has)


def allow_forks(pool, uid):
    """Raise the limit, as the user the pool runs as: root may not always."""
    subprocess.run([*become(uid), "prlimit", "--nproc=50:", "--pid",
                    str(pool.pid)], check=True, timeout=kit.wait_limit())


@tap.test
def a_fork_that_fails_is_tried_again():
    """RLIMIT_NPROC: the pool serves with the workers it could start, and
    starts the others when it can"""
    uid = user_nobody_has()
    pool = pool_of(uid, "--nproc=3:100", workers=4)
    began = time.monotonic()
    with pool:
        pool.start()
        pool.wait_for_log("fork: ")
        tap.equal(len(pool.wait_for_workers(2)), 2, "workers")
        serves(pool)
        does_not_spin(pool.pid)
        errors, took = pool.count("fork_errors"), time.monotonic() - began
        tap.check(0 < errors < 10 + took, f"{errors} fork_errors in {took} s")
        allow_forks(pool, uid)
        pool.wait_for_workers(4, limit=12)
        serves(pool)


@tap.test
def not_one_fork_succeeds():
    """RLIMIT_NPROC: no worker at all; the supervisor waits for better times"""
    uid = user_nobody_has() + (1 << 23)
    pool = pool_of(uid, "--nproc=1:100", workers=2)
    with pool:
        pool.start()
        pool.wait_for_log("fork: ")
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE))
            does_not_spin(pool.pid)
            tap.equal(pool.process.status(), None, "the exit status so far")
            allow_forks(pool, uid)
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")


@tap.test
def out_of_descriptors_it_waits():
    """RLIMIT_NOFILE: a worker that can accept nothing does not spin, and
    serves again as soon as it can"""
    need_plain_program()
    with Pool(workers=1) as pool:
        worker, = pool.wait_for_workers()
        descriptors, began = Descriptors(worker), time.monotonic()
        descriptors.leave(0)
        links = [pool.link() for _ in range(10)]
        for link in links:
            link.send(fastcgi.request(SAMPLE))
        pool.wait_for_count("accept_errors", 1)
        does_not_spin(worker)
        errors, took = pool.count("accept_errors"), time.monotonic() - began
        tap.check(errors < 20 * (1 + took), f"{errors} in {took} s")
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
            links = [pool.link() for _ in range(6)]
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
    for limit in 8, 12, 16, 24, 139:
        pool = Pool(workers=2, prefix=("prlimit", f"--nofile={limit}"),
                    start=False)
        process = kit.Process("tallyd", pool.command)
        tap.equal(process.wait(), 1, f"the exit status for {limit}")
        tap.check(len(process.log().splitlines()) == 1, process.log())
        if limit > 16:
            tap.contains(process.log(), f"open files is {limit}", "the log")
        process.end()
        tap.check(not pool.socket.exists(), "a socket file is left")
    with Pool(workers=2, prefix=("prlimit", "--nofile=160")) as pool:
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

#!/usr/bin/env python3
"""Descriptors, connections, bytes and depth: at the limit it works, past it
the pool says so, and it never spins."""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from fastcgi import begin, request
from pool import SAMPLE, Pool, does_not_spin

SUM = b'{"sum":42}'


@tap.test
def few_descriptors_mean_few_connections():
    with Pool(prefix=("prlimit", "--nofile=160"), workers=2) as pool:
        waiting = [pool.link() for _ in range(40)]
        workers = pool.wait_for_workers()
        kit.until("the limit is felt", lambda: pool.count("full") > 0)
        does_not_spin(*workers, seconds=0.5)
        for link in waiting:
            link.close()
        tap.equal(pool.post(SAMPLE).body, SUM, "the reply afterwards")
        tap.equal(pool.count("accept_errors"), 0, "accept_errors")
        tap.equal(pool.workers(), workers, "the workers")


@tap.test
def too_few_descriptors_are_told_at_the_start():
    with Pool(prefix=("prlimit", "--nofile=60"), start=False) as pool:
        process = kit.Process("tallyd", pool.command)
        tap.equal(process.wait(), 1, "the exit status")
        tap.contains(process.log(), "limit of open files is 60", "the log")


@tap.test
def max_connections_are_served_and_no_more():
    with Pool(workers=1, max_connections="8") as pool:
        kept = [pool.link() for _ in range(8)]
        for link in kept:
            link.send(request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the reply")
        with pool.link() as one_more:
            one_more.send(request(SAMPLE))
            pool.wait_for_count("full", 1)
            for link in kept:
                link.send(request(SAMPLE, keep=True))
                tap.equal(link.read_reply().body, SUM, "a kept one's reply")
            does_not_spin(*pool.workers(), seconds=0.3)
            kept.pop().close()
            tap.equal(one_more.read_reply().body, SUM, "the one that waited")


@tap.test
def silent_connections_do_not_keep_a_worker():
    with Pool(workers=1) as pool:
        silent = [pool.link() for _ in range(100)]
        for link in silent[50:]:
            link.send(begin())
        for _turn in range(20):
            tap.equal(pool.post(SAMPLE).body, SUM, "the reply")
        silent[99].send(request(SAMPLE)[16:])
        tap.equal(silent[99].read_reply().body, SUM, "one that went on")


@tap.test
def a_body_of_max_body_is_served():
    body = SAMPLE + b" " * (10240 - len(SAMPLE))
    with Pool({"main": {"max_body": "10k"}}) as pool:
        tap.equal(pool.post(body).body, SUM, "the reply")
        tap.equal(pool.post(body + b" ").status, 413, "one byte more")
        pairs = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/"}
        with pool.link() as link:
            link.send(request(body + b" ", pairs=pairs))
            tap.equal(link.read_reply().status, 413, "without a length")


@tap.test
def a_depth_of_max_depth_is_served():
    def body(depth):
        inner = depth - 1
        return (b'{"items":[{"value":21}],"deep":' + b"[" * inner
                + b"0" + b"]" * inner + b"}")
    with Pool({"main": {"max_depth": "20"}}) as pool:
        tap.equal(pool.post(body(20)).body, SUM, "the reply")
        reply = pool.post(body(21))
        tap.equal(reply.status, 400, "one level more")


def peak_kib(pid):
    """The most memory the process has had at a time."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("VmHWM:"))


@tap.test
def a_large_body_does_not_grow_the_worker_with_its_text():
    """12 MB of body make the worker grow by less than 1 MB"""
    item = b'{"value":1,"text":"' + b"x" * 1000 + b'"}'
    body = b'{"items":[' + b",".join([item] * 12_000) + b"]}"
    with Pool(workers=1) as pool:
        worker, = pool.wait_for_workers()
        tap.equal(pool.post(body[:2000]).status, 400, "the first status")
        before = peak_kib(worker)
        tap.equal(pool.post(body, limit=30).body, b'{"sum":24000}', "the sum")
        grown = peak_kib(worker) - before
        if not (kit.SANITIZED or kit.WRAPPER):  # these never give memory back
            tap.check(grown < 1024, f"it grew by {grown} KiB")


@tap.test
def idle_connections_cost_the_others_nothing():
    """One worker, 300 kept connections, requests on new ones and on each of
    the kept ones afterwards"""
    with Pool(workers=1) as pool:
        kept = [pool.link() for _ in range(300)]
        for link in kept:
            link.send(request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, SUM, "the first reply")
        does_not_spin(*pool.workers(), seconds=0.3)
        for _turn in range(30):
            tap.equal(pool.post(SAMPLE).body, SUM, "the reply")
        for link in kept:
            link.send(request(SAMPLE, keep=True))
        for link in kept:
            tap.equal(link.read_reply().body, SUM, "the second reply")
            link.close()
        tap.equal(pool.count("idle_closed"), 0, "idle_closed")


@tap.test
def the_kernel_may_queue_what_workers_cannot_take():
    with Pool(workers=1, max_connections="4") as pool:
        links = [pool.link() for _ in range(64)]
        for link in links:
            link.send(request(SAMPLE))
        for link in links:
            tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_full_queue_of_the_kernel_is_not_fatal():
    with Pool(workers=1, backlog="1", max_connections="4") as pool:
        tries = []
        for _turn in range(30):
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            one.connect_ex(str(pool.socket))
            tries.append(one)
        for one in tries:
            one.close()

        def served():
            try:
                return pool.post(SAMPLE).body == SUM
            except BlockingIOError:
                return False  # the queue is not empty yet
        kit.until("a request is served", served)


sys.exit(kit.run())

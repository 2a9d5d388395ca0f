#!/usr/bin/env python3
"""When the kernel will not let a worker share a connection, the worker keeps
it: its requests are answered, nothing is closed, and it is over when the want
is."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool, does_not_spin, serves
from shortage import (Descriptors, become, need_plain_program, pool_of,
                      user_nobody_has)

SUM = b'{"sum":42}'
LIMIT = 300  # open files of the pool that meets ETOOMANYREFS

# Puts as many descriptors in flight as it is told, and waits to be ended. What
# a user has in flight is counted for all his processes together.
HOARDER = """
import os, resource, socket, sys
count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
pairs = []
while len(pairs) * 100 < count:
    pair = socket.socketpair()
    socket.send_fds(pair[0], [b"x"], [pair[0].fileno()] * 100)
    pairs.append(pair)
print("ready", flush=True)
sys.stdin.read()
"""


def ask(link):
    link.send(request(SAMPLE, keep=True))
    tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_connection_that_cannot_be_shared_is_kept():
    """No descriptor for a slot: the worker keeps the connection and answers
    on it; afterwards all is shared again"""
    need_plain_program()
    with Pool(workers=1, max_connections=8) as pool:
        worker, = pool.wait_for_workers()
        descriptors = Descriptors(worker)
        descriptors.leave(1)  # enough to accept, with too low a number
        with pool.link() as link:
            for _turn in range(3):
                ask(link)
            pool.wait_for_count("park_errors", 1)
            does_not_spin(worker)
            ask(link)
            descriptors.restore()
            serves(pool)  # the worker has time for others again
            ask(link)
            tap.equal(pool.count("connections"), 2, "connections")
        tap.equal(pool.workers(), [worker], "workers")
        tap.equal(pool.count("idle_closed"), 0, "idle_closed")


@tap.test
def a_worker_with_a_connection_to_itself_leaves_the_rest_to_others():
    """A worker without a descriptor for a parked connection leaves it to the
    other one"""
    need_plain_program()
    with Pool(workers=2, max_connections=8) as pool:
        poor, _other = pool.wait_for_workers()
        descriptors = Descriptors(poor)
        descriptors.leave(1)
        links = [pool.link() for _ in range(4)]
        for _round in range(10):
            for link in links:
                ask(link)
        descriptors.restore()
        for link in links:
            ask(link)
            link.close()
        tap.equal(pool.count("connections"), 4, "connections")


class Hoarder:
    """Holds descriptors in flight for a user."""

    def __init__(self, uid, count):
        self.process = subprocess.Popen(
            [*become(uid), sys.executable, "-c", HOARDER, str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        tap.equal(self.process.stdout.readline(), "ready\n", "the hoarder")

    def end(self):
        self.process.communicate("", timeout=kit.wait_limit(10))


@tap.test
def too_many_descriptors_in_flight():
    """ETOOMANYREFS: workers keep what they serve, and nothing is lost"""
    need_plain_program()
    uid = user_nobody_has() + (1 << 24)
    hoarder = None
    pool = pool_of(uid, f"--nofile={LIMIT}", workers=2, max_connections=16)
    try:
        with pool:
            pool.start()
            links = [pool.link() for _ in range(2)]
            for link in links:
                ask(link)
            pool.wait_for_sleep()
            hoarder = Hoarder(uid, 2 * LIMIT)
            links.append(pool.link())  # the others are shared already
            for _turn in range(3):
                for link in links:
                    ask(link)
            pool.wait_for_count("park_errors", 1)
            does_not_spin(*pool.workers(), seconds=0.3)
            hoarder.end()
            serves(pool)
            for link in links:
                ask(link)
                link.close()
            tap.equal(pool.count("connections"), 4, "connections")
    finally:
        if hoarder:
            hoarder.process.kill()
            hoarder.process.wait()


@tap.test
def a_full_pool_makes_connections_wait_and_closes_none():
    """max_connections kept connections: one more waits in the queue until one
    is closed, and the kept ones go on"""
    with Downstream() as down, \
            Pool({"main": {"downstream": down.url}}, workers=2,
                 max_connections=6) as pool:
        links = [pool.link() for _ in range(6)]
        waiting = [pool.link() for _ in range(3)]
        for link in links + waiting:
            link.send(request(SAMPLE, keep=True))
        for link in links:
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        pool.wait_for_count("full", 1)
        for _round in range(5):
            for link in links:
                link.send(request(SAMPLE, keep=True))
            for link in links:
                tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        tap.equal(pool.count("connections"), 6, "connections")
        for link in waiting:
            links.pop().close()
            tap.equal(link.read_reply().body, b'{"ok":true}',
                      "the reply to one that waited")
        tap.equal(len(down.take()), 6 + 30 + 3, "posts")


sys.exit(kit.run())

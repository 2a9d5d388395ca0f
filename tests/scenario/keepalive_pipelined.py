#!/usr/bin/env python3
"""Requests that a client sends one behind another on one connection, without
waiting for replies: they keep their worker from nothing else."""

import contextlib
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import reloads
import tap
from downstream import Answer, Downstream
from fastcgi import request
from pool import SAMPLE, Pool

OK = b'{"ok":true}'


class Stream:
    """Sends requests on one connection until stop(), and always more than the
    pool could answer. `replies` have come so far."""

    def __init__(self, pool):
        self.link = pool.link()
        self.sent = self.replies = 0
        self.fault = None
        self.over = threading.Event()
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        """In pieces that end within a request."""
        one = request(SAMPLE, keep=True)
        rest = b""
        try:
            while not self.over.is_set():
                self.sent += 100
                rest += one * 100
                self.link.send(rest[:-7])
                rest = rest[-7:]
            self.link.send(rest)
        except OSError as error:
            self.fault = self.fault or error

    def _receive(self):
        rest = b""
        try:
            while not self.over.is_set() or self.replies < self.sent:
                data = self.link.socket.recv(1 << 20)
                if not data:
                    raise OSError("the connection has ended")
                rest += data
                self.replies += rest.count(OK)
                rest = rest[rest.rfind(OK) + len(OK):] if OK in rest \
                    else rest[-len(OK):]
        except OSError as error:
            self.fault = self.fault or error
            self.over.set()

    def wait_for_more(self, count=300):
        end = self.replies + count
        kit.until(f"{end} replies have come",
                  lambda: self.replies >= end or self.over.is_set())

    def stop(self):
        """Every request has its reply."""
        self.over.set()
        for thread in self.threads:
            thread.join(kit.wait_limit())
        self.link.close()
        tap.equal((self.fault, self.replies), (None, self.sent),
                  "what came of the stream")


@contextlib.contextmanager
def posting_pool(**settings):
    """Each of its requests takes a while."""
    with Downstream(Answer(body=OK)) as down, Pool(
            {"main": {"downstream": down.url}}, log_level="info",
            **settings) as pool:
        yield pool


def neighbours_are_served(workers):
    with posting_pool(workers=workers) as pool:
        with contextlib.closing(pool.link()) as kept:
            kept.send(request(SAMPLE, keep=True))
            tap.equal(kept.read_reply().body, OK, "the first reply")
            streams = [Stream(pool) for _ in range(max(workers, 1))]
            for _round in range(5):
                for stream in streams:
                    stream.wait_for_more(100)
                tap.equal(pool.post(SAMPLE).body, OK, "a neighbour's reply")
                kept.send(request(SAMPLE, keep=True))
                tap.equal(kept.read_reply().body, OK, "a neighbour's reply")
            for stream in streams:
                stream.stop()


@tap.test
def neighbours():
    """new and kept connections are served beside endless ones, one for each
    worker"""
    neighbours_are_served(1)
    neighbours_are_served(2)


@tap.test
def neighbours_without_a_supervisor():
    neighbours_are_served(0)


@tap.test
def the_supervisor_is_not_woken_for_each():
    """once it watches a busy pool no worker calls it"""
    count = 1000
    with Pool(workers=1, request_timeout="1h", log_level="info") as pool, \
            pool.link() as link:
        sender = threading.Thread(target=link.send, daemon=True, args=[
            request(SAMPLE, keep=True) * count])
        before = procfs.switches(pool.pid)
        sender.start()
        for _n in range(count):
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
        woken = procfs.switches(pool.pid) - before
        sender.join()
        tap.check(woken < count / 10, f"the supervisor got or lost the CPU "
                  f"{woken} times in {count} requests")


@tap.test
def max_requests():
    """no worker serves more than max_requests; all replies come, in order, on
    the one connection"""
    bodies = [b'{"items":[{"value":%d}]}' % n for n in range(1000)]
    with Pool(workers=1, max_requests=50, log_level="info") as pool:
        with pool.link() as link:
            sender = threading.Thread(target=link.send, daemon=True, args=[
                b"".join(request(body, keep=True) for body in bodies)])
            sender.start()
            for n in range(len(bodies)):
                tap.equal(link.read_reply().body, b'{"sum":%d}' % (2 * n),
                          "the reply")
            sender.join()
        tap.equal(pool.count("connections"), 1, "connections")
        ends = [int(line.split(" requests in")[0].rsplit(" ", 1)[1])
                for line in pool.log_lines("max_requests")]
        tap.check(len(ends) >= 20 and max(ends) <= 50,
                  f"workers left after {ends} requests")


@tap.test
def reload():
    """the workers of before leave, and the stream goes on with the next"""
    with posting_pool(workers=2, drain_timeout="1h") as pool:
        streams = [Stream(pool) for _ in range(2)]
        for _turn in range(3):
            for stream in streams:
                stream.wait_for_more()
            before = pool.workers()
            reloads.reload(pool)
            reloads.wait_until_alone(pool)
            tap.equal(set(before) & set(pool.workers()), set(), "old workers")
        for stream in streams:
            stream.wait_for_more()
            stream.stop()
        tap.equal(pool.count("exits_signal"), 0, "workers killed")
        tap.equal(pool.count("connections"), 2, "connections")


sys.exit(kit.run())

"""FastCGI clients without a web server that send one request after the other,
and know what became of each."""

import collections
import threading

import fastcgi
import kit
from pool import SAMPLE


class Callers:
    """`count` clients of a pool, each with a new connection for each request.
    `answers` counts (status, body); `refused` counts connections that the pool
    did not take, which a web server offers to its next pool; `lost` has why a
    request that was sent got no answer."""

    def __init__(self, pool, count):
        self.address = pool.address
        self.answers = collections.Counter()
        self.refused = 0
        self.lost = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._call, daemon=True)
                         for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def served(self):
        with self._lock:
            return sum(self.answers.values())

    def stop(self, limit=60):
        """They leave after the request in hand."""
        self._over.set()
        for thread in self._threads:
            thread.join(kit.wait_limit(limit))

    def _call(self):
        while not self._over.is_set():
            try:
                link = fastcgi.Link(self.address, kit.wait_limit(30))
            except (ConnectionRefusedError, FileNotFoundError):
                with self._lock:
                    self.refused += 1
                self._over.wait(0.001)
                continue
            with link:
                self._ask(link)

    def _ask(self, link):
        try:
            link.send(fastcgi.request(SAMPLE))
            reply = link.read_reply()
        except (OSError, fastcgi.Broken) as error:
            with self._lock:
                self.lost.append(repr(error))
            return
        with self._lock:
            self.answers[(reply.status, reply.body)] += 1

"""Many HTTP clients at once, each on a connection it keeps."""

import collections
import http.client
import threading

import kit
from pool import SAMPLE


class Crowd:
    """`count` clients post `body`, with `headers`, to `path` of a front, one
    request after the other, `turns` times or until stop(). `answers` counts
    (status, body); `broken` has why a connection ended before its answer."""

    def __init__(self, front, count, turns=None, path="/", body=SAMPLE,
                 headers=None):
        self.front = front
        self.path, self.body, self.turns = path, body, turns
        self.headers = headers or {}
        self.answers = collections.Counter()
        self.broken = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, daemon=True)
                         for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def served(self):
        with self._lock:
            return sum(self.answers.values())

    def stop(self):
        self._over.set()
        return self.wait()

    def wait(self, limit=60):
        for thread in self._threads:
            thread.join(kit.wait_limit(limit))
        return self.answers

    def _client(self):
        link = self.front.connect()
        done = 0
        while not self._over.is_set() and done != self.turns:
            try:
                link.request("POST", self.path, self.body, self.headers)
                answer = link.getresponse()
                key = (answer.status, answer.read())
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.broken.append(repr(error))
                link.close()
                link = self.front.connect()
                continue
            with self._lock:
                self.answers[key] += 1
            done += 1
        link.close()

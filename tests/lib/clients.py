"""Clients that send one request after the other until they are told to stop,
and know what became of each."""

import collections
import threading

import kit


class Clients:
    """`count` threads, which begin at once. `answers` counts what they got;
    `lost` has why a request got no answer. What sends the requests is
    _client(number), of a subclass, until `over` is set."""

    def __init__(self, count):
        self.answers = collections.Counter()
        self.lost = []
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(number,),
                                          daemon=True)
                         for number in range(count)]
        for thread in self._threads:
            thread.start()

    def note_answer(self, answer):
        with self.lock:
            self.answers[answer] += 1

    def note_lost(self, error):
        with self.lock:
            self.lost.append(repr(error))

    def served(self):
        with self.lock:
            return sum(self.answers.values())

    def wait_for(self, count, limit=60):
        """Until so many more have been answered."""
        wanted = self.served() + count
        kit.until(f"{count} more requests", lambda: self.served() >= wanted,
                  limit)

    def stop(self):
        """They leave after the request in hand; gives the answers."""
        self.over.set()
        return self.wait()

    def wait(self, limit=60):
        for thread in self._threads:
            thread.join(kit.wait_limit(limit))
        return self.answers

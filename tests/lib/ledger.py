"""An account of every request: what was wanted, what came back, and what the
downstream got."""

import collections
import threading

# What a request may come to. Named: the reply says which outcome, and it is the
# one that was to be expected.
OK, NAMED, LOST, GIVEN_UP = "ok", "named", "lost", "given up"

Entry = collections.namedtuple("Entry", "wish total")
"""wish: the outcome it has to have; total: the sum that has to be posted."""


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.open = {}  # id: Entry of those not ended
        self.results = collections.Counter()  # (wish, result)
        self.ended = {}  # id: (wish, result), of those that may be posted
        self.posts = collections.Counter()  # by id
        self.faults = []
        self._serial = 0

    def begin(self, wish, total):
        """A new id; what the downstream is to do with it is its last part."""
        with self.lock:
            self._serial += 1
            name = f"{self._serial}-{wish}"
            self.open[name] = Entry(wish, total)
            return name

    def end(self, name, result):
        with self.lock:
            wish = self.open.pop(name).wish
            self.results[wish, result] += 1
            self.ended[name] = wish, result

    def fault(self, words):
        with self.lock:
            if len(self.faults) < 20:
                self.faults.append(words)

    def posted(self, name, total):
        """The downstream got it."""
        with self.lock:
            self.posts[name] += 1
            entry = self.open.get(name)
        if entry and entry.total != total:
            self.fault(f"{name}: posted {total}, not {entry.total}")

    def answered(self, name, status, problem):
        """A whole reply came; `problem`: its outcome, None without one."""
        with self.lock:
            wish = self.open[name].wish
        if status == 200 and wish == OK:
            self.end(name, OK)
        elif problem == wish:
            self.end(name, NAMED)
        elif status == 502 and problem is None:
            self.end(name, LOST)  # the web server's own: a worker died
        else:
            self.fault(f"{name}: {status} {problem}")
            self.end(name, NAMED)

    # --- Afterwards. ---

    def count(self, result):
        return sum(n for (_wish, r), n in self.results.items() if r == result)

    def sent(self):
        return self._serial

    def check(self):
        """All that is wrong, in words."""
        faults = list(self.faults)
        if self.open:
            faults.append(f"never ended: {list(self.open)[:5]}")
        for name, count in self.posts.items():
            if count > 1:
                faults.append(f"{name}: posted {count} times")
            if name not in self.ended:
                faults.append(f"{name}: posted, and never sent")
        for name, (wish, result) in self.ended.items():
            posted = self.posts[name]
            reaches = wish == OK or wish.startswith("downstream_")
            if result == OK and posted != 1:
                faults.append(f"{name}: answered, and posted {posted} times")
            if result != GIVEN_UP and posted and not reaches:
                faults.append(f"{name}: posted though it is wrong")
        return faults

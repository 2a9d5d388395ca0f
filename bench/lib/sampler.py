"""Memory and CPU time of a process and its descendants over some time."""

import threading
import time

import cpu

SAMPLES = 60
BEAT_LEAST = 0.1  # s


class Sampler:
    """Samples while it is entered: about SAMPLES of them in `seconds`."""

    def __init__(self, pid, seconds):
        self.pid, self.beat = pid, max(seconds / SAMPLES, BEAT_LEAST)
        self.rows = []  # (second, PSS in KB, CPU seconds so far)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _sample(self):
        self.rows.append((time.monotonic() - self.start, sum(
            map(cpu.pss_kb, cpu.tree(self.pid))), cpu.seconds(self.pid)))

    def _run(self):
        while not self.over.wait(self.beat):
            self._sample()

    def __enter__(self):
        self.start = time.monotonic()
        self._sample()
        self.thread.start()
        return self

    def __exit__(self, *_ignored):
        self.over.set()
        self.thread.join()
        self._sample()

    def summary(self, requests):
        used = self.rows[-1][2] - self.rows[0][2]
        return {
            "pss_peak_kb": max(kb for _at, kb, _cpu in self.rows),
            "pss": [(round(at, 2), kb) for at, kb, _cpu in self.rows],
            "cores": used / self.rows[-1][0],
            "cores_of": [(round(b[0], 2), (b[2] - a[2]) / (b[0] - a[0]))
                         for a, b in zip(self.rows, self.rows[1:])],
            "cpu_us": used / max(requests, 1) * 1e6}

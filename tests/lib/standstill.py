"""Notes when a processor of the machine does nothing for a while, as one of a
virtual machine may: what a test finds then is not the program's doing."""

import os
import threading
import time

BEAT = 0.02  # seconds


class Standstill:
    """A thread on each processor looks at the clock again and again, until
    longest() is asked for."""

    def __init__(self):
        self._over = threading.Event()
        self._gaps = {cpu: 0.0 for cpu in os.sched_getaffinity(0)}
        self._threads = [threading.Thread(target=self._beat, args=(cpu,),
                                          daemon=True) for cpu in self._gaps]
        for thread in self._threads:
            thread.start()

    def longest(self):
        """Seconds between two looks, at the most; ends the looking."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        return max(self._gaps.values())

    def _beat(self, cpu):
        os.sched_setaffinity(0, {cpu})  # of this thread alone
        last = time.monotonic()
        while not self._over.wait(BEAT):
            now = time.monotonic()
            self._gaps[cpu] = max(self._gaps[cpu], now - last)
            last = now
        self._gaps[cpu] = max(self._gaps[cpu], time.monotonic() - last)

"""kill -9 for workers of a pool, knowing what each was doing."""

import os
import pathlib
import random
import signal
import threading
import time

import procfs

# The system call in which a worker waits for work, by machine.
EPOLL_PWAIT = {"x86_64": 281, "aarch64": 22}


def _state(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(") ")[2][0]


def _waits_for_work(pid):
    call = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()[0]
    return call == str(EPOLL_PWAIT.get(os.uname().machine))


def kill(pid):
    """Kill one worker; True when it may have had a request in hand, None when
    it was gone already. It is stopped first, so that what is seen is what is
    killed."""
    try:
        os.kill(pid, signal.SIGSTOP)
        while _state(pid) not in "TZX":
            time.sleep(0.0002)
        serving = not _waits_for_work(pid)
        os.kill(pid, signal.SIGKILL)
        return serving
    except OSError:
        return None


class Killer:
    """Kills a random worker of the pool at `pid` every `beat` seconds, until
    stop(). `spare`: keep the hands off that many, the oldest ones."""

    def __init__(self, pid, beat, seed=1, spare=0):
        self.pid = pid
        self.beat = beat
        self.spared = set(procfs.children_of(pid)[:spare])
        self.random = random.Random(seed)
        self.killed = 0
        self.serving = 0  # killed with a request in hand, at most
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.wait(self.beat):
            workers = [pid for pid in procfs.children_of(self.pid)
                       if pid not in self.spared]
            serving = kill(self.random.choice(workers)) if workers else None
            self.killed += serving is not None
            self.serving += serving is True

    def stop(self):
        self._over.set()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.stop()

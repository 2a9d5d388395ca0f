"""Ends what a test has started when the test itself cannot."""

import os
import shutil
import signal
import time

import cgroups


class Watchdog:
    """A process that ends what the test has started and removes its directory
    when the test is killed and can do neither. It hears of groups of processes
    and of cgroups by a pipe, and of the end of the test by the end of that
    pipe."""

    def __init__(self, directory):
        read_end, self.pipe = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            os.setsid()
            self._detach()
            try:
                self._watch(read_end, directory)
            finally:
                os._exit(0)
        os.close(read_end)

    @staticmethod
    def _detach():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

    @staticmethod
    def _watch(read_end, directory):
        known = set()
        with os.fdopen(read_end) as lines:
            for line in lines:
                what = line[1:].rstrip("\n")
                (known.add if line[0] == "+" else known.discard)(what)
        cgroup_paths = {what for what in known if what.startswith("/")}
        groups = set(map(int, known - cgroup_paths))
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in groups:
                try:
                    os.killpg(group, number)
                except OSError:
                    continue
            if groups and number == signal.SIGTERM:
                time.sleep(2)
        for path in cgroup_paths:
            cgroups.remove(path)
        shutil.rmtree(directory, ignore_errors=True)

    def tell(self, sign, what):
        """"+": `what`, the number of a group or the path of a cgroup, is there
        from now on; "-": it is gone."""
        os.write(self.pipe, f"{sign}{what}\n".encode())

    def dismiss(self):
        os.close(self.pipe)
        os.waitpid(self.pid, 0)

"""Taking descriptors and rights from the programs under test."""

import os
import resource
import shutil

import kit
import tap
from pool import Pool


def user_nobody_has():
    """A user id without a process, so that RLIMIT_NPROC counts ours alone."""
    if os.geteuid() != 0:
        raise tap.Skip("only root can run as a user without other processes")
    return 1_000_000_000 + os.getpid()


def become(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def pool_of(uid, limit, **settings):
    """A pool of that user, not started yet, with a limit as prlimit(1) takes
    it."""
    place = kit.fresh_path("place")
    place.mkdir()
    os.chown(place, uid, uid)
    program = shutil.copy(kit.tallyd()[-1], place / "tallyd")
    pool = Pool(start=False, listen=place / "tallyd.sock",
                scoreboard=place / "scoreboard",
                # The search for leaks needs a process of its own.
                env={"ASAN_OPTIONS": "detect_leaks=0"}, **settings)
    pool.command = ["prlimit", limit, *become(uid), *kit.WRAPPER, program, "-c",
                    pool.config]
    return pool


def need_plain_program():
    if kit.WRAPPER:
        raise tap.Skip("the wrapper needs descriptors of its own")


class Descriptors:
    """The soft limit of open files of a worker, lowered for a while."""

    def __init__(self, pid):
        self.pid = pid
        self.limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def leave(self, count):
        """Let it open `count` more: the lowest free numbers are used first."""
        used = set(map(int, os.listdir(f"/proc/{self.pid}/fd")))
        free = [number for number in range(max(used) + 2 + count)
                if number not in used]
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE,
                         (free[count], self.limits[1]))

    def restore(self):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.limits)

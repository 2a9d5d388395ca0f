#!/usr/bin/env python3
"""Root opens a pool's files in a directory that the pool's user may write: what
that user puts there, at any moment, leads root to no other file."""

import contextlib
import os
import pathlib
import pwd
import signal
import stat
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool, run_tallyd

STARTS = 30
SECRET = "root's own\n"

class Place:
    """A directory of nobody's, and a file of root's beside it."""

    def __init__(self):
        if os.geteuid() != 0:
            raise tap.Skip("only root has more rights than the pool's user")
        self.user = pwd.getpwnam("nobody")
        self.theirs = kit.fresh_path("theirs")
        self.theirs.mkdir()
        os.chown(self.theirs, self.user.pw_uid, self.user.pw_gid)
        # The way there is everybody's to go.
        for parent in self.theirs.parents:
            with contextlib.suppress(OSError):
                parent.chmod(parent.stat().st_mode | 0o111)
        self.victim = kit.fresh_path("victim")
        self.victim.write_text(SECRET)
        self.victim.chmod(0o600)

    def link(self, name, target=None):
        """A link of theirs to the victim."""
        path = self.theirs / name
        os.symlink(target or self.victim, path)
        os.chown(path, self.user.pw_uid, self.user.pw_gid,
                 follow_symlinks=False)
        return path

    def is_untouched(self, what):
        state = self.victim.stat()
        tap.equal((state.st_uid, stat.S_IMODE(state.st_mode), state.st_nlink),
                  (0, 0o600, 1), f"{what}: owner, mode and names of the victim")
        tap.equal(self.victim.read_text(), SECRET, f"{what}: what it has")


def attack(place, kept):
    """For ever: whatever comes into the directory under a name that is not
    there for good is moved away, and a link to the victim takes its name."""
    os.chdir(place.theirs)
    moved = 0
    while True:
        for name in os.listdir("."):
            if name in kept or name.startswith("moved"):
                continue
            moved += 1
            with contextlib.suppress(OSError):
                os.rename(name, f"moved{moved}")
                os.symlink(place.victim, name)


@contextlib.contextmanager
def attacker(place, kept):
    """A process of the pool's user that does that."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(place.user.pw_gid)
            os.setuid(place.user.pw_uid)
            attack(place, kept)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        tap.equal(os.waitpid(pid, 0)[1], signal.SIGKILL, "the attacker's end")


@tap.test
def a_race_for_the_socket_wins_nothing():
    """30 starts, while the user replaces every file that is being made"""
    place = Place()
    with attacker(place, ("sock", "board", "pid")):
        for _ in range(STARTS):
            run_for_a_moment(place)
            place.is_untouched("after a start")


def run_for_a_moment(place):
    """Start a pool, and stop it once it serves or has failed."""
    pool = Pool(start=False, listen=place.theirs / "sock", user="nobody",
                socket_owner="nobody", socket_mode="0666", workers=1,
                scoreboard=place.theirs / "board",
                pid_file=place.theirs / "pid")
    with kit.Process("tallyd", pool.command) as process:
        kit.until("it serves or has failed",
                  lambda: process.status() is not None
                  or " serving on " in process.log())
        if process.status() is None:
            process.send(signal.SIGTERM)
        process.wait()


@tap.test
def links_in_the_way_are_not_followed():
    """a link of the user's as scoreboard, pid file or log: no start"""
    for key in ("log_file", "access_log", "slow_log", "scoreboard",
                "pid_file"):
        place = Place()
        link = place.link(key)
        status, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}", "-s",
            "pool.user=nobody", "-s", "pool.slow_threshold=1s", "-s",
            f"pool.{key}={link}")
        tap.equal(status, 1, f"{key}: the exit status")
        tap.contains(errors, f"{key} = {link}", f"{key}: what it says")
        place.is_untouched(key)


@tap.test
def names_that_can_be_guessed_are_not_used():
    """links under NAME.PID for thousands of pids"""
    place = Place()
    last = int(pathlib.Path("/proc/loadavg").read_text("ascii").split()[4])
    for pid in range(last, last + 4000):
        place.link(f"board.{pid}")
    with Pool(scoreboard=place.theirs / "board", user="nobody") as pool:
        pool.wait_for_workers()
        place.is_untouched("scoreboard")
        tap.check(not (place.theirs / "board").is_symlink(), "it is a link")


@tap.test
def second_names_are_not_opened():
    """a hard link to a file of root's as log or pid file: no start"""
    for key in ("log_file", "pid_file"):
        place = Place()
        name = place.theirs / key
        os.link(place.victim, name)
        status, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}", "-s",
            "pool.user=nobody", "-s", f"pool.{key}={name}")
        tap.equal(status, 1, f"{key}: the exit status")
        tap.contains(errors, f"{key} = {name}", f"{key}: what it says")
        name.unlink()
        place.is_untouched(key)


@tap.test
def links_of_root_are_followed():
    """/dev/stderr, and a directory that root has linked to"""
    with Pool(access_log="/dev/stderr", workers=1) as pool:
        tap.equal(pool.post(SAMPLE).status, 200, "the status")
        kit.until("the line is there", lambda: 'method="POST"' in pool.log())
    real, link = kit.fresh_path("real"), kit.fresh_path("link")
    real.mkdir()
    os.symlink(real, link)
    with Pool(listen=link / "sock", pid_file=link / "pid",
              scoreboard=link / "board") as pool:
        tap.equal(pool.post(SAMPLE).status, 200, "the status")
        tap.equal(sorted(os.listdir(real)), ["board", "pid", "sock"], "files")
    tap.equal(os.listdir(real), [], "files after the end")


@tap.test
def a_socket_has_its_owner_from_the_first_moment():
    place = Place()
    sock = place.theirs / "sock"
    with Pool(listen=sock, user="nobody", socket_owner="nobody",
              socket_group="nogroup", socket_mode="0640") as pool:
        tap.equal(pool.post(SAMPLE).status, 200, "the status")
        state = sock.stat()
        tap.equal((state.st_uid, stat.S_IMODE(state.st_mode)),
                  (place.user.pw_uid, 0o640), "owner and mode")
        tap.equal(os.listdir(place.theirs), ["sock"], "files")
    tap.equal(os.listdir(place.theirs), [], "files after the end")


sys.exit(kit.run())

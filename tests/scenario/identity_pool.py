#!/usr/bin/env python3
"""A pool is who holds the lock on its files: not a number that stands in them,
and not what has their names."""

import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import Pool, run_tallyctl, run_tallyd, serves

PID_AT = 16  # in the file that scoreboard names


def rename_pid(path, pid):
    with open(path, "r+b") as file:
        file.seek(PID_AT)
        file.write(struct.pack("=i", pid))


def ask(pool, command):
    return run_tallyctl("-c", pool.config, command)


class Stranger:
    """A process that notes every signal it gets."""

    def __init__(self):
        code = ("import signal, sys\n"
                "def note(number, _frame): print(number, flush=True)\n"
                "for n in (1, 2, 3, 10, 12, 15): signal.signal(n, note)\n"
                "print('ready', flush=True)\n"
                "sys.stdin.read()\n")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def end(self):
        """Everything it was told."""
        told, _errors = self.process.communicate()
        return told.split(), self.process.returncode


@tap.test
def a_pid_that_was_used_again_is_not_the_pool():
    """a file left by a killed pool, its pid now another process's"""
    pool = Pool()
    pool.wait_for_workers()
    pool.process.send(signal.SIGKILL)
    pool.process.wait()
    stranger = Stranger()
    rename_pid(pool.scoreboard, stranger.pid)
    status, out, _errors = ask(pool, "health")
    tap.equal(status, 2, "the status of health")
    tap.contains(out, "not running", "what health says")
    for command in ("reload", "stop", "status"):
        status, _out, errors = ask(pool, command)
        tap.equal(status, 69, f"the status of {command}")
        tap.contains(errors, "not running", f"what {command} says")
    status, _out, errors = ask(pool, "upgrade")
    tap.equal(status, 1, "the status of upgrade")
    tap.equal(stranger.end(), ([], 0), "what the stranger was told")


@tap.test
def a_pid_written_into_the_file_is_not_believed():
    """while the pool runs: another process's pid, 1, 0"""
    stranger = Stranger()
    with Pool() as pool:
        pool.wait_for_workers()
        for pid in (stranger.pid, 1, 0):
            rename_pid(pool.scoreboard, pid)
            for command in ("reload", "stop"):
                status, _out, _errors = ask(pool, command)
                tap.equal(status, 69, f"the status of {command}")
        serves(pool)
    tap.equal(stranger.end(), ([], 0), "what the stranger was told")


@tap.test
def a_foreign_owner_is_refused():
    if os.geteuid() != 0:
        raise tap.Skip("only root can give a file away")
    with Pool() as pool:
        pool.wait_for_workers()
        os.chown(pool.scoreboard, 65534, 65534)
        status, _out, errors = ask(pool, "reload")
        tap.equal(status, 69, "the status")
        tap.contains(errors, "belongs neither to root", "what it says")
        os.chown(pool.scoreboard, 0, 0)
        pool.scoreboard.chmod(0o666)
        status, _out, errors = ask(pool, "reload")
        tap.equal(status, 69, "the status")
        tap.contains(errors, "others may write it", "what it says")


@tap.test
def workers_cannot_write_who_the_pool_is():
    """they map the head to read it, and have no descriptor of it"""
    with Pool(workers=2, status_listen=kit.fresh_path("status")) as pool:
        workers = pool.wait_for_workers()
        monitor = kit.until("the monitor is there", pool.monitor)
        pool.page("/status")  # once it answers it has given up what it may not
        for pid in [*workers, monitor]:
            maps = pathlib.Path(f"/proc/{pid}/maps").read_text("utf-8")
            heads = [line.split()[1] for line in maps.splitlines()
                     if "tallyd-scoreboard" in line]
            tap.equal(heads, ["r--s"], f"how {pid} maps the head")
            files = [os.readlink(f"/proc/{pid}/fd/{number}")
                     for number in os.listdir(f"/proc/{pid}/fd")]
            tap.equal([name for name in files if "scoreboard" in name], [],
                      f"descriptors of {pid}")


@tap.test
def a_scoreboard_that_is_cut_ends_nothing():
    """cut, overwritten, removed: the pool serves, and mends the file"""
    with Pool(workers=2) as pool:
        before = pool.wait_for_workers()
        for size in (0, 100, 1 << 20):
            os.truncate(pool.scoreboard, 0)
            os.truncate(pool.scoreboard, size)
            for _ in range(10):
                serves(pool)
            pool.process.send(signal.SIGUSR1)  # anything that wakes it
            kit.until("tallyctl finds it again",
                      lambda: ask(pool, "status")[0] == 0)
        tap.equal(sorted(pool.workers()), sorted(before), "the workers")
        tap.equal(pool.count("ok"), 30, "requests counted")
        pool.scoreboard.unlink()
        pool.process.send(signal.SIGUSR1)
        serves(pool)


def refused(pool, key, path):
    """A second pool with this setting; gives what it says."""
    second = kit.fresh_path("second.conf")
    second.write_text(f"[pool]\nlisten = {kit.fresh_path('sock')}\n"
                      f"{key} = {path}\n")
    status, _out, errors = run_tallyd("-c", second)
    tap.equal(status, 1, f"{key}: the exit status of the second")
    tap.contains(errors, f"process {pool.pid} ", f"{key}: who it names")
    return errors


@tap.test
def a_second_pool_is_told_of_the_first():
    """the same scoreboard or pid file; the files of the first stay"""
    pid_file = kit.fresh_path("pid")
    with Pool(pid_file=pid_file, name="first") as pool:
        pool.wait_for_workers()
        said = refused(pool, "scoreboard", pool.scoreboard)
        tap.contains(said, str(pool.config), "the settings of the first")
        said = refused(pool, "pid_file", pid_file)
        tap.contains(said, "tallyd: first: ", "the name of the first")
        tap.equal(int(pid_file.read_text()), pool.pid, "the pid file")
        tap.equal(ask(pool, "reload")[0], 0, "the status of reload")
        serves(pool)


@tap.test
def files_are_removed_by_who_made_them():
    """others have taken their names: they stay"""
    pid_file = kit.fresh_path("pid")
    pool = Pool(pid_file=pid_file)
    pool.wait_for_workers()
    for path in (pid_file, pool.scoreboard):
        path.unlink()
        path.write_text("another's")
    pool.stop()
    for path in (pid_file, pool.scoreboard):
        tap.equal(path.read_text(), "another's", str(path))


@tap.test
def a_lock_stays_through_an_upgrade():
    """also after an upgrade the pool is found, and a second one is not"""
    program = kit.fresh_path("tallyd")
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    shutil.copy(kit.TALLYD, program)
    pid_file = kit.fresh_path("pid")
    with Pool(pid_file=pid_file, through=lambda command: [
            program if part == kit.TALLYD else part for part in command]) \
            as pool:
        serves(pool)
        for generation in (2, 3):
            status, out, errors = ask(pool, "upgrade")
            tap.equal(status, 0, f"the status of upgrade: {errors}")
            tap.contains(out, f"generation {generation} serves", "stdout")
            refused(pool, "scoreboard", pool.scoreboard)
            refused(pool, "pid_file", pid_file)
        tap.equal(pool.count("ok"), 1, "requests counted")


@tap.test
def counts_outlive_an_upgrade_without_workers():
    """an ondemand pool at rest has no worker that keeps them"""
    program = kit.fresh_path("tallyd")
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    shutil.copy(kit.TALLYD, program)
    with Pool(process_model="ondemand", idle_timeout="100ms", through=lambda
              command: [program if part == kit.TALLYD else part
                        for part in command]) as pool:
        serves(pool)
        kit.until("no worker is left",
                  lambda: not procfs.children_of(pool.pid))
        status, _out, errors = ask(pool, "upgrade")
        tap.equal(status, 0, f"the status of upgrade: {errors}")
        tap.equal(pool.count("ok"), 1, "requests counted")
        tap.equal(pool.log_lines("begin at 0"), [], "complaints")


sys.exit(kit.run())

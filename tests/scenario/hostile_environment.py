#!/usr/bin/env python3
"""Whoever starts tallyd may leave it a strange world: closed or full
descriptors, blocked signals, odd variables, no directory."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool, run_tallyd

SUM = b'{"sum":42}'


def run_in(script):
    """Start the pool through a shell that does `script` first."""
    return lambda command: ["sh", "-c", f"{script}; exec \"$@\"", "sh",
                            *command]


def expect_service(pool):
    for _turn in range(3):
        tap.equal(pool.post(SAMPLE).body, SUM, "the reply")


@tap.test
def closed_standard_descriptors_are_not_reused():
    if kit.WRAPPER:
        raise tap.Skip("the wrapper needs descriptors of its own")
    log = kit.fresh_path("log")
    pool = Pool(start=False, log_file=log,
                through=lambda command: ["sh", "-c", 'exec "$@" <&- >&- 2>&-',
                                         "sh", *command])
    pool.process = kit.Process("tallyd", pool.command)
    kit.until("it serves", lambda: log.exists()
              and "serving on" in log.read_text())
    with pool:
        expect_service(pool)
        for pid in pool.wait_for_workers():
            for number in (0, 1, 2):
                target = os.readlink(f"/proc/{pid}/fd/{number}")
                tap.equal(target, "/dev/null", f"descriptor {number}")


@tap.test
def leaked_descriptors_are_closed():
    leaked = os.open("/etc/passwd", os.O_RDONLY)
    try:
        os.set_inheritable(leaked, True)
        with Pool(pass_fds=(leaked,)) as pool:
            for pid in pool.wait_for_workers():
                open_files = {os.readlink(entry.path) for entry
                              in os.scandir(f"/proc/{pid}/fd")}
                tap.check("/etc/passwd" not in open_files, "it is open")
    finally:
        os.close(leaked)


@tap.test
def a_log_nobody_reads_stops_nothing():
    reader, writer = os.pipe()
    try:
        pool = Pool(start=False)
        process = subprocess.Popen(pool.command, stderr=writer,
                                   stdin=subprocess.DEVNULL)
        try:
            pool.wait_until_up()
            for _turn in range(1500):  # far more than a pipe holds
                tap.equal(pool.post(SAMPLE).body, SUM, "the reply")
            tap.check(pool.count("log_dropped") > 0, "nothing was dropped")
        finally:
            process.terminate()
            tap.equal(process.wait(kit.wait_limit(10)), 0, "the exit status")
    finally:
        os.close(reader)
        os.close(writer)


@tap.test
def a_log_reader_that_dies_stops_nothing():
    reader, writer = os.pipe()
    pool = Pool(start=False)
    process = subprocess.Popen(pool.command, stderr=writer,
                               stdin=subprocess.DEVNULL)
    try:
        os.close(writer)
        pool.wait_until_up()
        os.close(reader)
        expect_service(pool)
    finally:
        process.terminate()
        tap.equal(process.wait(kit.wait_limit(10)), 0, "the exit status")


@tap.test
def ignored_signals_are_heard():
    with Pool(through=run_in("trap '' TERM CHLD PIPE HUP INT QUIT USR1")) \
            as pool:
        before = pool.wait_for_workers()
        expect_service(pool)
        os.kill(before[0], signal.SIGKILL)
        pool.wait_for_workers(besides=before[:1])
        expect_service(pool)


@tap.test
def blocked_signals_are_heard():
    script = ("import os, signal, sys; signal.pthread_sigmask("
              "signal.SIG_SETMASK, range(1, 32)); "
              "os.execv(sys.argv[1], sys.argv[1:])")
    with Pool(through=lambda command: [sys.executable, "-c", script,
                                       shutil.which(command[0]),
                                       *command[1:]]) as pool:
        before = pool.wait_for_workers()
        os.kill(before[1], signal.SIGKILL)
        pool.wait_for_workers(besides=before[1:])
        expect_service(pool)


@tap.test
def a_strange_environment_changes_nothing():
    if kit.WRAPPER:
        raise tap.Skip("the wrapper is found by PATH")
    env = {"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR", "TZ": "No/Such",
           "LISTEN_FDS": "x", "LISTEN_PID": "1", "HOME": "", "PATH": "",
           "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "-5",
           "FCGI_WEB_SERVER_ADDRS": "203.0.113.9",
           **{f"X{i}": "y" * 1000 for i in range(100)}}
    with Pool({"main": {"numbers": "double"}}, env=env) as pool:
        tap.equal(pool.post(b'{"items":[{"value":0.25}]}').body,
                  b'{"sum":0.5}', "the reply")


@tap.test
def a_directory_that_is_gone_is_not_needed():
    gone = kit.fresh_path("gone")
    with Pool(through=run_in(f"mkdir {gone}; cd {gone}; rmdir {gone}")) \
            as pool:
        expect_service(pool)


@tap.test
def an_umask_does_not_open_the_socket():
    with Pool(through=run_in("umask 0"), socket_mode="0600") as pool:
        mode = os.stat(pool.socket).st_mode & 0o777
        tap.equal(oct(mode), "0o600", "the mode of the socket")
        tap.check(os.stat(pool.scoreboard).st_mode & 0o022 == 0,
                  "others may write the scoreboard")


@tap.test
def an_umask_of_0777_closes_nothing_needed():
    """An umask of 0777 does not close the socket; the files follow it"""
    with Pool(through=run_in("umask 0777"), socket_mode="0660",
              pid_file=kit.fresh_path("pid")) as pool:
        expect_service(pool)
        mode = os.stat(pool.socket).st_mode & 0o777
        tap.equal(oct(mode), "0o660", "the mode of the socket")
        for path in (pool.scoreboard, pool.settings["pid_file"]):
            mode = os.stat(path).st_mode & 0o777
            tap.equal(oct(mode), "0o0", f"the mode of {path}")


@tap.test
def a_huge_environment_is_no_burden():
    """A megabyte of variables, and long ones"""
    env = {f"HUGE_{i}": "z" * 100_000 for i in range(10)}
    env |= {f"E{i}": "" for i in range(2000)}
    with Pool(env=env) as pool:
        expect_service(pool)


@tap.test
def a_file_that_cannot_be_made_is_told():
    """Paths that are not there, that are directories, that lead through a
    file: a clear line and status 1 or 78"""
    for key in ("scoreboard", "pid_file", "log_file", "listen"):
        for path in ("/none/such/file", str(kit.DIRECTORY),
                     "/etc/passwd/file"):
            status, _out, errors = run_tallyd(
                "-s", f"pool.listen={kit.fresh_path('s')}",
                "-s", f"pool.{key}={path}")
            tap.check(status in (1, 78),
                      f"{key} = {path}: the exit status is {status}")
            tap.contains(errors, path, f"{key}: the message")
    tap.check(kit.DIRECTORY.is_dir(), "the directory was replaced")


sys.exit(kit.run())

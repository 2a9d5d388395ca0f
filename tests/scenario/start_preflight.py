#!/usr/bin/env python3
"""What is around the settings and would stop a start: `tallyd -t` and the start
say the same of it, with file, line and key."""

import os
import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import Pool, run_tallyd

USER = 12345  # nobody's


def settings_file(*lines):
    """One with [pool] and these lines; its first one is the second."""
    path = kit.fresh_path("tallyd.conf")
    path.write_text("[pool]\n" + "".join(line + "\n" for line in lines))
    path.chmod(0o644)
    return path


def run_as_user(*arguments):
    """As a user without rights; as the one who runs the test if that is one."""
    words = kit.tallyd(*arguments)
    if os.geteuid() == 0:
        words = ["setpriv", f"--reuid={USER}", f"--regid={USER}",
                 "--clear-groups", *words]
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          timeout=kit.wait_limit(20), stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def both_refuse(path, *wanted, run=run_tallyd):
    """-t and the start print these lines, each with what it should have."""
    status, out, tested = run("-t", "-c", path)
    tap.equal((status, out), (1, ""), f"-t of {path.read_text()!r}: {tested}")
    lines = tested.splitlines()
    tap.equal(len(lines), len(wanted), f"lines of -t ({tested})")
    for line, part in zip(lines, wanted):
        tap.check(line.startswith(f"tallyd: {path}:"), line)
        tap.contains(line, part, "what -t says")
    status, _out, started = run("-c", path)
    tap.equal((status, started), (1, tested), "what the start says")


@tap.test
def places_that_are_missing():
    """a directory that is missing, for every file of the pool"""
    for key, value in (("listen", "/no/such/t.sock"),
                       ("status_listen", "/no/such/t.sock"),
                       ("pid_file", "/no/such/pid"),
                       ("scoreboard", "/no/such/board"),
                       ("log_file", "/no/such/log"),
                       ("access_log", "/no/such/log"),
                       ("slow_log", "/no/such/log")):
        other = "" if key == "listen" else f"listen = {kit.fresh_path('s')}"
        both_refuse(settings_file(other, f"{key} = {kit.DIRECTORY}{value}",
                                  "slow_threshold = 1s"),
                    f":3: [pool] {key} = {kit.DIRECTORY}{value}: No such file")


@tap.test
def places_that_are_closed():
    """a directory that the user who starts may not write to"""
    closed = kit.fresh_path("closed")
    closed.mkdir(mode=0o555)
    taken = kit.fresh_path("taken")
    taken.write_text("")
    taken.chmod(0o444)
    if os.geteuid() == 0:
        os.chown(closed, 0, 0)
    for key in "listen", "pid_file", "scoreboard", "log_file":
        other = "" if key == "listen" else "listen = 127.0.0.1:" + str(
            kit.free_port("127.0.0.1"))
        both_refuse(settings_file(other, f"{key} = {closed}/x"),
                    f":3: [pool] {key} = {closed}/x: Permission denied",
                    run=run_as_user)
    both_refuse(settings_file(other, f"slow_log = {taken}",
                              "slow_threshold = 1s"),
                f":3: [pool] slow_log = {taken}: Permission denied",
                run=run_as_user)


@tap.test
def addresses_that_are_taken():
    """a port, a socket that answers, a file that is none"""
    with socket.create_server((kit.HOST, 0)) as tcp, \
            socket.socket(socket.AF_UNIX) as unix:
        port = tcp.getsockname()[1]
        path, plain = kit.fresh_path("t.sock"), kit.fresh_path("plain")
        plain.write_text("")
        unix.bind(str(path))
        unix.listen()
        for key in "listen", "status_listen":
            other = "" if key == "listen" else f"listen = {kit.fresh_path('s')}"
            for value, part in ((f"{kit.HOST}:{port}", "stop the other process"),
                                (path, "another process is serving there"),
                                (plain, "a file that is not a socket")):
                both_refuse(settings_file(other, f"{key} = {value}"),
                            f":3: [pool] {key} = {value}: ")
                both_refuse(settings_file(other, f"{key} = {value}"), part)


@tap.test
def a_file_that_is_no_scoreboard():
    path = kit.fresh_path("board")
    path.write_text("letters to mother")
    both_refuse(settings_file(f"listen = {kit.fresh_path('s')}",
                              f"scoreboard = {path}"),
                f":3: [pool] scoreboard = {path}: there is a file that is no")
    tap.equal(path.read_text(), "letters to mother", "the file")


@tap.test
def owners_that_do_not_exist():
    both_refuse(settings_file(f"listen = {kit.fresh_path('s')}",
                              "socket_group = no-such-group"),
                ":3: [pool] socket_group = no-such-group: no such group")


@tap.test
def files_that_the_pool_cannot_read():
    """a key that root can read and the pool's user cannot"""
    if os.geteuid() != 0:
        raise tap.Skip("needs root, who can read what the pool cannot")
    key = kit.fresh_path("key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-subj", "/CN=x", "-keyout", key, "-out", f"{key}.crt"],
                   check=True, capture_output=True)
    key.chmod(0o600)
    both_refuse(settings_file(
        f"listen = {kit.fresh_path('s')}", "user = nobody", "[endpoint a]",
        "downstream = https://127.0.0.1:1/", f"downstream_cert = {key}.crt",
        f"downstream_key = {key}"),
        f":7: [endpoint a] downstream_key = {key}: user nobody cannot read it: "
        f"{key}: Permission denied")


@tap.test
def every_fault_is_told():
    """several faults, a line each; one set on the command line is told so"""
    path = settings_file("listen = /no/such/t.sock", "pid_file = /no/pid",
                         "log_file = /no/log")
    both_refuse(path, ":4: [pool] log_file", ":3: [pool] pid_file",
                ":2: [pool] listen")
    status, _out, errors = run_tallyd("-t", "-s", "pool.pid_file=/no/pid")
    tap.equal(status, 1, f"the exit status ({errors})")
    tap.contains(errors, "tallyd: -s [pool] pid_file = /no/pid: No such",
                 "what it says")


@tap.test
def the_running_pool_is_not_in_the_way():
    """what the pool has that runs with this scoreboard, or this pid file"""
    for named in "scoreboard", "pid_file":
        for listen in kit.fresh_path("s"), f"{kit.HOST}:{kit.free_port()}":
            more = {"status_listen": f"{kit.HOST}:{kit.free_port()}",
                    "listen": listen, "pid_file": kit.fresh_path("pid")}
            with Pool(**more) as pool:
                lines = [f"{key} = {value}" for key, value in (
                    ("listen", listen), ("status_listen", more["status_listen"]),
                    (named, pool.scoreboard if named == "scoreboard"
                     else more["pid_file"]))]
                status, _out, errors = run_tallyd("-t", "-c",
                                                  settings_file(*lines))
                tap.equal(status, 0, f"-t with the {named} ({errors})")
                both_refuse(settings_file(*lines[:2]),
                            f":2: [pool] listen = {listen}", ":3: [pool] status_")
                status, _out, errors = run_tallyd("-c", settings_file(*lines))
                tap.equal(status, 1, f"a second start ({errors})")
                tap.contains(errors, f":4: [pool] {named} = ", "what it says")
                tap.contains(errors, f"process {pool.pid} ", "what it says")


@tap.test
def another_process_is_in_the_way_of_a_running_pool():
    """a port that the pool by this scoreboard does not have"""
    with Pool() as pool, socket.create_server((kit.HOST, 0)) as tcp:
        status, _out, errors = run_tallyd(
            "-t", "-c", pool.config, "-s",
            f"pool.status_listen={kit.HOST}:{tcp.getsockname()[1]}")
        tap.equal(status, 1, f"the exit status ({errors})")
        tap.contains(errors, "tallyd: -s [pool] status_listen = ", "what it says")


@tap.test
def the_default_address_is_a_note():
    """a service manager may hand over what the default names"""
    if pathlib.Path("/run/tallyd").exists():
        raise tap.Skip("there is a /run/tallyd")
    status, _out, errors = run_tallyd("-t")
    tap.equal(status, 0, f"the exit status ({errors})")
    tap.contains(errors, "tallyd: note: [pool] listen = /run/tallyd/tallyd.sock:"
                 " No such file", "what -t says")
    status, _out, errors = run_tallyd()
    tap.equal(status, 1, f"the exit status of a start ({errors})")


sys.exit(kit.run())

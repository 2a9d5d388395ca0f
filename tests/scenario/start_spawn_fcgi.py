#!/usr/bin/env python3
"""spawn-fcgi makes the socket and hands it over as descriptor 0, by the script
of conf/ as it is shipped."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from pool import SAMPLE, Pool, write_settings

SCRIPT = kit.CONF / "spawn-fcgi/tallyd"


def program():
    """tallyd as one word: spawn-fcgi takes the wrapper as plain arguments."""
    if not kit.WRAPPER:
        return kit.tallyd()[0]
    path = kit.fresh_path("tallyd")
    path.write_text('#!/bin/sh\nexec ' + " ".join(kit.tallyd()) + ' "$@"\n')
    path.chmod(0o755)
    return path


def environment(config, sock, **more):
    return {"TALLYD": str(program()), "TALLYD_CONF": str(config),
            "TALLYD_SOCKET": str(sock), "TALLYD_SOCKET_MODE": "0600", **more}


def serves(sock):
    reply = fastcgi.post(sock, SAMPLE, kit.wait_limit(10))
    tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")


@tap.test
def supervised():
    """spawn-fcgi -n: tallyd supervises its workers on the given socket"""
    sock = kit.fresh_path("spawned.sock")
    pool = Pool(start=False, listen=kit.DIRECTORY / "not-this.sock", workers=3)
    pool.command = [SCRIPT]
    pool.arguments["env"] = environment(pool.config, sock)
    with pool:
        pool.start()
        tap.contains(pool.log(), "serving on an inherited socket", "the log")
        tap.equal(oct(stat.S_IMODE(os.stat(sock).st_mode)), "0o600",
                  "the mode")
        workers = pool.wait_for_workers(3)
        tap.equal(procfs.children_of(pool.pid), sorted(workers),
                  "the children of the process that was spawn-fcgi")
        for _turn in range(6):
            serves(sock)
        # Descriptor 0 is no longer the socket: nobody adopts it twice.
        for pid in [pool.pid, *pool.workers()]:
            tap.equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null",
                      "descriptor 0")
    tap.check(not (kit.DIRECTORY / "not-this.sock").exists(),
              "tallyd has made a socket of its own")
    tap.check(sock.exists(), "tallyd removed a socket that is not its own")


@tap.test
def plain():
    """spawn-fcgi -F 4 with workers = 0: four processes without a supervisor"""
    sock, pids = kit.fresh_path("spawned.sock"), kit.fresh_path("pids")
    config = kit.fresh_path("tallyd.conf")
    log = kit.fresh_path("tallyd.log")
    write_settings(config, {"log_file": log, "log_level": "debug",
                            "workers": 7}, {})
    starter = kit.Process("spawn-fcgi", [SCRIPT], env=environment(
        config, sock, TALLYD_MODE="plain", TALLYD_PID_FILE=str(pids)))
    tap.equal(starter.wait(), 0, f"how spawn-fcgi ended ({starter.log()})")
    workers = []
    try:
        workers = [int(word) for word in pids.read_text().split()]
        tap.equal(len(set(workers)), 4, "pids in the file")
        kit.until("all four serve", lambda: log.exists() and log.read_text(
            ).count("serving on an inherited socket with 0 workers") == 4)
        for pid in workers:
            tap.check(procfs.is_alive(pid), f"{pid} is not there")
            tap.equal(procfs.children_of(pid), [], "children")
        for _turn in range(8):
            serves(sock)
        # One that is killed is missed by nobody.
        os.kill(workers[0], signal.SIGKILL)
        kit.until("it is gone", lambda: not procfs.is_alive(workers[0]))
        for _turn in range(8):
            serves(sock)
        for pid in workers[1:]:
            os.kill(pid, signal.SIGTERM)
        kit.until("all have stopped", lambda: not any(
            procfs.is_alive(pid) for pid in workers))
        for pid in workers[1:]:
            _pid, status = os.waitpid(pid, 0)
            tap.equal(status, 0, "the exit status")
    except Exception:
        tap.note(*(log.read_text().splitlines()[-20:] if log.exists() else []))
        raise
    finally:
        for pid in workers:
            if procfs.is_alive(pid):
                os.kill(pid, signal.SIGKILL)


@tap.test
def without_standard_output():
    """descriptors 1 and 2 may be closed, as FastCGI 1.0 (2.2) has it"""
    if kit.WRAPPER:
        raise tap.Skip("the wrapper needs descriptors of its own")
    sock = kit.fresh_path("spawned.sock")
    config, log = kit.fresh_path("tallyd.conf"), kit.fresh_path("tallyd.log")
    write_settings(config, {"log_file": log, "log_level": "debug",
                            "workers": 0}, {})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(sock))
        listener.listen(8)
        pool = kit.Process("tallyd", ["sh", "-c", 'exec "$@" >&- 2>&-', "sh",
                                      *kit.tallyd("-c", config)],
                           stdin=listener)
    with pool:
        kit.until("it serves", lambda: log.exists()
                  and "serving on" in log.read_text())
        serves(sock)
        descriptors = {os.readlink(f"/proc/{pool.pid}/fd/{number}")
                       for number in (0, 1, 2)}
        tap.equal(descriptors, {"/dev/null"}, "descriptors 0 to 2")


@tap.test
def what_is_no_listening_socket_is_left_alone():
    """a connected socket or a datagram socket as descriptor 0 is no listener"""
    ours, theirs = socket.socketpair()
    datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for given in ours, datagram:
        pool = Pool(stdin=given)
        with pool:
            tap.contains(pool.log(), f"serving on {pool.socket}", "the log")
            serves(pool.socket)
    for sock in ours, theirs, datagram:
        sock.close()


@tap.test
def a_wrong_mode_is_told():
    done = subprocess.run([SCRIPT], env={**os.environ, "TALLYD_MODE": "x"},
                          capture_output=True, text=True, check=False,
                          timeout=kit.wait_limit())
    tap.equal(done.returncode, 64, "the exit status")
    tap.contains(done.stderr, "TALLYD_MODE", "what it says")



if kit.find_server("spawn-fcgi") is None:
    sys.exit(tap.skip_all("spawn-fcgi is not installed"))
sys.exit(kit.run())

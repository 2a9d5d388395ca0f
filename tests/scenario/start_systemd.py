#!/usr/bin/env python3
"""Sockets passed as systemd does it: from descriptor 3 on, with LISTEN_FDS and
LISTEN_PID (sd_listen_fds(3))."""

import fcntl
import os
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from pool import SAMPLE, Pool

# Moves the sockets it is given to 3, 4, ... and becomes tallyd, so that
# LISTEN_PID can be its own pid.
LAUNCHER = """
import os, sys
count, pid = len(sys.argv[1].split(',')), sys.argv[2]
for place, number in enumerate(sys.argv[1].split(','), 3):
    os.dup2(int(number), place)
os.environ.update(LISTEN_FDS=sys.argv[3] or str(count),
                  LISTEN_PID=pid or str(os.getpid()),
                  LISTEN_FDNAMES='tallyd.socket')
os.execvp(sys.argv[4], sys.argv[4:])
"""


def make_socket(backlog=16):
    path = kit.fresh_path("systemd.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(backlog)
    return listener, path


def pool_with(*sockets, pid="", count="", **settings):
    """A pool that is started with these sockets passed to it."""
    # Clear of 3, 4, ...: dup2() must not overwrite one before it is used.
    numbers = [fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 20)
               for sock in sockets]
    listed = ",".join(map(str, numbers))
    pool = Pool(through=lambda command: [
        sys.executable, "-c", LAUNCHER, listed, pid, count, *command],
        pass_fds=numbers, **settings)
    for number in numbers:
        os.close(number)
    return pool


def serves(address):
    reply = fastcgi.post(address, SAMPLE, kit.wait_limit(10))
    tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")


@tap.test
def a_passed_socket_is_served():
    """a passed unix socket is served, and kept at the stop"""
    listener, path = make_socket()
    passed = f"socket:[{os.fstat(listener.fileno()).st_ino}]"
    with listener, pool_with(listener) as pool:
        tap.contains(pool.log(), "serving on an inherited socket", "the log")
        tap.check(not pool.socket.exists(), "it has made its own socket too")
        serves(path)
        for pid in [pool.pid, *pool.wait_for_workers()]:
            there = [number for number in os.listdir(f"/proc/{pid}/fd")
                     if os.readlink(f"/proc/{pid}/fd/{number}") == passed]
            tap.check(there, f"pid {pid} does not have it")
            for number in there:
                with open(f"/proc/{pid}/fdinfo/{number}") as info:
                    flags = next(line for line in info
                                 if line.startswith("flags"))
                tap.check(int(flags.split()[1], 8) & os.O_CLOEXEC,
                          f"descriptor {number} is not closed on exec")
        pool.stop()
        tap.check(path.exists(), "the socket file is gone")


@tap.test
def requests_wait_over_a_restart():
    """what comes between two pools waits in the socket for the second"""
    listener, path = make_socket()
    with listener:
        with pool_with(listener):
            serves(path)
        with fastcgi.Link(path, kit.wait_limit(10)) as link:
            link.send(fastcgi.request(SAMPLE))
            with pool_with(listener):
                tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")


@tap.test
def a_passed_tcp_socket_is_served():
    with socket.create_server((kit.HOST, 0)) as listener, \
            pool_with(listener):
        serves(listener.getsockname())


@tap.test
def without_a_supervisor_too():
    """a passed socket with workers = 0"""
    listener, path = make_socket()
    with listener, pool_with(listener, workers=0):
        serves(path)


@tap.test
def sockets_meant_for_another_process_are_left():
    """LISTEN_PID of another process: tallyd makes its own socket"""
    listener, _path = make_socket()
    with listener, pool_with(listener, pid="1") as pool:
        tap.contains(pool.log(), f"serving on {pool.socket}", "the log")
        serves(pool.socket)


@tap.test
def more_than_one_socket_is_told():
    """of several sockets the first is used, with a warning"""
    first, path = make_socket()
    second, _path = make_socket()
    with first, second, pool_with(first, second) as pool:
        tap.equal(len(pool.log_lines("warn", "LISTEN_FDS offers 2")), 1,
                  "warnings")
        serves(path)


@tap.test
def nonsense_is_no_socket():
    """a LISTEN_FDS that is not true: tallyd makes its own socket"""
    with socket.socket(socket.AF_UNIX) as unbound:
        for count in ("0", "-1", "x", "99999999999999999999"):
            with pool_with(unbound, count=count) as pool:
                serves(pool.socket)


sys.exit(kit.run())

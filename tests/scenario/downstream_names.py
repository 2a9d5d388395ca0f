#!/usr/bin/env python3
"""Names of downstreams: a name server that never answers, and a name that
moves. In a network of its own, with name server, hosts and their order as the
test wants them (resolv.conf(5), hosts(5), nsswitch.conf(5))."""

import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from pool import SAMPLE, Pool

INSIDE = "TEST_OWN_NETWORK"
OK = b'{"ok":true}'
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS,
                    struct.pack("16sH14s", b"lo", IFF_UP, b""))


def replace(path, text):
    """Have `path` read as this, for us and our children alone; gives the file
    that stands there now, which may be changed in place."""
    own = kit.fresh_path(pathlib.Path(path).name)
    own.write_text(text)
    own.chmod(0o644)
    subprocess.run(["mount", "--bind", own, os.path.realpath(path)], check=True)
    return own


def reason_to_skip():
    if os.geteuid() != 0:
        return "only root may make a network"
    done = subprocess.run(["unshare", "--net", "--mount", "true"], check=False,
                          capture_output=True)
    return None if done.returncode == 0 else "no network can be made here"


class Names:
    """A network without names but those of `hosts`, and a name server that
    hears every question and answers none."""

    def __init__(self):
        reason = reason_to_skip()
        if reason and INSIDE not in os.environ:
            raise tap.Skip(reason)
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 53))
        self.server.setblocking(False)
        replace("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        replace("/etc/nsswitch.conf", "hosts: files dns\n")
        self.hosts = replace("/etc/hosts", "127.0.0.1 localhost\n")

    def lead(self, name, address):
        self.hosts.write_text(f"127.0.0.1 localhost\n{address} {name}\n")

    def was_asked(self):
        try:
            return bool(self.server.recv(512))
        except BlockingIOError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        for path in ("/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts"):
            subprocess.run(["umount", os.path.realpath(path)], check=True)


def pool_for(name, port, **endpoint):
    return Pool({"main": {"downstream": f"http://{name}:{port}/post",
                          **endpoint}}, workers=1, request_timeout="3s")


@tap.test
def a_name_server_that_never_answers():
    """the deadlines hold, and no worker is killed for it"""
    with Names() as names, pool_for("handler.test", 80, timeout="2s",
                                    connect_timeout="500ms") as pool:
        workers = pool.wait_for_workers()
        for number in range(4):
            reply = pool.post(SAMPLE)
            tap.equal(reply.status, 504, f"request {number}: {reply.body}")
        tap.check(names.was_asked(), "the name server was asked")
        tap.equal(pool.workers(), workers, "the workers")
        tap.equal(pool.count("exits_signal"), 0, "workers killed")


@tap.test
def nothing_else_waits_for_a_name_server():
    """an endpoint whose name is known is served between the others"""
    with Names() as names, Downstream() as down:
        names.lead("here.test", kit.HOST)
        endpoints = {
            "far": {"path": "/far", "connect_timeout": "300ms",
                    "downstream": "http://handler.test/"},
            "near": {"path": "/near",
                     "downstream": f"http://here.test:{down.port}/"}}
        with Pool(endpoints, workers=1) as pool:
            workers = pool.wait_for_workers()
            for _ in range(3):
                tap.equal(pool.post(SAMPLE, path="/far").status, 504, "/far")
                tap.equal(pool.post(SAMPLE, path="/near").status, 200, "/near")
            tap.equal(pool.workers(), workers, "the workers")


@tap.test
def a_name_that_moves_is_followed():
    """at once where nobody answers at the old address"""
    port = kit.free_port()
    with Names() as names, \
            Downstream(host="127.77.0.1", port=port) as old, \
            Downstream(host="127.77.0.2", port=port) as new:
        names.lead("handler.test", "127.77.0.1")
        with pool_for("handler.test", port) as pool:
            tap.equal(pool.post(SAMPLE).body, OK, "the first reply")
            names.lead("handler.test", "127.77.0.2")
            old.close()
            kit.until("the new one is found", lambda:
                      pool.post(SAMPLE).body == OK)
            tap.equal(len(new.requests), 1, "posts to the new one")
            tap.equal(pool.count("downstream_connect"), 0, "requests that failed")


@tap.test
def a_name_that_moves_is_followed_after_downstream_lifetime():
    """though somebody still answers at the old address"""
    port = kit.free_port()
    with Names() as names, \
            Downstream(host="127.77.0.1", port=port), \
            Downstream(host="127.77.0.2", port=port) as new:
        names.lead("handler.test", "127.77.0.1")
        with pool_for("handler.test", port,
                      downstream_lifetime="1s") as pool:
            tap.equal(pool.post(SAMPLE).body, OK, "the first reply")
            names.lead("handler.test", "127.77.0.2")
            kit.until("the new one is found", lambda: (
                pool.post(SAMPLE).body == OK and new.requests), limit=20)


if __name__ == "__main__":
    if INSIDE not in os.environ and reason_to_skip() is None:
        os.execvpe("unshare", ["unshare", "--net", "--mount", "--propagation",
                               "private", sys.executable, *sys.argv],
                   {**os.environ, INSIDE: "1"})
    if INSIDE in os.environ:
        bring_loopback_up()
    sys.exit(kit.run())

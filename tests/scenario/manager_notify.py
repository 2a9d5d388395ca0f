#!/usr/bin/env python3
"""A service manager with Type=notify and a watchdog (sd_notify(3)): what it is
told at the start, at a reload, at the stop, and while something is wrong."""

import os
import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import reloads
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, serves


class Manager:
    """Its end of NOTIFY_SOCKET."""

    def __init__(self, watchdog_ms=None):
        self.path = kit.fresh_path("notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.env = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog_ms:
            self.env["WATCHDOG_USEC"] = str(watchdog_ms * 1000)

    def next(self, within=None):
        """The next message: {variable: value}; {} when none comes. `within`:
        seconds in which none is to come."""
        self.socket.settimeout(within or kit.wait_limit())
        try:
            text = self.socket.recv(4096).decode()
        except TimeoutError:
            return {}
        return dict(line.split("=", 1) for line in text.split("\n"))

    def wait(self, variable):
        """The next message that has it; others are passed over."""
        while True:
            message = self.next()
            tap.check(message, f"{variable} never came")
            if variable in message:
                return message

    def forget(self):
        """Pass over what is there."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            pass


@tap.test
def ready_is_told_once_it_serves():
    """READY=1 when the workers wait, not before; STOPPING=1 at the stop"""
    manager = Manager()
    with Pool(workers=3, env=manager.env, drain_timeout="5s") as pool:
        message = manager.next()
        tap.equal(message, {"READY": "1", "STATUS": "serving, generation 1"},
                  "the first message")
        tap.equal(len(pool.workers()), 3, "workers that serve")
        serves(pool)
        pool.process.send(signal.SIGTERM)
        message = manager.next()
        tap.equal((message.get("STOPPING"),
                   message.get("EXTEND_TIMEOUT_USEC")), ("1", "10000000"),
                  "at the stop")
        pool.process.wait()
        tap.equal(manager.next(within=0.1), {}, "more messages")


@tap.test
def without_a_supervisor_too():
    """READY=1 with workers = 0"""
    manager = Manager()
    with Pool(workers=0, env=manager.env):
        tap.equal(manager.next().get("READY"), "1", "READY")


@tap.test
def reloads_are_told():
    """RELOADING=1 with the time, then READY=1; also when a reload fails"""
    manager = Manager()
    with Pool(env=manager.env) as pool:
        manager.wait("READY")
        reloads.reload(pool)
        message = manager.next()
        tap.equal(message.get("RELOADING"), "1", "RELOADING")
        tap.check(int(message["MONOTONIC_USEC"]) > 0, "no time")
        tap.equal(manager.next(), {"READY": "1",
                                   "STATUS": "serving, generation 2"}, "then")
        pool.config.write_text("[pool]\nworker = 3\n")
        pool.process.send(signal.SIGHUP)
        tap.equal(manager.next().get("RELOADING"), "1", "RELOADING")
        tap.equal(manager.next(), {"READY": "1",
                                   "STATUS": "serving, generation 2"}, "then")


@tap.test
def signs_of_life():
    """WATCHDOG=1 again and again, idle and busy"""
    manager = Manager(watchdog_ms=100)
    with Pool(env=manager.env) as pool:
        for _turn in range(5):
            manager.wait("WATCHDOG")
            serves(pool)


@tap.test
def a_watchdog_for_another_process():
    """WATCHDOG_PID of somebody else: no signs of life"""
    manager = Manager(watchdog_ms=20)
    manager.env["WATCHDOG_PID"] = "1"
    with Pool(env=manager.env):
        manager.wait("READY")
        tap.equal(manager.next(within=0.5), {}, "more messages")


@tap.test
def a_slow_downstream_is_no_fault():
    """every worker waits for the downstream: the signs go on"""
    manager = Manager(watchdog_ms=100)
    with Downstream() as down, Pool(
            {"main": {"downstream": down.url}}, workers=2,
            env=manager.env) as pool:
        down.hold()
        links = [pool.link() for _ in range(2)]
        for link in links:
            link.send(fastcgi.request(SAMPLE))
        kit.until("both wait", lambda: [
            worker["state"] for worker in pool.status()["workers"]]
            == ["posting", "posting"])
        manager.forget()
        for _turn in range(5):
            manager.wait("WATCHDOG")
        down.release()
        for link in links:
            tap.equal(link.read_reply().status, 200, "the status")
            link.close()


@tap.test
def workers_that_are_stopped():
    """SIGSTOP to every worker: they are replaced, and the signs go on"""
    manager = Manager(watchdog_ms=100)
    with Pool(workers=2, selftest_interval="50ms", env=manager.env) as pool:
        pids = pool.wait_for_workers()
        manager.wait("WATCHDOG")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        pool.wait_for_workers(2, besides=pids)
        manager.forget()
        manager.wait("WATCHDOG")
        serves(pool)


@tap.test
def a_manager_that_is_gone():
    """one that does not read, or goes away, stops nothing"""
    manager = Manager(watchdog_ms=2)
    with Pool(env=manager.env) as pool:
        manager.wait("READY")
        kit.until("its queue is full", lambda: fills(manager))
        serves(pool)
        manager.socket.close()
        manager.path.unlink()
        reloads.reload(pool)
        serves(pool)


def fills(manager):
    """Would another datagram block?"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            probe.sendto(b"X=1", str(manager.path))
        except BlockingIOError:
            return True
    return False


sys.exit(kit.run())

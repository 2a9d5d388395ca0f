#!/usr/bin/env python3
"""stop_delay: told to stop, a pool says that it is not ready, and serves on."""

import contextlib
import os
import pathlib
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, run_tallyctl, serves

ECHO = 1.25  # a stop told again within a second was told once


def pool_with(endpoints=None, **settings):
    return Pool(endpoints, **{
        "status_listen": f"{kit.HOST}:{kit.free_port()}", "stop_delay": "1h",
        "log_level": "info", **settings})


def told(pool, number=signal.SIGTERM):
    """It has been told to stop, and says so."""
    pool.process.send(number)
    pool.wait_for_log("stopping: not ready any more")


def readiness(pool):
    page = pool.page("/readyz")
    return page.status, page.text


def ping(pool):
    return pool.post(b"", path="/ping", method="GET").status


@tap.test
def it_is_not_ready_and_serves_everything():
    """new connections, kept ones, and a worker that dies is replaced"""
    with pool_with(workers=2, ping_path="/ping") as pool:
        workers = pool.wait_for_workers()
        with pool.link() as kept:
            kept.send(fastcgi.request(SAMPLE, keep=True))
            kept.read_reply()
            tap.equal((readiness(pool)[0], ping(pool)), (200, 200),
                      "/readyz and ping_path")
            told(pool)
            status, text = readiness(pool)
            tap.equal(status, 503, "/readyz")
            tap.contains(text, "told to stop", "/readyz")
            tap.equal(ping(pool), 503, "ping_path")
            for _turn in range(10):
                serves(pool)
                kept.send(fastcgi.request(SAMPLE, keep=True))
                tap.equal(kept.read_reply().status, 200, "the status")
            os.kill(workers[0], signal.SIGKILL)
            pool.wait_for_workers(2, besides=workers[:1])
            serves(pool)
            tap.contains(procfs.command_of(pool.pid), "stopping", "the title")
        time.sleep(ECHO)
        pool.stop()


@contextlib.contextmanager
def one_in_hand(**settings):
    """A pool that waits for its downstream: (pool, downstream, link)."""
    with Downstream() as down, pool_with(
            {"main": {"downstream": down.url}}, workers=1, **settings) as pool:
        down.hold()
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE))
            down.wait_for(1)
            yield pool, down, link


@tap.test
def the_drain_begins_when_it_is_over():
    """...and what is in hand is finished"""
    with one_in_hand(stop_delay="500ms") as (pool, down, link):
        began = time.monotonic()
        told(pool)
        pool.wait_for_log("draining: 1 workers, at most 30000 ms")
        took = time.monotonic() - began
        down.release()
        tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.check(took >= 0.5, f"it began after {took:.2f} s")


@tap.test
def drain_timeout_is_counted_from_then_on():
    with one_in_hand(stop_delay="1500ms", drain_timeout="500ms") as (
            pool, _down, _link):
        began = time.monotonic()
        told(pool)
        tap.equal(pool.process.wait(), 0, "the exit status")
        took = time.monotonic() - began
        tap.contains(pool.log(), "draining: 1 workers, at most 500 ms",
                     "the log")
        tap.check(took >= 2, f"it ended after {took:.2f} s")


def ends_at_once(second, **settings):
    with pool_with(**settings) as pool:
        told(pool)
        serves(pool)
        time.sleep(ECHO)
        pool.process.send(second)
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.check(not pool.socket.exists(), "the socket file is still there")


@tap.test
def a_second_order_ends_it_at_once():
    """TERM, QUIT or INT, within the delay"""
    for second in signal.SIGTERM, signal.SIGQUIT, signal.SIGINT:
        ends_at_once(second)


@tap.test
def a_reload_does_not_begin():
    with pool_with(workers=1) as pool:
        pool.wait_for_workers()
        told(pool)
        pool.process.send(signal.SIGHUP)
        serves(pool)
        serves(pool)
        tap.equal(pool.status()["supervisor"]["reloads"], 0, "reloads")
        tap.check("draining" not in pool.log(), pool.log())
        time.sleep(ECHO)
        pool.stop()


@tap.test
def a_dynamic_pool_grows_all_the_same():
    with Downstream() as down, pool_with(
            {"main": {"downstream": down.url}}, workers=4,
            process_model="dynamic", min_workers=1) as pool:
        pool.wait_for_workers(1)
        told(pool)
        down.hold()
        links = [pool.link() for _ in range(4)]
        for link in links:
            link.send(fastcgi.request(SAMPLE))
        down.wait_for(4)
        down.release()
        for link in links:
            with link:
                tap.equal(link.read_reply().status, 200, "the status")
        time.sleep(ECHO)
        pool.stop()


@tap.test
def without_a_supervisor_too():
    """workers = 0: it serves on, and a second order ends it"""
    for second in signal.SIGTERM, signal.SIGINT:
        with Pool(workers=0, stop_delay="1h", ping_path="/ping") as pool:
            serves(pool)
            tap.equal(ping(pool), 200, "ping_path")
            pool.process.send(signal.SIGTERM)
            kit.until("it has noticed", lambda: "stopping"
                      in procfs.command_of(pool.pid))
            tap.equal(ping(pool), 503, "ping_path")
            serves(pool)
            serves(pool)
            time.sleep(ECHO)
            pool.process.send(second)
            tap.equal(pool.process.wait(), 0, "the exit status")
    with Pool(workers=0, stop_delay="300ms") as pool:
        serves(pool)
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def usr1_is_no_second_order():
    """workers = 0: however often it comes, the process serves until the delay is
    over"""
    with Pool(workers=0, stop_delay="1h") as pool:
        serves(pool)
        for _turn in range(3):
            pool.process.send(signal.SIGUSR1)
            kit.until("it has heard it", lambda: not procfs.has_pending(
                pool.pid))
            for _request in range(3):
                serves(pool)
            tap.contains(procfs.command_of(pool.pid), "stopping", "the title")
        pool.process.send(signal.SIGINT)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def tallyctl_waits_for_it():
    with pool_with(stop_delay="700ms") as pool:
        began = time.monotonic()
        status, out, errors = run_tallyctl("-c", pool.config, "stop")
        tap.equal(status, 0, f"the exit status ({errors})")
        tap.contains(out, "has stopped", "stdout")
        tap.check(time.monotonic() - began >= 0.7, "it ended too soon")
        tap.equal(pool.process.wait(), 0, "the exit status of tallyd")


@tap.test
def the_service_manager_is_asked_for_the_time():
    """EXTEND_TIMEOUT_USEC has both times"""
    path = kit.fresh_path("notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(kit.wait_limit())
        with pool_with(env={"NOTIFY_SOCKET": str(path)}, stop_delay="300ms",
                       drain_timeout="2s") as pool:
            pool.wait_for_workers()
            pool.process.send(signal.SIGTERM)
            text = ""
            while "STOPPING=1" not in text:
                text = manager.recv(4096).decode()
            tap.contains(text.split(), "EXTEND_TIMEOUT_USEC=7300000",
                         "the message")
            tap.equal(pool.process.wait(), 0, "the exit status")


sys.exit(kit.run())

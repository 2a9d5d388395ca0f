#!/usr/bin/env python3
"""Stopping: TERM, QUIT, INT, twice, with requests in hand and without."""

import contextlib
import os
import pathlib
import signal
import sys
import time
from concurrent import futures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, does_not_spin, run_tallyctl


# A stop told again within a second was told once.
ECHO = 1.25


def pool_before(down, **settings):
    return Pool({"main": {"downstream": down.url, "timeout": "1h"}},
                **{"request_timeout": "0s", **settings})


def send(pool, count=1):
    """Send as many requests, each over its own connection."""
    links = [pool.link() for _ in range(count)]
    for link in links:
        link.send(fastcgi.request(SAMPLE))
    return links


def expect_ok(links):
    for link in links:
        with link:
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")


def expect_nothing(links):
    for link in links:
        with link:
            try:
                reply = link.read_reply()
            except fastcgi.Broken:
                continue
            raise tap.Failure(f"there is a reply: {reply.status}")


def refuses(pool):
    try:
        pool.link().close()
        return False
    except (ConnectionRefusedError, FileNotFoundError):
        return True


def drains_on(number):
    """What is in hand is finished, and nothing new is taken."""
    with Downstream() as down, pool_before(down, drain_timeout="30s") as pool:
        down.hold()
        links = send(pool, 2)
        down.wait_for(2)
        pool.process.send(number)
        # A connection that was tried before would wait, and be warned of.
        pool.wait_for_log("draining: 2 workers")
        tap.check(refuses(pool), "connections are not refused")
        tap.check(not pool.socket.exists(), "the socket file is still there")
        tap.equal(pool.process.status(), None, "the exit status so far")
        down.release()
        expect_ok(links)
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(len(down.requests), 2, "posts")
        tap.equal(pool.warnings(), [], "warnings")


@tap.test
def term_drains():
    """TERM finishes the requests in hand"""
    drains_on(signal.SIGTERM)


@tap.test
def quit_drains():
    """QUIT finishes the requests in hand"""
    drains_on(signal.SIGQUIT)


@tap.test
def a_drain_leaves_the_cpu_alone():
    """TERM: while a request in hand is waited for, no process spins"""
    with Downstream() as down, pool_before(down, drain_timeout="1h") as pool:
        workers = pool.wait_for_workers()
        down.hold()
        links = send(pool)
        down.wait_for(1)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining: 2 workers")
        does_not_spin(pool.pid, *workers)
        down.release()
        expect_ok(links)
        tap.equal(pool.process.wait(), 0, "the exit status")


def queue_is_served(**settings):
    with Downstream() as down, pool_before(
            down, drain_timeout="30s", workers=1, **settings) as pool:
        down.hold()
        links = send(pool)
        down.wait_for(1)
        links += send(pool, 4)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining: 1 workers")
        down.release()
        expect_ok(links)
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(len(down.requests), 5, "posts")


@tap.test
def the_queue_of_a_unix_socket_is_served():
    """TERM: what waits in the queue of a unix socket is served too"""
    queue_is_served()


@tap.test
def the_queue_of_a_tcp_socket_is_served():
    """TERM: what waits in the queue of a TCP socket is served too"""
    queue_is_served(listen=f"{kit.HOST}:{kit.free_port()}")


@tap.test
def a_request_half_sent_is_finished():
    """TERM: a request that has begun to arrive is finished"""
    with Pool(drain_timeout="30s") as pool:
        whole = fastcgi.request(SAMPLE)
        links = [pool.link() for _ in range(3)]
        for link, part in zip(links, (12, len(whole) // 2, len(whole) - 9)):
            link.send(whole[:part])
        pool.wait_for_count("connections", 3)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining")
        # It has 5 s for the rest.
        for link, part in zip(links, (12, len(whole) // 2, len(whole) - 9)):
            link.send(whole[part:])
        for link in links:
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
            link.close()
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def a_request_may_come_late_on_a_new_connection():
    """TERM: a connection from before has more time for its first request than a
    kept one for its next"""
    with Downstream() as down, pool_before(down, drain_timeout="30s") as pool:
        with pool.link() as fresh, pool.link() as kept:
            kept.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(kept.read_reply().body, b'{"ok":true}', "the reply")
            pool.wait_for_count("connections", 2)
            down.hold()
            kept.send(fastcgi.request(SAMPLE, keep=True))
            down.wait_for(2)
            pool.process.send(signal.SIGTERM)
            pool.wait_for_log("draining")
            down.release()
            tap.equal(kept.read_reply().body, b'{"ok":true}', "the next reply")
            tap.check(kept.at_end(), "the kept connection is open")
            fresh.send(fastcgi.request(SAMPLE))
            tap.equal(fresh.read_reply().body, b'{"ok":true}', "the late reply")
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def an_idle_pool_stops_at_once():
    for number in signal.SIGTERM, signal.SIGQUIT, signal.SIGINT:
        with Pool(workers=4, drain_timeout="1h") as pool:
            pool.wait_for_workers()
            pool.stop(number)  # and not after an hour
            tap.contains(pool.log(), "stopped", "the log")


@tap.test
def a_silent_connection_does_not_hold_up_the_stop():
    """TERM: a connection that says nothing is waited for 5 s at most"""
    with Pool(drain_timeout="1h", first_byte_timeout="1h") as pool:
        with pool.link() as link:
            pool.wait_for_count("connections", 1)
            pool.process.send(signal.SIGTERM)
            tap.equal(pool.process.wait(), 0, "the exit status")
            tap.check(link.at_end(), "the connection is still open")


def drain_timeout_ends(workers):
    with Downstream() as down, pool_before(down, workers=workers,
                                           drain_timeout="300ms") as pool:
        down.hold()
        links = send(pool)
        down.wait_for(1)
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(), 0, "the exit status")
        pool.wait_for_log("drain_timeout is over")
        for link in links:
            with link:
                reply = link.read_reply()
                tap.equal((reply.status, reply.json()["outcome"]),
                          (504, "downstream_timeout"), "the reply")


@tap.test
def drain_timeout_ends_the_wait():
    """TERM: after drain_timeout the rest is ended"""
    drain_timeout_ends(2)


@tap.test
def drain_timeout_ends_a_wait_that_nothing_else_interrupts():
    """TERM: the only worker waits for a downstream that never answers"""
    drain_timeout_ends(1)


@tap.test
def a_worker_that_hangs_is_ended():
    """TERM: a worker that cannot react is ended after drain_timeout"""
    with Pool(drain_timeout="300ms", workers=2) as pool:
        os.kill(pool.wait_for_workers()[0], signal.SIGSTOP)
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(), 0, "the exit status")


def ends_at_once(*numbers):
    with Downstream() as down, pool_before(down, drain_timeout="1h") as pool:
        down.hold()
        links = send(pool, 1)
        down.wait_for(1)
        for number in numbers[:-1]:
            pool.process.send(number)
            pool.wait_for_log("draining")
            time.sleep(ECHO)
        pool.process.send(numbers[-1])
        tap.equal(pool.process.wait(), 0, "the exit status")
        expect_nothing(links)
        tap.check(not pool.socket.exists(), "the socket file is still there")


@tap.test
def int_ends_at_once():
    """INT ends at once, whatever is in hand"""
    ends_at_once(signal.SIGINT)


@tap.test
def a_second_term_ends_at_once():
    """a second TERM, a QUIT after a TERM, an INT after a TERM end at once"""
    for second in signal.SIGTERM, signal.SIGQUIT, signal.SIGINT:
        ends_at_once(signal.SIGTERM, second)


@tap.test
def an_echo_is_no_second_term():
    """the same TERM twice, as timeout(1) sends it, still drains"""
    with Downstream() as down, pool_before(down, drain_timeout="30s") as pool:
        down.hold()
        links = send(pool, 2)
        down.wait_for(2)
        pool.process.send(signal.SIGTERM)
        os.killpg(pool.pid, signal.SIGTERM)
        pool.wait_for_log("draining: 2 workers")
        down.release()
        expect_ok(links)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def alone_it_drains_too():
    """workers = 0: TERM, QUIT, INT and USR1 finish the request in hand"""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT,
                   signal.SIGUSR1):
        with Downstream() as down, pool_before(down, workers=0) as pool:
            down.hold()
            links = send(pool)
            down.wait_for(1)
            pool.process.send(number)
            down.release()
            expect_ok(links)
            tap.equal(pool.process.wait(), 0, "the exit status")
            tap.check(not pool.socket.exists(),
                      "the socket file is still there")


@tap.test
def alone_it_stops_at_once_when_idle():
    """workers = 0: TERM, QUIT, INT and USR1 end an idle process at once"""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT,
                   signal.SIGUSR1):
        with Pool(workers=0, drain_timeout="1h") as pool:
            pool.process.send(number)
            tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def usr1_finishes_what_waits():
    """workers = 0: what is in the queue is served, however often USR1 comes"""
    with Downstream() as down, pool_before(down, workers=0) as pool:
        down.hold()
        links = send(pool, 4)
        down.wait_for(1)
        for _turn in range(3):
            pool.process.send(signal.SIGUSR1)
        down.release()
        down.wait_for(2)
        pool.process.send(signal.SIGUSR1)
        expect_ok(links)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def usr1_ends_no_pool_and_nobody_with_a_log_file():
    """With a file to open again, and with a supervisor, USR1 is no stop"""
    log = kit.fresh_path("file.log")
    for settings in ({"workers": 0, "access_log": log},
                     {"workers": 0, "slow_log": log, "slow_threshold": "1h"},
                     {"workers": 1}):
        with Pool(**settings) as pool:
            pool.process.send(signal.SIGUSR1)
            for _turn in range(3):
                with pool.link() as link:
                    link.send(fastcgi.request(SAMPLE))
                    tap.equal(link.read_reply().status, 200, "the status")
            tap.equal(pool.process.status(), None, "the exit status")


@tap.test
def workers_end_with_their_supervisor():
    """the supervisor killed: the workers finish what is in hand and end"""
    with Downstream() as down:
        pool = pool_before(down, workers=3)
        workers = pool.wait_for_workers()
        down.hold()
        links = send(pool)
        down.wait_for(1)
        pool.process.send(signal.SIGKILL)
        kit.until("connections are refused", lambda: refuses(pool))
        tap.check(all(map(procfs.is_alive, workers)), "a worker has left")
        down.release()
        expect_ok(links)
        kit.until("all workers have ended",
                  lambda: not any(map(procfs.is_alive, workers)))


@tap.test
def a_signal_for_the_whole_group():
    """Ctrl-C or TERM for the whole process group, as a terminal sends it"""
    for number in signal.SIGINT, signal.SIGTERM:
        with Downstream() as down, pool_before(down) as pool:
            down.hold()
            links = send(pool)
            down.wait_for(1)
            os.killpg(pool.pid, number)
            if number == signal.SIGTERM:
                pool.wait_for_log("draining")
                down.release()
                expect_ok(links)
            else:
                expect_nothing(links)
            tap.equal(pool.process.wait(), 0, "the exit status")
            tap.equal(pool.process.left_behind(), [], "left behind")


@tap.test
def a_worker_that_is_told_to_stop_is_replaced():
    """TERM for one worker: it finishes its request, another takes its place"""
    with Downstream() as down, pool_before(down, workers=2) as pool:
        before = pool.wait_for_workers()
        down.hold()
        links = send(pool, 2)
        down.wait_for(2)
        os.kill(before[0], signal.SIGTERM)
        down.release()
        expect_ok(links)
        after = pool.wait_for_workers(2, besides=before[:1])
        tap.check(before[1] in after, "the other one was replaced too")
        expect_ok(send(pool, 4))


@tap.test
def the_log_file_is_opened_again():
    """USR1: supervisor and workers write to a new log file"""
    log = kit.fresh_path("tallyd.log")
    pool = Pool(log_file=log, workers=2, start=False)
    pool.process = kit.Process("tallyd", pool.command)
    with pool:
        kit.until("it serves", lambda: log.exists()
                  and log.read_text().count(": serving") == 2)
        old = log.rename(log.with_suffix(".old"))
        pool.process.send(signal.SIGUSR1)
        kit.until("there is a new log", log.exists)

        def every_worker_writes_there():
            pool.post(SAMPLE)
            return all(f"[{pid}]: outcome=ok" in log.read_text()
                       for pid in pool.workers())
        kit.until("every worker writes there", every_worker_writes_there)
        size = old.stat().st_size
        pool.post(SAMPLE)
        tap.equal(old.stat().st_size, size, "the size of the old log")
        pool.stop()
        tap.contains(log.read_text(), "stopped", "the new log")


@tap.test
def a_stop_within_the_start():
    """TERM at any moment of the start: nothing is left behind"""
    for turn in range(12):
        pool = Pool(workers=3, start=False)
        with kit.Process("tallyd", pool.command) as process:
            time.sleep(turn * kit.seconds(0.0015))
            process.send(signal.SIGTERM)
            status = process.wait()
            tap.check(status in (0, -signal.SIGTERM), f"status {status}")
            tap.equal(process.left_behind(), [], "left behind")


def looking_at(pool):
    """Our children that have opened its scoreboard."""
    def has_it(pid):
        files = f"/proc/{pid}/fd"
        with contextlib.suppress(OSError):
            return str(pool.scoreboard) in [os.readlink(f"{files}/{number}")
                                            for number in os.listdir(files)]
        return False
    return [pid for pid in procfs.children_of(os.getpid())
            if pid != pool.pid and has_it(pid)]


@tap.test
def tallyctl_stops_and_waits():
    """tallyctl stop: ends when the pool has, asked twice as well"""
    with Downstream() as down, pool_before(down, drain_timeout="1h") as pool:
        down.hold()
        link = pool.link()
        link.send(fastcgi.request(SAMPLE))
        down.wait_for(1)
        with futures.ThreadPoolExecutor() as some:
            first = some.submit(run_tallyctl, "-c", pool.config, "stop")
            pool.wait_for_log("draining")
            second = some.submit(run_tallyctl, "-c", pool.config, "stop")
            kit.until("both look", lambda: len(looking_at(pool)) == 2)
            tap.check(not first.done() and not second.done(), "they wait")
            down.release()
            with link:
                tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
            for one in (first, second):
                status, out, _errors = one.result()
                tap.equal(status, 0, "the exit status")
                tap.contains(out, "has stopped", "stdout")
        tap.equal(pool.process.wait(), 0, "the exit status of tallyd")
    status, _out, _errors = run_tallyctl("-c", pool.config, "stop")
    tap.equal(status, 69, "the exit status without a pool")


sys.exit(kit.run())

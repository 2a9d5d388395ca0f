#!/usr/bin/env python3
"""Lines that the log cannot take are counted, whichever process they are of."""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from pool import Pool, serves


class Standstill:
    """A pool whose log is a fifo that nobody reads and that is full. It cannot
    be opened again, either, so SIGUSR1 makes a process say one line: the
    supervisor why, the others that there is nothing for them."""

    def __init__(self):
        place = kit.fresh_path("logs")
        place.mkdir()
        os.mkfifo(place / "log")
        self.reader = os.open(place / "log", os.O_RDONLY | os.O_NONBLOCK)
        self.pool = Pool(start=False, workers=1, log_file=place / "log",
                         log_level="debug",
                         status_listen=kit.fresh_path("s.sock"),
                         shadow={"url": f"http://{kit.HOST}:9/", "share": "0.000001",
                                 "processes": 2})
        self.pool.process = kit.Process("tallyd", self.pool.command)
        self.pool.hurry()
        self.pool.wait_until_up()
        self.worker, = self.pool.wait_for_workers()
        self.pids = kit.until("all are there", self.find_all)
        fill(place / "log")
        (place / "log").unlink()
        place.rmdir()

    def find_all(self):
        """{what it is: pid} once there are four that have said what."""
        found = {}
        for pid in procfs.children_of(self.pool.pid):
            title = procfs.command_of(pid).split(",")
            name = title[0].rpartition(": ")[2]
            # A child has its parent's title until it sets its own.
            if title[-1].strip() == "serving" and name != "supervisor":
                found[name] = pid
        return found if len(found) == 4 else None

    def dropped(self):
        return self.pool.count("log_dropped")

    def page_says(self, line):
        return f"\n{line}\n" in self.pool.page("/metrics").text

    def __enter__(self):
        return self

    def __exit__(self, kind, *_ignored):
        if kind is None:
            self.pool.stop()
        os.close(self.reader)


def fill(path):
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        for size in 4096, 1:
            try:
                while True:
                    os.write(writer, b"\n" * size)
            except BlockingIOError:
                pass
    finally:
        os.close(writer)


@tap.test
def each_process_counts_its_own():
    with Standstill() as it:
        tap.equal(it.dropped(), 0, "lines dropped at first")
        tap.equal(set(it.pids), {"worker 0", "monitor", "shadow 0", "shadow 1"},
                  "the processes")
        for count, (name, pid) in enumerate(sorted(it.pids.items()), 1):
            os.kill(pid, signal.SIGUSR1)
            kit.until(f"that of {name} is counted",
                      lambda count=count: it.dropped() >= count)
            tap.equal(it.dropped(), count, f"lines, with that of {name}")


@tap.test
def the_supervisor_does():
    """A reload with bad settings is a line of its own alone"""
    with Standstill() as it:
        good = it.pool.config.read_text()
        for count in range(1, 6):
            it.pool.config.write_text("workers = many\n")
            it.pool.process.send(signal.SIGHUP)
            kit.until("they are read", lambda count=count:
                      it.page_says(f"tallyd_reloads_failed_total {count}"))
            it.pool.config.write_text(good)
            # The page is of the moment, tallyctl of the supervisor's last rest.
            kit.until("it is counted",
                      lambda count=count: it.dropped() >= count)
            tap.equal(it.dropped(), count, "lines dropped")
        serves(it.pool)


@tap.test
def all_say_so():
    """The status page, in words, and the metrics"""
    with Standstill() as it:
        it.pool.process.send(signal.SIGUSR1)
        kit.until("all five are counted", lambda: it.dropped() >= 5)
        tap.contains(it.pool.page("/status").text,
                     "5 log lines were dropped",
                     "/status")
        tap.check(it.page_says("tallyd_log_lines_dropped_total 5"), "/metrics")


sys.exit(kit.run())

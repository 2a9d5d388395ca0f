#!/usr/bin/env python3
"""access_log and slow_log: a line for each request, and where the time of the
slow ones went."""

import json
import pathlib
import re
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool, run_tallyd

WRONG = b'{"items":[{"value":"one"}]}'


def lines_of(path, count):
    """As many lines as that, once they are there."""
    return kit.until(f"{count} lines in {path}", lambda: (
        lines if len(lines := path.read_text().splitlines()) == count
        else None))


def spent_in(line):
    """{phase: milliseconds} of a line."""
    return {key: float(value[:-2]) for key, _, value in (
        word.partition("=") for word in line.split())
        if value.endswith("ms")}


def slow_downstream():
    def answer(request, _link):
        if b"84" in request.body:
            time.sleep(1.1)  # this is the fault, not a wait for something
        return Answer()
    return Downstream(answer)


@tap.test
def a_line_for_each_request():
    book = kit.fresh_path("access")
    # One worker, for a line is written when its reply has left: two would write
    # in any order.
    with Pool(workers=1, access_log=book) as pool:
        pool.post(SAMPLE, path='/a"\n', HTTP_X_REQUEST_ID="first")
        pool.post(WRONG, HTTP_X_REQUEST_ID="second")
        first, second = lines_of(book, 2)
        for part in (" outcome=ok status=200 request=first ", " endpoint=main ",
                     ' method="POST" path="/a\\"\\x0a" ',
                     f" body_bytes={len(SAMPLE)} "):
            tap.contains(first, part, "the first")
        tap.check(re.search(r" total=\d+\.\d{3}ms$", first), first)
        tap.contains(second, " outcome=wrong_shape status=422 request=second ",
                     "the second")
        tap.equal(len(pool.log_lines("body_bytes=")), 0, "lines in the log")


@tap.test
def lines_are_whole_whoever_writes():
    book = kit.fresh_path("access")
    with Pool(workers=4, access_log=book, log_format="json") as pool:
        def client():
            for _turn in range(50):
                pool.post(SAMPLE, path="/" + "x" * 2000)
        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        entries = [json.loads(line) for line in lines_of(book, 200)]
        tap.equal({entry["outcome"] for entry in entries}, {"ok"}, "outcomes")
        tap.equal(len({entry["request"] for entry in entries}), 200, "ids")
        tap.check(all(entry["total_ms"] > 0 for entry in entries), "total_ms")


@tap.test
def rotated_files_are_opened_again():
    book, moved = kit.fresh_path("access"), kit.fresh_path("access.1")
    with Pool(workers=2, access_log=book) as pool:
        pool.wait_for_workers()
        pool.post(SAMPLE)
        lines_of(book, 1)
        book.rename(moved)
        pool.process.send(signal.SIGUSR1)
        kit.until("the supervisor has opened it", book.exists)
        # Each worker opens it after the request in hand.
        kit.until("a line is in the new file", lambda: pool.post(
            SAMPLE).status == 200 and book.read_text())
        total = pool.count("ok")
        kit.until("no line is lost", lambda: len(
            book.read_text().splitlines()
            + moved.read_text().splitlines()) == total)


@tap.test
def slow_ones_say_where_the_time_went():
    with slow_downstream() as down, Pool(
            {"main": {"downstream": down.url, "multiply": "4"},
             "quick": {"path": "/quick", "downstream": down.url}},
            slow_threshold="1s") as pool:
        pool.post(SAMPLE, path="/quick")
        pool.post(SAMPLE)
        kit.until("the line", lambda: pool.log_lines(": slow ",
                                                     " endpoint=main "))
        lines = pool.log_lines(" warn ", ": slow ")
        for line in lines:  # on a machine that stood still, of any request
            tap.check(spent_in(line)["total"] >= 1000, f"not slow: {line}")
        line, = [line for line in lines if " endpoint=main " in line]
        spent = spent_in(line)
        for name in "total", "body", "decode", "downstream", "write":
            tap.check(name in spent, f"{name} is not in {line}")
        tap.check(spent["downstream"] >= 1090, line)
        tap.check(spent["total"] >= spent["downstream"], line)


@tap.test
def slow_ones_may_have_a_file():
    book = kit.fresh_path("slow")
    with slow_downstream() as down, Pool(
            {"main": {"downstream": down.url, "multiply": "4"}},
            slow_threshold="1s", slow_log=book) as pool:
        pool.post(SAMPLE)
        tap.contains(lines_of(book, 1)[0], " outcome=ok status=200 ", "the line")
        tap.equal(pool.log_lines(": slow "), [], "lines in the log")


@tap.test
def a_book_that_takes_nothing_stops_nobody():
    """A full disk: lines are dropped and counted"""
    with Pool(workers=1, access_log="/dev/full") as pool:
        for _turn in range(5):
            tap.equal(pool.post(SAMPLE).status, 200, "the status")
        pool.wait_for_count("log_dropped", 5)


@tap.test
def mistakes_are_told_at_the_start():
    for settings, wanted in (
            (("access_log=/none/such/file",),
             "access_log = /none/such/file: No such file or directory"),
            (("slow_log=/tmp/slow",),
             "slow_log: there are no slow requests without slow_threshold")):
        words = [word for setting in settings
                 for word in ("-s", f"pool.{setting}")]
        socket = kit.fresh_path("t.sock")
        status, _out, errors = run_tallyd(*words, "-s", f"pool.listen={socket}")
        tap.check(status != 0, f"it started with {settings}")
        tap.contains(errors, wanted, "what it says")


sys.exit(kit.run())

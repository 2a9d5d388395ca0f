#!/usr/bin/env python3
"""tallyctl top in a terminal: what it draws, and that it gives the terminal
back as it was."""

import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool, run_tallyctl
from terminal import Terminal


@tap.test
def it_draws_every_second_and_q_leaves():
    with Pool(workers=3) as pool:
        pool.wait_for_workers()
        with Terminal(pool) as terminal:
            terminal.wait_for("3 of 3 workers")
            pool.post(SAMPLE)
            terminal.wait_for("1 requests")
            terminal.wait_for("requests/s", 3)
            terminal.type("q")
            tap.equal(terminal.end(), 0, "the exit status")


@tap.test
def what_ends_it_gives_the_terminal_back():
    with Pool(workers=1) as pool:
        pool.wait_for_workers()
        for how in ("\x03", "Q", signal.SIGTERM, signal.SIGHUP):
            with Terminal(pool) as terminal:
                terminal.wait_for("1 of 1 workers")
                if isinstance(how, str):
                    terminal.type(how)
                else:
                    terminal.process.send_signal(how)
                tap.equal(terminal.end(), 0, f"the exit status, {how!r}")


@tap.test
def it_fits_any_terminal():
    with Pool(workers=40) as pool:
        pool.wait_for_workers()
        for rows, columns in (24, 80), (5, 20), (1, 1), (50, 200):
            with Terminal(pool, rows, columns) as terminal:
                terminal.wait_for("\x1b[J")
                terminal.type("q")
                tap.equal(terminal.end(), 0, "the exit status")
                drawn = terminal.text.split("\x1b[H")[1].split("\x1b[J")[0]
                lines = [line.rstrip("\r") for line in re.sub(
                    r"\x1b\[[\d;?]*[A-Za-z]", "", drawn).split("\n")]
                tap.check(len(lines) <= rows, f"{len(lines)} lines of {rows}")
                tap.check(max(map(len, lines)) <= columns,
                          f"a line over {columns} columns")


@tap.test
def a_pool_that_ends_ends_it():
    pool = Pool(workers=1)
    pool.wait_for_workers()
    with Terminal(pool) as terminal:
        terminal.wait_for("1 of 1 workers")
        pool.stop()
        tap.equal(terminal.end(), 69, "the exit status")
        tap.contains(terminal.text, "not running", "what it says")


@tap.test
def without_a_terminal_it_says_so():
    with Pool(workers=1) as pool:
        status, out, errors = run_tallyctl("-c", pool.config, "top")
        tap.equal((status, out), (1, ""), "how it ended")
        tap.contains(errors, "terminal", "what it says")


sys.exit(kit.run())

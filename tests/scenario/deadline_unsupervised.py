#!/usr/bin/env python3
"""workers = 0: a process that does not come back from a request ends itself,
and the log says where it was."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import tap
from pool import SAMPLE, serves
from stuck import Stuck, functions_of

STATUS = 70
STUCK = "stuck in a request: this process ends"


def unsupervised(**settings):
    """(Stuck, its pool), which has served one request."""
    one = Stuck(workers=0, **{"request_timeout": "1s", **settings})
    serves(one.served)
    return one, one.served


def expect_end(how, function, **settings):
    one, pool = unsupervised(**settings)
    with pool:
        one.get(how)
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE, path="/a",
                                      HTTP_X_REQUEST_ID="who-am-i"))
            try:
                raise tap.Failure(f"a reply: {link.read_reply().status}")
            except (fastcgi.Broken, ConnectionResetError):
                pass
        tap.equal(pool.process.wait(), STATUS, "the exit status")
        line, = pool.log_lines(" error ", STUCK)
        tap.contains(line, f'{STUCK} request=who-am-i method="POST" path="/a" '
                     "state=reading total=", "the line")
        names = functions_of(line)
        for name in (function, "__wrap_decoder_finish", "exchange_serve",
                     "main"):
            tap.check(name in names, f"{name} is not among {names}")


@tap.test
def one_that_spins():
    expect_end("spin", "spin_for_ever")


@tap.test
def one_that_waits_for_itself():
    expect_end("lock", "lock_for_ever")


@tap.test
def one_that_stops_after_a_rest():
    """The timer was silent in between"""
    one, pool = unsupervised(request_timeout="100ms")
    with pool:
        kit.until("it waits for ever",
                  lambda: procfs.state_of(pool.pid) == "S")
        before = procfs.switches(pool.pid)
        kit.until("the timer has rung once",
                  lambda: procfs.switches(pool.pid) != before)
        one.get("spin")
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE))
            tap.equal(pool.process.wait(), STATUS, "the exit status")


@tap.test
def one_whose_log_hangs():
    """The stuck code has what it takes to log: it ends all the same"""
    one, pool = unsupervised()
    with pool:
        one.get("log")
        with pool.link() as link:
            link.send(fastcgi.request(SAMPLE))
            tap.equal(pool.process.wait(), -signal.SIGALRM, "the exit status")


@tap.test
def requests_of_a_busy_day():
    """Many in a row, together longer than request_timeout and what is given
    beyond it, are not one that is overdue"""
    _one, pool = unsupervised(request_timeout="2s")
    with pool:
        began = time.monotonic()
        with pool.link() as link:
            while time.monotonic() - began < 5:  # that is what is tested
                link.send(fastcgi.request(SAMPLE, keep=True))
                tap.equal(link.read_reply().status, 200, "the status")
        tap.check(not pool.log_lines(STUCK), "it has ended")
        serves(pool)


sys.exit(kit.run())

"""A pool of workers that get stuck where a body is added up: in a request, or
in the self-test of their start. See tests/scenario/tallyd_stuck.c."""

import os
import re
import subprocess

import kit
import tap
from order import Order
from pool import Pool

PROGRAM = os.path.join(os.path.dirname(kit.TALLYD or ""), "..", "tests",
                       "scenario", "tallyd_stuck")


class Stuck:
    """`served` is the pool. One of its workers gets stuck as `get()` says; with
    " all" behind the word each that comes to it. `how`: from the start on."""

    def __init__(self, endpoints=None, make=Pool, how=None, **settings):
        if not os.access(PROGRAM, os.X_OK):
            raise tap.Skip("tallyd_stuck is not built")
        self.how = Order()
        if how:
            self.get(how)
        self.served = make(
            endpoints, through=lambda command: [
                PROGRAM if part == kit.TALLYD else part for part in command],
            env={"STUCK": str(self.how.path)}, env_keep="STUCK", **settings)

    def get(self, how):
        self.how.give(how)

    def no_more(self):
        self.how.cancel()

    def wait_until_it_is(self):
        kit.until("a worker is stuck", lambda: not self.how.is_there())


def functions_of(line):
    """The functions of a backtrace in the log, as addr2line knows them."""
    offsets = re.findall(r"\btallyd_stuck\+(0x[0-9a-f]+)", line)
    tap.check(offsets, f"no address of ours in {line}")
    done = subprocess.run(["addr2line", "-f", "-i", "-e", PROGRAM, *offsets],
                          capture_output=True, text=True, check=True,
                          timeout=kit.wait_limit(60))
    return done.stdout.split()


def expect_backtrace(line, function, *callers):
    """A line of the log has these in its backtrace; no function: it has none."""
    if function is None:
        tap.contains(line, ' backtrace="none, it does not take signals"',
                     "the line")
        return
    names = functions_of(line)
    for name in (function, "__wrap_decoder_finish", *callers, "main"):
        tap.check(name in names, f"{name} is not among {names}")


def pid_in(line):
    """The worker that a line of the log is about."""
    return int(re.search(r"\(pid (\d+)\)", line)[1])

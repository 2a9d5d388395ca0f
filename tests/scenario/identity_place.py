#!/usr/bin/env python3
"""A pool whose settings name no scoreboard is found by its name, in a /run of
its own."""

import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import SAMPLE, Pool, run_tallyctl

INSIDE = "TEST_INSIDE"
RUN = pathlib.Path("/run/tallyd")
GONE = "tallyctl does not find this pool"


def can_mount():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "--mount", "true"], check=False,
        capture_output=True).returncode == 0


def fresh_run():
    if INSIDE not in os.environ:
        raise tap.Skip("only root may mount a /run")
    for path in (RUN, RUN / "main"):
        path.mkdir(exist_ok=True)
        for there in path.iterdir():
            if not there.is_dir():
                there.unlink()


def find(*arguments, status=0):
    """What `tallyctl ARGUMENTS status` says."""
    got, out, errors = run_tallyctl(*arguments, "status")
    tap.equal(got, status, f"the status of {arguments}: {errors}")
    return out or errors


@tap.test
def a_pool_is_found_by_its_name():
    fresh_run()
    with Pool(scoreboard="", name="main") as one, \
            Pool(scoreboard="", name="two") as two:
        for arguments, pool in (((), one), (("-p", "main"), one),
                                (("-c", one.config), one),
                                (("-p", "two"), two), (("-c", two.config), two),
                                (("-c", one.config, "-p", "two"), two)):
            tap.contains(find(*arguments), f"pid {pool.pid}", str(arguments))
        tap.check((RUN / "two.scoreboard").exists(), "its file")
        status, out, errors = run_tallyctl("-p", "two", "reload")
        tap.equal(status, 0, f"reload: {out}{errors}")
        status, out, errors = run_tallyctl("-p", "two", "upgrade")
        tap.equal(status, 0, f"upgrade: {out}{errors}")
        tap.contains(find("-p", "two"), f"pid {two.pid}", "after an upgrade")
        two.stop()
        tap.check(not (RUN / "two.scoreboard").exists(), "its file stays")
        text = find("-p", "two", status=69)
        for place in "two.scoreboard", "two/scoreboard":
            tap.contains(text, f"{RUN}/{place}", "what was looked at")


@tap.test
def a_place_that_is_taken_is_another_pools():
    """the next place, then none, said once; a path that was set is refused"""
    fresh_run()
    with Pool(scoreboard="") as one, Pool(scoreboard="") as two:
        tap.contains(find("-p", "main"), f"pid {one.pid}", "the first")
        tap.check((RUN / "main/scoreboard").exists(), "the second place")
        with Pool(scoreboard="") as third:
            tap.equal(third.post(SAMPLE).status, 200, "a pool without a place")
            tap.equal(len(third.log_lines(GONE, f"process {one.pid}",
                                          f"process {two.pid}")), 1,
                      f"lines of its log: {third.log()}")
        status, _out, errors = run_tallyctl("-p", "main", "stop")
        tap.equal(status, 0, f"stop: {errors}")
        tap.contains(find("-p", "main"), f"pid {two.pid}", "then the second")
        fourth = Pool(scoreboard=RUN / "main/scoreboard", start=False)
        fourth.process = kit.Process("tallyd", fourth.command)
        tap.equal(fourth.process.wait(), 1, "the status of one that was told")


@tap.test
def a_pool_that_was_killed_does_not_hide_another():
    fresh_run()
    one = Pool(scoreboard="")
    one.process.send(signal.SIGKILL)
    one.process.wait()
    tap.check((RUN / "main.scoreboard").exists(), "what it left")
    tap.contains(find("-p", "main", status=69), "main.scoreboard", "the file")
    with Pool(scoreboard=RUN / "main/scoreboard") as two:
        tap.contains(find("-p", "main"), f"pid {two.pid}", "the other place")
        two.stop()
    with Pool(scoreboard="") as three:
        tap.contains(find(), f"pid {three.pid}", "the place is used again")


@tap.test
def a_name_that_leads_elsewhere_has_no_place():
    fresh_run()
    with Pool(scoreboard="", name="../evil") as pool:
        tap.equal(len(pool.log_lines(GONE)), 1, "lines of its log")
    tap.check(not pathlib.Path("/run/evil.scoreboard").exists(), "it led there")
    tap.contains(find("-p", "../evil", status=69), "../evil", "what it says")


if __name__ == "__main__":
    if INSIDE not in os.environ and can_mount():
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private",
                               sys.executable, *sys.argv],
                   {**os.environ, INSIDE: "1"})
    if INSIDE in os.environ:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    sys.exit(kit.run())

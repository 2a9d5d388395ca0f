#!/usr/bin/env python3
"""A pool that reloads by itself when its settings change, in a volume as
Kubernetes makes it: a good change, a broken one, and a mended one."""

import ctypes
import os
import pathlib
import re
import select
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from pool import SAMPLE, Pool, run_tallyctl
from volume import Volume

IN_OPEN = 0x20  # inotify(7)


def start(env=None):
    """A pool whose settings are in a volume, and that."""
    pool = Pool(start=False, env=env, reload_on_change="on",
                status_listen=kit.fresh_path("status"))
    plain = pool.config.read_text()
    volume = Volume({"tallyd.conf": plain + "multiply = 2\n"})
    pool.config = volume.path("tallyd.conf")
    pool.command = kit.tallyd("-c", pool.config)
    pool.start()
    return pool, volume, plain


def answers(pool, wanted):
    """Until the pool gives this sum."""
    kit.until(f"the sum is {wanted}", lambda: pool.post(
        SAMPLE).body == b'{"sum":%d}' % wanted, 30)


def metric(pool, name):
    text = pool.page("/metrics").text
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def wait_until_compared(path):
    """Until the pool, and nobody else, opens its settings. It may have done so
    before anybody looks, so they are as good as new: their time is another."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_CLOEXEC)
    try:
        tap.check(libc.inotify_add_watch(watch, bytes(path), IN_OPEN) >= 0,
                  "inotify_add_watch(2)")
        os.utime(path)
        ready, _, _ = select.select([watch], [], [], kit.wait_limit(30))
        tap.check(ready, f"nobody opens {path}")
    finally:
        os.close(watch)


@tap.test
def what_has_not_changed_is_not_loaded_again():
    """the pool compares files that are touched, and lets them be"""
    pool, volume, plain = start(
        {"TALLYD_ENDPOINT_MAIN_ARRAY_FILE":
         str(Volume({"array": "items\n"}).path("array"))})
    with pool:
        wait_until_compared(pool.config)
        volume.put({"tallyd.conf": plain + "multiply = 3\n"})
        answers(pool, 63)
        reloads.wait_until_alone(pool)
        tap.equal(pool.count("generation"), 2, "the generation")


@tap.test
def a_good_change_is_taken():
    """the pool reloads by itself when the link ..data leads elsewhere"""
    pool, volume, plain = start()
    with pool:
        answers(pool, 42)
        volume.put({"tallyd.conf": plain + "multiply = 3\n"})
        answers(pool, 63)
        volume.put({"tallyd.conf": plain + "multiply = 4\n"})
        answers(pool, 84)
        reloads.wait_until_alone(pool)
        tap.equal(pool.count("generation"), 3, "the generation")
        tap.equal(metric(pool, "tallyd_reload_ok"), 1, "tallyd_reload_ok")


@tap.test
def a_broken_change_is_told_and_not_taken():
    """the settings stay, /readyz stays, a metric says it; mended it is taken"""
    pool, volume, plain = start()
    with pool:
        answers(pool, 42)
        volume.put({"tallyd.conf": plain + "multiply = many\n"})
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 0, 30)
        pool.wait_for_log("multiply = many: must be a whole number")
        tap.equal(pool.page("/readyz").status, 200, "/readyz")
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")
        volume.put({"tallyd.conf": plain + "multiply = 3\n"})
        answers(pool, 63)
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 1)
        tap.equal(metric(pool, "tallyd_reloads_failed_total"), 1,
                  "reloads that failed")
        tap.equal(pool.count("generation"), 2, "the generation")


@tap.test
def a_way_back_is_taken_too():
    """a broken change that is taken back leads to the settings in force"""
    pool, volume, plain = start()
    with pool:
        volume.put({"tallyd.conf": "[pool]\nworker = 1\n"})
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 0, 30)
        volume.put({"tallyd.conf": plain + "multiply = 2\n"})
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 1, 30)
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")


@tap.test
def a_secret_that_changes_is_read():
    """a file that an environment variable names counts like the settings"""
    secret = Volume({"array": "items\n"})
    pool, _volume, _plain = start(
        {"TALLYD_ENDPOINT_MAIN_ARRAY_FILE": str(secret.path("array"))})
    with pool:
        answers(pool, 42)
        secret.put({"array": "lines\n"})
        kit.until("the other list is added up", lambda: pool.post(
            SAMPLE.replace(b"items", b"lines")).body == b'{"sum":42}', 30)


@tap.test
def a_secret_that_is_taken_back_is_read():
    """after a broken one the one before is good again, and the metric says it"""
    secret = Volume({"array": "items\n"})
    pool, _volume, _plain = start(
        {"TALLYD_ENDPOINT_MAIN_ARRAY_FILE": str(secret.path("array"))})
    with pool:
        for text, wanted in (("$.[\n", 0), ("items\n", 1)):
            secret.put({"array": text})
            kit.until(f"tallyd_reload_ok is {wanted}", lambda wanted=wanted:
                      metric(pool, "tallyd_reload_ok") == wanted, 30)
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")


@tap.test
def settings_that_are_gone_are_told():
    """a file that is deleted for good fails a reload, once; the pool goes on"""
    pool, _volume, _plain = start()
    with pool:
        answers(pool, 42)
        text = pool.config.read_text()
        (pool.config.parent / "..data").unlink()
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 0, 40)
        pool.wait_for_log("No such file or directory; generation 1 goes on")
        tap.equal(pool.page("/readyz").status, 200, "/readyz")
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")
        pool.config.unlink()
        pool.config.write_text(text)
        kit.until("the metric says it",
                  lambda: metric(pool, "tallyd_reload_ok") == 1, 30)
        tap.equal(metric(pool, "tallyd_reloads_failed_total"), 1,
                  "reloads that failed")


@tap.test
def tallyctl_looks_while_the_file_is_broken():
    """status and health warn in one line and go on; what gives an order, or
    cannot tell where the pool is, ends with 78"""
    with Pool() as pool:
        pool.wait_for_workers()
        text = pool.config.read_text()
        pool.config.write_text(text + "[shadow]\nno such line\n[pol]\n")
        for command, wanted in (("status", 0), ("health", 0), ("reload", 78),
                                ("stop", 78)):
            status, out, errors = run_tallyctl("-c", pool.config, command)
            tap.equal(status, wanted, f"{command} ({out}{errors})")
            tap.contains(errors, "neither a [section] nor key", "what it says")
            tap.equal(errors.count("\n"), 1, f"lines of {errors}")
        pool.config.write_text("[pool]\nname =\nnice = many\n")
        tap.equal(run_tallyctl("-c", pool.config, "status")[0], 78,
                  "where the name is wrong")
        pool.config.write_text("[pool]\nnice = many\n")
        board = f"pool.scoreboard={pool.scoreboard}"
        tap.equal(run_tallyctl("-c", pool.config, "-s", board, "status")[0], 0,
                  "with its scoreboard")
        pool.config.unlink()
        tap.equal(run_tallyctl("-c", pool.config, "status")[0], 78,
                  "without the file")
        tap.equal(run_tallyctl("-c", pool.config, "-s", board, "status")[0], 0,
                  "without the file, with its scoreboard")


@tap.test
def it_goes_on_after_an_upgrade():
    """the program that takes over notices what changes from then on, and what
    has changed meanwhile"""
    pool, volume, plain = start()
    with pool:
        answers(pool, 42)
        tap.equal(reloads.reload(pool, "upgrade"), 2, "the generation")
        volume.put({"tallyd.conf": plain + "multiply = 3\n"})
        answers(pool, 63)
        reloads.wait_until_alone(pool)
        tap.equal(pool.count("generation"), 3, "the generation")


sys.exit(kit.run())

#!/usr/bin/env python3
"""Reload: what changes, what cannot, what is refused, and when."""

import json
import os
import pathlib
import signal
import sys
from concurrent import futures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import reloads
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, run_tallyctl, serves
from stuck import Stuck


def look(pool):
    """Its status; its settings may be no settings by now, so without them."""
    status, out, errors = run_tallyctl(
        "-s", f"pool.scoreboard={pool.scoreboard}", "status", "--json")
    tap.equal(status, 0, f"tallyctl: {errors}")
    return json.loads(out)


def failed(pool):
    return look(pool)["supervisor"]["reloads_failed"]


def pids(pool):
    return [worker["pid"] for worker in look(pool)["workers"]]


def refuses(pool, *parts):
    """The pool, told to reload, goes on, and the log says why."""
    before, count = pids(pool), failed(pool)
    pool.process.send(signal.SIGHUP)
    kit.until("the reload has failed", lambda: failed(pool) > count)
    for part in parts:
        tap.contains(pool.log_lines(" error ", "reload: ")[-1], part, "the log")
    tap.equal(pids(pool), before, "the workers")
    serves(pool)


@tap.test
def new_settings_are_in_force():
    """new endpoints, another number of workers, another log level"""
    with Pool(workers=4) as pool:
        before = pool.wait_for_workers()
        tap.equal(pool.post(SAMPLE, path="/more").status, 200, "the status")
        pool.change({"sum": {"path": "/sum"},
                     "more": {"path": "/more", "multiply": 3}},
                    workers=2, log_level="info")
        tap.equal(reloads.reload(pool), 2, "the generation")
        reloads.wait_until_alone(pool)
        tap.equal(pool.post(SAMPLE, path="/more").body, b'{"sum":63}',
                  "the reply")
        tap.equal(pool.post(SAMPLE).status, 404, "without an endpoint for /")
        pool.wait_for_workers(2, besides=before)
        tap.equal(reloads.generations(pool), [2, 2], "the generations")
        pool.wait_for_log("reload: generation 2 serves with 2 workers; 4 of "
                          "generation 1 finish")
        size = pool.log().count("outcome=ok")
        pool.post(SAMPLE, path="/sum")
        tap.equal(pool.log().count("outcome=ok"), size, "lines at debug")
        pool.change({"main": {}}, workers=4)
        reloads.reload(pool)
        pool.wait_for_workers(4)
        serves(pool)


@tap.test
def the_monitor_knows_them_too():
    with Pool(workers=1,
              status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        kit.until("the monitor is there", pool.monitor)
        tap.contains(pool.page("/metrics").text, 'endpoint="main"', "before")
        pool.change({"other": {}})
        reloads.reload(pool)
        kit.until("the page shows the new endpoint", lambda: 'endpoint="other"'
                  in pool.page("/metrics").text)


@tap.test
def both_signals_reload():
    """HUP and USR2"""
    with Pool() as pool:
        pool.wait_for_workers()
        for turn, number in enumerate((signal.SIGHUP, signal.SIGUSR2)):
            pool.process.send(number)
            pool.wait_for_count("generation", turn + 2)
            serves(pool)


@tap.test
def a_bad_file_changes_nothing():
    """a bad file changes nothing; the log names file, line and key"""
    with Pool() as pool:
        pool.wait_for_workers()
        for text, *parts in (
                ("[pool]\nworker = 3\n", f"{pool.config}:2:",
                 "worker: no such key"),
                ("[pool]\n\nworkers = many\n", f"{pool.config}:3:",
                 "workers = many"),
                ("[endpoint a]\npath = /\n[endpoint b]\npath = /\n",
                 f"{pool.config}:")):
            pool.config.write_text(text)
            refuses(pool, *parts)
        status, _out, errors = run_tallyctl(
            "-s", f"pool.scoreboard={pool.scoreboard}", "reload")
        tap.equal(status, 1, "the exit status of tallyctl")
        tap.contains(errors, "was not reloaded: see its log", "stderr")
        tap.equal(look(pool)["supervisor"]["generation"], 1, "the generation")


@tap.test
def what_is_no_file_is_not_waited_for():
    """a file that is gone, or has become a pipe or a directory"""
    with Pool() as pool:
        pool.wait_for_workers()
        pool.config.unlink()
        refuses(pool, "No such file")
        os.mkfifo(pool.config)
        refuses(pool, "not a regular file")
        pool.config.unlink()
        pool.config.mkdir()
        refuses(pool, "not a regular file")


@tap.test
def what_cannot_change_is_named():
    """settings that need a restart keep their value, and the log names them"""
    with Pool(workers=2) as pool:
        pool.wait_for_workers()
        scoreboard = pool.settings["scoreboard"]
        pool.change({"sum": {"multiply": 3}}, listen="/nowhere/tallyd.sock",
                    max_connections=9, workers=3, status_listen=f"{kit.HOST}:1",
                    log_file=kit.fresh_path("other.log"), max_params="2k",
                    scoreboard=kit.fresh_path("elsewhere"))
        status, out, errors = run_tallyctl(
            "-s", f"pool.scoreboard={scoreboard}", "reload")
        tap.equal(status, 0, f"tallyctl: {errors}")
        names = ("listen", "max_connections", "status_listen", "log_file",
                 "max_params", "scoreboard")
        for name in names:
            tap.check(pool.log_lines(" warn ", f"[pool] {name} cannot change"),
                      f"the log does not name {name}")
        first, second = out.splitlines()
        tap.equal(first, "generation 2 serves with 3 workers", "tallyctl")
        tap.equal(sorted(second.removeprefix(
            "not changed until a restart: ").split(", ")),
            sorted(f"[pool] {name}" for name in names), "what it names")
        pool.change(scoreboard=scoreboard)
        reloads.wait_until_alone(pool)
        tap.equal(pool.post(SAMPLE).body, b'{"sum":63}', "the reply")


@tap.test
def a_reload_that_takes_all_over_names_nothing():
    """tallyctl reload names what the last reload has left, not one before"""
    with Pool(workers=2) as pool:
        pool.wait_for_workers()
        for backlog, lines in (9, 2), (None, 1):
            if backlog is None:
                del pool.settings["backlog"]
                pool.change()
            else:
                pool.change(backlog=backlog)
            _status, out, _errors = run_tallyctl("-c", pool.config, "reload")
            tap.equal(len(out.splitlines()), lines, out)
        pool.change(workers=0)
        _status, out, _errors = run_tallyctl("-c", pool.config, "reload")
        tap.contains(out, "with 2 workers\nnot changed until a restart: "
                     "[pool] workers\n", "none at all")


@tap.test
def workers_beyond_those_of_the_start():
    """workers can be raised as far as the setting goes, and lowered again"""
    with Pool(workers=1) as pool:
        pool.wait_for_workers()
        for count in 9, 40, 3:
            pool.change(workers=count)
            reloads.reload(pool)
            reloads.wait_until_alone(pool)
            tap.equal(len(pool.wait_for_workers(count)), count, "workers")
            tap.equal(len(pool.status()["workers"]), count, "status")
            serves(pool)
        tap.equal(pool.warnings(), [], "warnings")


@tap.test
def a_request_in_hand_is_finished():
    """the old generation finishes what it has, the new one serves meanwhile"""
    with Downstream() as down, Pool(
            {"main": {"downstream": down.url, "timeout": "60s"}},
            workers=2, drain_timeout="60s") as pool:
        old = pool.wait_for_workers()
        down.hold()
        link = pool.link(limit=30)
        link.send(fastcgi.request(SAMPLE))
        down.wait_for(1)
        pool.change({"main": {}})
        reloads.reload(pool)
        kit.until("one old worker is left",
                  lambda: sum(map(procfs.is_alive, old)) == 1)
        for _ in range(5):
            serves(pool)
        # A third one has to wait for the slot of the last of the first.
        pool.process.send(signal.SIGHUP)
        serves(pool)
        tap.equal(pool.count("generation"), 2, "the generation")
        down.release()
        with link:
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        kit.until("it has left", lambda: not any(map(procfs.is_alive, old)))
        pool.wait_for_count("generation", 3)
        reloads.wait_until_alone(pool)


@tap.test
def a_kept_connection_outlives_its_generation():
    """a kept connection is served by one generation after the other"""
    with Pool() as pool, pool.link() as link:
        for turn in range(4):
            link.send(fastcgi.request(SAMPLE, keep=True))
            tap.equal(link.read_reply().body, b'{"sum":42}', "the reply")
            reloads.reload(pool)
            reloads.wait_until_alone(pool)
            tap.equal(pool.count("connections"), 1, f"connections, {turn}")


@tap.test
def an_old_worker_that_hangs_is_ended():
    """one that has not left within drain_timeout is killed"""
    with Pool(workers=2, drain_timeout="300ms") as pool:
        old = pool.wait_for_workers()
        os.kill(old[0], signal.SIGSTOP)
        reloads.reload(pool)
        serves(pool)
        pool.wait_for_log("has not left within drain_timeout: killed")
        reloads.wait_until_alone(pool)
        pool.wait_for_workers(2, besides=old)


@tap.test
def many_at_once():
    """a shower of signals: as many reloads as it takes, one after the other"""
    with Pool(workers=3) as pool:
        pool.wait_for_workers()
        for _ in range(60):
            pool.process.send(signal.SIGHUP)
            pool.process.send(signal.SIGUSR2)
            serves(pool)
        last = reloads.reload(pool)
        # All of them may come before the supervisor looks.
        tap.check(last >= 2, f"generation {last}")
        reloads.wait_until_alone(pool)
        tap.equal(len(pool.wait_for_workers(3)), 3, "workers")
        tap.equal(pool.warnings(), [], "warnings")


@tap.test
def tallyctl_waits_for_settings_that_are_read_later():
    """settings that change when a reload has read them: tallyctl reload waits for
    the next one"""
    one = Stuck(workers=2)
    with one.served as pool, futures.ThreadPoolExecutor() as other:
        pool.wait_for_workers()
        one.get("read")
        pool.process.send(signal.SIGHUP)
        one.wait_until_it_is()
        pool.change(workers=3)
        asked = other.submit(run_tallyctl, "-c", pool.config, "reload",
                             limit=60)
        kit.until("it has asked", lambda: procfs.has_pending(pool.pid))
        one.get("go on")
        tap.equal(asked.result()[:2],
                  (0, "generation 3 serves with 3 workers\n"), "tallyctl")


@tap.test
def a_stop_wins():
    """a stop within a reload stops, a reload within a stop is none"""
    with Downstream() as down, Pool({"main": {"downstream": down.url}}) as pool:
        down.hold()
        link = pool.link()
        link.send(fastcgi.request(SAMPLE))
        down.wait_for(1)
        pool.process.send(signal.SIGHUP)
        pool.process.send(signal.SIGTERM)
        pool.wait_for_log("draining")
        pool.process.send(signal.SIGHUP)
        down.release()
        with link:
            tap.equal(link.read_reply().body, b'{"ok":true}', "the reply")
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.equal(pool.process.left_behind(), [], "left behind")


@tap.test
def tallyctl_tells_why_not():
    """no supervisor, no pool"""
    with Pool(workers=0) as pool:
        kit.until("it serves", pool.workers)
        status, _out, errors = run_tallyctl("-c", pool.config, "reload")
        tap.equal(status, 1, "the exit status")
        tap.contains(errors, "workers = 0 has no supervisor", "stderr")
        # Alone it has nothing to reload and nobody to be followed by.
        for order in (signal.SIGUSR2, signal.SIGHUP):
            pool.process.send(order)
            kit.until("it has heard it", lambda: not procfs.has_pending(
                pool.pid))
            serves(pool)
        pool.stop()
        status, _out, errors = run_tallyctl("-c", pool.config, "reload")
        tap.equal(status, 69, "the exit status")


sys.exit(kit.run())

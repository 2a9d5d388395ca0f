#!/usr/bin/env python3
"""tallyctl status, as text and as JSON, of a pool that runs or does not."""

import json
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool, run_tallyctl, write_settings


@tap.test
def the_json_has_workers_outcomes_and_counters():
    with Downstream() as down, Pool({
            "post": {"downstream": down.url},
            "sum": {"path": "/sum"}}, workers=3) as pool:
        tap.equal(pool.post(SAMPLE).body, b'{"ok":true}', "the reply")
        tap.equal(pool.post(SAMPLE, path="/sum").body, b'{"sum":42}',
                  "the reply")
        tap.equal(pool.post(b"{").status, 400, "the status")
        pids = pool.wait_for_workers()
        status = pool.status()
        tap.equal(status["pid"], pool.pid, "the supervisor's pid")
        tap.equal(sorted(pids), procfs.children_of(pool.pid), "the workers' pids")
        tap.equal(status["requests"], 3, "requests")
        tap.equal(sum(worker["requests"] for worker in status["workers"]), 3,
                  "requests of the workers")
        wrong = {name: count for name, count in status["outcomes"].items()
                 if count != {"ok": 2, "malformed_json": 1}.get(name, 0)}
        tap.equal(wrong, {}, "outcomes that do not fit")
        tap.equal(status["counters"]["connections"], 3, "connections")
        tap.equal(status["counters"]["downstream_posts"], 1, "posts")
        tap.equal(status["counters"]["downstream_connects"], 1, "connects")
        tap.equal(status["supervisor"]["forks"], 3, "forks")


@tap.test
def a_busy_worker_is_shown_as_posting():
    with Downstream() as down, Pool({"post": {"downstream": down.url}},
                                    workers=1) as pool:
        pool.wait_for_workers()
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            tap.equal(pool.status()["workers"][0]["state"], "posting",
                      "the state")
            down.release()
            tap.equal(link.read_reply().status, 200, "the status")
        kit.until("the worker is idle", lambda: pool.status()["workers"][0][
            "state"] == "idle")


@tap.test
def the_text_is_for_people():
    with Pool(workers=2) as pool:
        pool.wait_for_workers()
        pool.post(SAMPLE)
        status, out, errors = run_tallyctl("-c", pool.config, "status")
        tap.equal((status, errors), (0, ""), "how tallyctl ended")
        tap.contains(out, f"pid {pool.pid}", "the text")
        tap.contains(out, "2 of 2 workers", "the text")
        tap.contains(out, "1 requests", "the text")
        for pid in pool.workers():
            tap.contains(out, str(pid), "the text")


@tap.test
def a_pool_that_is_stopped_is_told_by_status_69():
    pool = Pool()
    pool.stop()
    status, out, errors = run_tallyctl("-c", pool.config, "status")
    tap.equal((status, out), (69, ""), "how tallyctl ended")
    tap.contains(errors, "not running", "what it says")


@tap.test
def a_pool_that_was_killed_is_told_by_status_69():
    pool = Pool()
    pool.process.send(signal.SIGKILL)
    pool.process.wait()
    status, out, errors = run_tallyctl("-c", pool.config, "status", "--json")
    tap.equal((status, out), (69, ""), "how tallyctl ended")
    tap.contains(errors, "not running", "what it says")


@tap.test
def a_file_that_is_no_scoreboard_is_told():
    path, config = kit.fresh_path("board"), kit.fresh_path("tallyd.conf")
    write_settings(config, {"scoreboard": path}, {})
    for content in b"", b"tallyd\n\0" + bytes(100), bytes(70000):
        path.write_bytes(content)
        status, out, errors = run_tallyctl("-c", config, "status")
        tap.equal((status, out), (69, ""), "how tallyctl ended")
        tap.contains(errors, "not a scoreboard", "what it says")


@tap.test
def a_pool_of_a_name_that_nobody_has_is_told():
    """with each file that was looked at"""
    status, _out, errors = run_tallyctl("-p", "nobody", "status")
    tap.equal(status, 69, "how tallyctl ended")
    for place in "nobody.scoreboard", "nobody/scoreboard":
        tap.contains(errors, f"scoreboard = /run/tallyd/{place}: ",
                     "what it says")


@tap.test
def wrong_usage_is_told():
    for arguments, words in (([], "COMMAND -h lists"),
                             (["help", "statu"], "did you mean status?"),
                             (["statu"], "did you mean status?"),
                             (["status", "now"], "now: not an option"),
                             (["-x", "status"], "-x: no such option"),
                             (["status", "--jso"], "did you mean --json?"),
                             (["reload", "--json"], "--json: no such option")):
        status, out, errors = run_tallyctl(*arguments)
        tap.equal((status, out), (64, ""), f"tallyctl {arguments}")
        tap.contains(errors, words, f"tallyctl {arguments}")
        tap.contains(errors, " -h lists", f"tallyctl {arguments}")


@tap.test
def help_is_a_command():
    """tallyctl help is tallyctl -h, tallyctl help COMMAND its own -h"""
    for arguments, same in ((["help"], ["-h"]),
                            (["help", "replay"], ["replay", "-h"]),
                            (["help", "help"], ["-h"])):
        status, out, errors = run_tallyctl(*arguments)
        wanted = run_tallyctl(*same)[1]
        tap.equal((status, out, errors), (0, wanted, ""),
                  f"tallyctl {arguments}")
    tap.contains(out, "  help ", "the commands")


@tap.test
def numbers_in_json_are_whole():
    with Pool(workers=1) as pool:
        pool.wait_for_workers()
        _status, out, _errors = run_tallyctl("-c", pool.config, "status",
                                             "--json")
        tap.equal(len(out.splitlines()), 1, "lines")
        page = json.loads(out, parse_float=lambda text: tap.check(
            False, f"{text} is not whole"))
        tap.equal(page["workers"][0]["number"], 0, "the first worker")


sys.exit(kit.run())

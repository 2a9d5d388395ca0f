#!/usr/bin/env python3
"""[shadow] result_file: the result of each sampled request is written down,
and that costs no request anything, whatever becomes of file and processes."""

import json
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from fastcgi import request
from pool import SAMPLE, Pool, run_tallyctl, serves
from soak import descriptors


ACCEPTS = "00010000"  # a flag in /proc/net/unix


def shadowed(endpoints=None, workers=2, start=True, **shadow):
    path = kit.fresh_path("results.ndjson")
    settings = {"result_file": path, "share": 1, "processes": 1, **shadow}
    pool = Pool({**(endpoints or {"main": {}})}, workers=workers,
                shadow=settings, start=start)
    pool.results = path
    return pool


def lines(pool):
    if not pool.results.exists():
        return []
    return [json.loads(line) for line in
            pool.results.read_text().splitlines()]


def wait_for_lines(pool, count):
    return kit.until(f"{count} results are written",
                     lambda: lines(pool) if len(lines(pool)) >= count
                     else None)


def wait_for_sampled(pool, count):
    """Exactly so many; one is counted when its result may be written already.
    """
    pool.wait_for_count("shadow_sampled", count)
    tap.equal(pool.count("shadow_sampled"), count, "sampled")


def shadows(pool):
    """The pids of the shadow processes, once all workers serve."""
    pool.wait_for_workers()
    return sorted(set(procfs.children_of(pool.pid)) - set(pool.workers()))


@tap.test
def each_result_is_a_line_with_its_id():
    with shadowed({"main": {"downstream_mode": "dry-run", "reply": "ok"},
                   "sum": {"path": "/sum", "result": "größe"}}) as pool:
        for number, (body, path) in enumerate((
                (SAMPLE, "/"), (SAMPLE, "/sum"), (b"{", "/"), (b"{}", "/"),
                (b'{"items":[{"value":9223372036854775807}]}', "/"))):
            pool.post(body, path=path, HTTP_X_REQUEST_ID=f"id-{number}")
        for name, params in (("id-5", {"method": "PUT"}),
                             ("id-6", {"HTTP_CONTENT_ENCODING": "br"}),
                             ("last", {"path": "/sum"})):
            pool.post(SAMPLE, HTTP_X_REQUEST_ID=name, **params)
        got = {line["request_id"]: line for line in wait_for_lines(pool, 8)}
        tap.check(got["id-0"].pop("time").endswith("Z"), "the time")
        tap.equal(got["id-0"], {"request_id": "id-0", "endpoint": "main",
                                "outcome": "ok", "result": '{"sum":42}',
                                "status": 200}, "a success")
        tap.equal(got["id-1"]["result"], '{"größe":42}', "another name")
        tap.equal([(got[f"id-{n}"]["outcome"], got[f"id-{n}"].get("result"))
                   for n in (2, 3, 4)],
                  [("malformed_json", None), ("wrong_shape", None),
                   ("out_of_range", None)], "failures")
        tap.equal([(got[f"id-{n}"]["status"], got[f"id-{n}"].get("body"))
                   for n in (4, 5, 6)],
                  [(422, '{"items":[{"value":9223372036854775807}]}'),
                   (405, None), (415, None)], "those of the head have no body")
        tap.equal(len(got), 8, "lines")
        tap.equal(pool.results.stat().st_mode & 0o777, 0o600, "the mode")
        wait_for_sampled(pool, 8)


@tap.test
def no_process_runs_while_it_is_off():
    for off in {"share": 0}, {"result_file": ""}:
        with shadowed(**off) as pool:
            pool.wait_for_workers()
            serves(pool)
            tap.equal(shadows(pool), [], f"processes with {off}")
            tap.equal(pool.count("shadow_sampled"), 0, "sampled")


@tap.test
def a_body_that_is_too_large_to_be_copied_has_a_result():
    with shadowed({"main": {"max_body": "2k"}}, max_body="1k") as pool:
        padding = b" " * (1024 - len(SAMPLE))
        for number, body in enumerate((
                SAMPLE + padding, SAMPLE + padding + b" ",
                b"{" + padding + b" " * len(SAMPLE), SAMPLE + 3 * padding)):
            pool.post(body, HTTP_X_REQUEST_ID=f"id-{number}")
        got = sorted(wait_for_lines(pool, 4),
                     key=lambda line: line["request_id"])
        tap.equal([(line["outcome"], line.get("result"), "body" in line)
                   for line in got],
                  [("ok", '{"sum":42}', False)] * 2 +
                  [("malformed_json", None, False),
                   ("body_too_large", None, False)], "lines")
        tap.equal(pool.count("shadow_skipped"), 0, "skipped")


@tap.test
def a_process_that_is_stopped_costs_no_request():
    """a shadow process that is stopped: copies are dropped, requests are not"""
    with shadowed(queue=4) as pool:
        pid = kit.until("there is one", lambda: shadows(pool))[0]
        os.kill(pid, signal.SIGSTOP)
        for _ in range(20):
            serves(pool)
        wait_for_sampled(pool, 4)
        tap.equal(pool.count("shadow_dropped"), 16, "dropped")
        os.kill(pid, signal.SIGCONT)
        wait_for_lines(pool, 4)
        serves(pool)
        wait_for_lines(pool, 5)
        os.kill(pid, signal.SIGSTOP)  # holds nobody up at the end, too


@tap.test
def a_process_that_is_killed_is_replaced():
    with shadowed() as pool:
        first = kit.until("there is one", lambda: shadows(pool))
        for round_ in range(3):
            os.kill(shadows(pool)[0], signal.SIGKILL)
            serves(pool)
            first = kit.until("another one runs", lambda was=first: [
                now for now in [shadows(pool)] if now not in ([], was)])[0]
            wait_for_lines(pool, round_ + 1)


@tap.test
def a_worker_that_dies_with_a_copy_gives_its_place_back():
    with shadowed(workers=1, queue=1) as pool:
        for _ in range(3):
            with pool.link() as link:
                head = request(SAMPLE, keep=False)
                link.send(head[:-20])  # the body has begun
                victim, = kit.until("it is read",
                                    lambda: pool.workers("reading"))
                os.kill(victim, signal.SIGKILL)
                pool.wait_for_workers(besides=[victim])
        serves(pool)
        wait_for_lines(pool, 1)
        tap.equal(pool.count("shadow_dropped"), 0, "dropped")


@tap.test
def a_file_at_its_limit_or_no_file_costs_no_request():
    with shadowed(result_max="4k") as pool:
        began = time.monotonic()
        for _ in range(100):
            serves(pool)

        def all_examined():
            now = pool.status()["shadow"]
            return now["results"] + now["results_lost"] + pool.count(
                "shadow_dropped") == 100
        kit.until("all are examined", all_examined)
        told = len(pool.log_lines("reached its limit"))
        tap.check(1 <= told <= 1 + (time.monotonic() - began) / 10,
                  f"told {told} times")
        tap.check(pool.results.stat().st_size <= 4096, "the limit")
        tap.check(len(lines(pool)) > 20, "whole lines")
    directory = kit.fresh_path("none")
    with shadowed(result_file=directory / "results") as pool:
        serves(pool)
        pool.wait_for_log("No such file")
        directory.mkdir()
        pool.process.send(signal.SIGUSR1)
        kit.until("it is there", (directory / "results").exists)


@tap.test
def a_file_that_is_rotated_is_opened_again():
    with shadowed() as pool:
        serves(pool)
        wait_for_lines(pool, 1)
        moved = pool.results.with_suffix(".1")
        pool.results.rename(moved)
        pool.process.send(signal.SIGUSR1)
        kit.until("the path is there again", pool.results.exists)
        serves(pool)
        wait_for_lines(pool, 1)
        tap.equal(len(moved.read_text().splitlines()), 1, "lines before")


@tap.test
def a_reload_turns_it_on_and_off():
    with shadowed(share=0) as pool:
        serves(pool)
        text = pool.config.read_text()
        for share, processes in ("1", 1), ("0", 0), ("1", 1):
            pool.config.write_text(text.replace("share = 0",
                                                f"share = {share}"))
            status, _out, errors = run_tallyctl("-c", pool.config, "reload")
            tap.equal((status, errors), (0, ""), "the reload")
            pool.wait_for_workers()
            kit.until("the processes follow",
                      lambda: len(shadows(pool)) == processes)
            serves(pool)
        wait_for_lines(pool, 2)
        wait_for_sampled(pool, 2)


@tap.test
def it_sleeps_when_there_is_nothing_to_do():
    with shadowed() as pool:
        pid = kit.until("there is one", lambda: shadows(pool))[0]
        serves(pool)
        wait_for_lines(pool, 1)
        kit.until("it sleeps", lambda: procfs.state_of(pid) == "S")
        before = procfs.cpu_seconds(pid)
        time.sleep(0.3)  # what is watched
        tap.check(procfs.cpu_seconds(pid) - before < 0.1, "it spins")


@tap.test
def it_runs_when_nobody_else_wants_the_processor():
    with shadowed(start=False) as pool:
        pool.hurries = False
        pool.start()
        pid = kit.until("there is one", lambda: shadows(pool))[0]
        kit.until("it is of that class", lambda: os.sched_getscheduler(pid)
                  == os.SCHED_IDLE)
        tap.check(os.sched_getscheduler(pool.workers()[0]) != os.SCHED_IDLE,
                  "a worker is, too")


def listeners():
    """The unix sockets that accept connections, as /proc/PID/fd has them."""
    lines = pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
    return {f"socket:[{line.split()[6]}]" for line in lines
            if line.split()[3] == ACCEPTS}


@tap.test
def it_does_not_have_the_listener():
    """which would live on with it when the pool ends"""
    with shadowed() as pool:
        pid, = kit.until("there is one", lambda: shadows(pool))
        serves(pool)
        wait_for_lines(pool, 1)  # it has given up what it does not need
        all_ = listeners()
        tap.equal(len(all_ & set(descriptors(pool.workers()[0]))), 1,
                  "listeners of a worker")
        tap.equal(all_ & set(descriptors(pid)), set(), "its listeners")


@tap.test
def it_ends_with_its_supervisor():
    pool = shadowed()
    pid = kit.until("there is one", lambda: shadows(pool))[0]
    workers = pool.workers()
    os.kill(pool.pid, signal.SIGKILL)
    kit.until("all are gone", lambda: not any(
        procfs.is_alive(one) for one in [pid, *workers]))


sys.exit(kit.run())

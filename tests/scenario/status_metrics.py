#!/usr/bin/env python3
"""/metrics: two parsers take it, and its numbers are those of what was done."""

import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool

OPEN = "application/openmetrics-text"
HOSTILE = "/a\"b\\c\u00e9{}'<x>"

# Debian's Python has the parser; ours may be another.
PARSE = """
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(family.name)
"""


def watched(*arguments, **settings):
    settings.setdefault("status_listen", kit.fresh_path("status.sock"))
    return Pool(*arguments, **settings)


def read_samples(text):
    """{'name{labels}': value}"""
    return {name: float(value) for name, value in re.findall(
        r"^(tallyd_[^ #]+(?:\{.*\})?) ([^ ]+)$", text, re.M)}


def samples(pool):
    return read_samples(pool.page("/metrics").text)


def busy_pool(down):
    return watched({"post": {"downstream": down.url, "timeout": "10s"},
                    "sum": {"path": "/sum"}, "odd": {"path": HOSTILE}},
                   workers=2)


def at_rest(pool, requests):
    """All samples, once so many requests are over and all workers idle."""
    got = samples(pool)
    return got if (got["tallyd_request_duration_seconds_count"] == requests
                   and got["tallyd_connections"] == 0
                   and got['tallyd_workers{state="idle"}']
                   == got["tallyd_workers_limit"]) else None


def work(pool):
    pool.post(SAMPLE)
    pool.post(SAMPLE, path="/sum")
    pool.post(b"{", path="/sum")


@tap.test
def promtool_finds_no_fault():
    promtool = kit.need_server("promtool")
    with Downstream() as down, busy_pool(down) as pool:
        work(pool)
        page = pool.page("/metrics")
        tap.equal((page.status, page.headers["content-type"]),
                  (200, "text/plain; version=0.0.4; charset=utf-8"), "the page")
        done = subprocess.run([promtool, "check", "metrics"], text=True,
                              input=page.text, capture_output=True,
                              check=False, timeout=kit.wait_limit(30))
        tap.equal((done.returncode, done.stdout + done.stderr), (0, ""),
                  "promtool check metrics")


@tap.test
def a_parser_of_openmetrics_takes_it():
    python = "/usr/bin/python3"
    if not os.path.exists(python) or subprocess.run(
            [python, "-c", "import prometheus_client"], check=False,
            capture_output=True).returncode != 0:
        raise tap.Skip("there is no python3-prometheus-client")
    with Downstream() as down, busy_pool(down) as pool:
        work(pool)
        page = pool.page("/metrics", OPEN + ";version=1.0.0,text/plain;q=0.5")
        tap.equal(page.headers["content-type"],
                  OPEN + "; version=1.0.0; charset=utf-8", "the type")
        done = subprocess.run([python, "-c", PARSE], text=True,
                              input=page.text, capture_output=True,
                              check=False, timeout=kit.wait_limit(30))
        tap.equal((done.returncode, done.stderr), (0, ""), "the parser")
        tap.check(len(done.stdout.splitlines()) > 40, done.stdout)


@tap.test
def the_numbers_are_those_of_what_was_done():
    with Downstream() as down, busy_pool(down) as pool:
        pool.wait_for_workers()
        pool.wait_for_count("monitor_starts", 1)
        work(pool)
        got = kit.until("all is done", lambda: at_rest(pool, 3))
        for wanted, value in {
                'requests_total{outcome="ok",status="200"}': 2,
                'requests_total{outcome="malformed_json",status="400"}': 1,
                'requests_total{outcome="internal",status="500"}': 0,
                "requests_started_total": 3,
                "request_body_bytes_total": 2 * len(SAMPLE) + 1,
                "request_body_seconds_count": 3,
                "request_decode_seconds_count": 3,
                "request_write_seconds_count": 3,
                "request_queue_seconds_count": 0,
                "downstream_duration_seconds_count": 1,
                "downstream_connect_seconds_count": 1,
                "downstream_first_byte_seconds_count": 1,
                "downstream_posts_total": 1,
                "connections_accepted_total": 3,
                "connections": 0,
                "connections_limit": 512,
                "listen_queue": 0,
                "listen_queue_limit": 1024,
                "workers_limit": 2,
                'workers{state="idle"}': 2,
                "worker_starts_total": 2,
                "monitor_starts_total": 1,
                "ready": 1, "reload_ok": 1,
                'body_limit_bytes{endpoint="sum"}': 16 << 20,
                'downstream_timeout_seconds{endpoint="post"}': 10}.items():
            tap.equal(got.get("tallyd_" + wanted), value, wanted)
        for process in "workers", "supervisor", "monitor":
            memory = got[f'tallyd_memory_bytes{{process="{process}"}}']
            tap.check(1 << 20 < memory < 1 << 30, f"{process}: {memory}")
        total = got["tallyd_request_duration_seconds_sum"]
        parts = sum(got[f"tallyd_{part}_seconds_sum"] for part in (
            "request_body", "request_decode", "request_write",
            "downstream_duration"))
        tap.check(0 < parts <= total, f"parts {parts}, total {total}")


@tap.test
def a_slow_downstream_is_seen_where_it_is_slow():
    with Downstream() as down, busy_pool(down) as pool:
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            time.sleep(1)  # what is measured
            down.release()
            link.read_reply()
        name = "tallyd_downstream_first_byte_seconds"
        got = kit.until("all of it is counted", lambda: at_rest(pool, 1))
        tap.equal(got[name + "_count"], 1, "answers that began")
        for part in ("downstream_first_byte", "downstream_duration",
                     "request_duration"):
            tap.check(got[f"tallyd_{part}_seconds_sum"] >= 1, part)
            tap.equal(got[f'tallyd_{part}_seconds_bucket{{le="0.5"}}'], 0, part)
        # The other parts do not have it, however long they are themselves.
        connect = got["tallyd_downstream_connect_seconds_sum"]
        tap.check(got[name + "_sum"] - connect >= 1, f"connect: {connect}")
        rest = (got["tallyd_request_duration_seconds_sum"]
                - got["tallyd_downstream_duration_seconds_sum"])
        parts = sum(got[f"tallyd_request_{part}_seconds_sum"]
                    for part in ("decode", "write"))
        tap.check(parts <= rest + 1e-6, f"parts {parts}, all of them {rest}")


@tap.test
def connections_that_wait_in_the_kernel_are_seen():
    for listen in None, f"{kit.HOST}:{kit.free_port()}":
        settings = {"listen": listen} if listen else {}
        with Downstream() as down, watched({"post": {"downstream": down.url}},
                                           workers=1, backlog=16,
                                           **settings) as pool:
            down.hold()
            with pool.link() as busy:
                busy.send(request(SAMPLE))
                down.wait_for(1)
                links = [pool.link() for _ in range(5)]
                kit.until(f"{listen}: 5 wait", lambda: samples(pool)[
                    "tallyd_listen_queue"] == 5)
                tap.equal(samples(pool)["tallyd_listen_queue_limit"], 16,
                          "its limit")
                down.release()
                tap.equal(busy.read_reply().status, 200, "the status")
                for link in links:
                    link.close()


@tap.test
def the_wait_for_a_worker_is_what_the_web_server_says():
    with watched(workers=1) as pool:
        pool.wait_for_workers()
        for stamp in (f"{time.time() - 0.5:.3f}", "0.000", "x", "",
                      f"{time.time() + 100:.3f}", "1e9.000", "9" * 40,
                      f"{time.time():.3f} "):
            tap.equal(pool.post(SAMPLE, QUEUED_AT=stamp).status, 200, stamp)
        kit.until("all is counted", lambda: samples(pool)[
            "tallyd_request_duration_seconds_count"] == 8)
        got = samples(pool)
        tap.equal(got["tallyd_request_queue_seconds_count"], 1, "waits")
        tap.check(got["tallyd_request_queue_seconds_sum"] >= 0.499,
                  f'{got["tallyd_request_queue_seconds_sum"]} s')


sys.exit(kit.run())

#!/usr/bin/env python3
"""ping_path: a web server asks over FastCGI whether the pool is ready."""

import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from fastcgi import PARAMS, STDIN, begin, pack_pairs, record, request, stream
from pool import SAMPLE, Pool
from records import SUM, unharmed

OK = b'{"ok":true}'


def ping(keep=False, path="/ping", method="GET", **more):
    """As web servers send a GET: with an empty CONTENT_LENGTH."""
    pairs = {"REQUEST_METHOD": method, "SCRIPT_NAME": path,
             "CONTENT_LENGTH": "", **more}
    return (begin(keep=keep) + stream(PARAMS, pack_pairs(pairs))
            + record(STDIN))


@tap.test
def a_pool_that_is_ready_says_so():
    """On GET and HEAD, on a connection that is kept"""
    with unharmed(ping_path="/ping") as pool, pool.link() as link:
        for method, body in (("GET", OK), ("HEAD", b""), ("GET", OK)):
            link.send(ping(keep=True, method=method))
            reply = link.read_reply()
            tap.equal((reply.status, reply.body), (200, body), method)
            tap.equal(reply.headers["content-length"], str(len(OK)),
                      "Content-Length")
            tap.equal(reply.headers["content-type"], "application/json",
                      "Content-Type")
        link.send(request(SAMPLE, keep=True))
        tap.equal(link.read_reply().body, SUM, "the next reply")


@tap.test
def it_is_no_request():
    """Counted as a ping, not logged, posted nowhere, no part of max_requests"""
    with Downstream() as down, unharmed(
            {"main": {"downstream": down.url}}, workers=1, ping_path="/ping",
            max_requests="20", access_log=kit.fresh_path("access")) as pool:
        for _turn in range(40):
            with pool.link() as link:
                link.send(ping())
                tap.equal(link.read_reply().body, OK, "the reply")
        status = pool.status()
        tap.equal(status["requests"], 0, "requests")
        tap.equal(status["workers"][0]["requests"], 0, "of the worker")
        tap.equal(sum(status["outcomes"].values()), 0, "outcomes")
        tap.equal(status["counters"]["pings"], 40, "pings")
        tap.equal(status["counters"]["kept"], 0, "kept")
        tap.equal(pool.log_lines("outcome="), [], "lines in the log")
        tap.equal(pool.settings["access_log"].read_text(), "", "access_log")
        tap.equal(down.take(), [], "posts")


@tap.test
def nothing_else_is_a_ping():
    """Other paths and methods, and a pool without the setting"""
    with unharmed(ping_path="/ping") as pool:
        for more in ({"method": "POST"}, {"method": "get"}, {"path": "/ping/"},
                     {"path": "/pin"}, {"path": ""}, {"PATH_INFO": "/x"}):
            with pool.link() as link:
                link.send(ping(**more))
                tap.check(link.read_reply().status in (400, 404, 405),
                          f"{more}")
        with pool.link() as link:
            link.send(ping(path="/pi", PATH_INFO="ng"))
            tap.equal(link.read_reply().body, OK, "the reply in two parts")
        tap.equal(pool.count("pings"), 1, "pings")
    with unharmed() as pool:
        for path in "/ping", "":
            with pool.link() as link:
                link.send(ping(path=path))
                tap.check(link.read_reply().status in (404, 405),
                          "it was answered")


@tap.test
def a_body_does_not_hold_it_up():
    """One that never ends: answered all the same, and closed"""
    with unharmed(ping_path="/ping", body_timeout="1h") as pool:
        for more in b"", record(STDIN, b"x" * 9000):
            with pool.link() as link:
                link.send(ping(keep=True)[:-8] + more)
                tap.equal(link.read_reply().body, OK, "the reply")
                tap.check(link.at_end(), "the connection stays open")


@tap.test
def a_pool_that_drains_is_not_ready():
    """503 to a check that waits when the pool stops"""
    with Downstream() as down:
        pool = Pool({"main": {"downstream": down.url}}, workers=1,
                    ping_path="/ping")
        down.hold()
        with pool.link() as first, pool.link() as second, \
                pool.link() as third:
            first.send(request(SAMPLE))
            down.wait_for(1)
            second.send(ping())
            third.send(ping(method="HEAD"))
            pool.process.send(signal.SIGTERM)
            pool.wait_for_log("draining")
            down.release()
            tap.equal(first.read_reply().status, 200, "the first reply")
            reply = second.read_reply()
            tap.equal((reply.status, reply.body), (503, b'{"ok":false}'),
                      "the answer to GET")
            reply = third.read_reply()
            tap.equal((reply.status, reply.body), (503, b""),
                      "the answer to HEAD")
        tap.equal(pool.process.wait(), 0, "the status of the pool")


sys.exit(kit.run())

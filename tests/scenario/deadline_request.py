#!/usr/bin/env python3
"""request_timeout: whatever a request waits for, its client is told in time."""

import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import fronts
import kit
import peers
import tap
from downstream import Downstream
from pool import SAMPLE, Pool, serves
from records import HEAD, expect_status, unharmed

PART = fastcgi.record(fastcgi.STDIN, SAMPLE[:9])
LIMIT = 1.0
OUTCOME = "request_timeout"


def limited(endpoints=None, **settings):
    return unharmed(endpoints, request_timeout=f"{LIMIT * 1000:.0f}ms",
                    **settings)


def posting(down, **keys):
    return {"main": {},
            "post": {"path": "/post", "downstream": down.url, **keys}}


def post(pool):
    """(the status, how long it took)"""
    began = time.monotonic()
    reply = pool.post(SAMPLE, path="/post")
    return reply.status, time.monotonic() - began


def expect_timeout(pool):
    status, took = post(pool)
    tap.equal(status, 504, "the status")
    tap.check(took >= LIMIT, f"answered after {took:.3f} s")
    tap.equal(pool.count(OUTCOME), 1, OUTCOME)
    tap.equal(pool.count("downstream_timeout"), 0, "downstream_timeout")


@tap.test
def a_body_that_does_not_come():
    with limited() as pool:
        began = time.monotonic()
        expect_status(pool, HEAD + PART, 504, OUTCOME)
        tap.check(time.monotonic() - began >= LIMIT, "it was too early")
        tap.equal(pool.count("body_timeout"), 0, "body_timeout")


@tap.test
def a_body_that_never_makes_it_wait():
    """A body whose bytes are always there is ended, too"""
    with limited({"main": {"max_body": "1024g"}}) as pool, \
            pool.link() as link:
        link.send(fastcgi.begin() + fastcgi.stream(
            fastcgi.PARAMS, fastcgi.pack_pairs(
                {**fastcgi.parameters(b""), "CONTENT_LENGTH": ""})))
        link.send(fastcgi.record(fastcgi.STDIN, b'{"items":['))
        part = fastcgi.record(fastcgi.STDIN, b'{"value":1},' * 5000)
        done = threading.Event()

        def flood():
            try:
                while not done.is_set():
                    link.send(part)
            except OSError:
                pass
        with peers.in_background(flood) as sender:
            tap.equal(link.read_reply().status, 504, "the status")
            done.set()
            sender.join(kit.wait_limit(10))


@tap.test
def a_head_that_came_late():
    """It is counted from the first byte, whichever worker read it"""
    with limited() as pool, pool.link() as link:
        link.send(HEAD[:20])
        time.sleep(LIMIT * 1.1)  # time passing is what is tested
        link.send(HEAD[20:])
        tap.equal(link.read_reply().status, 504, "the status")


@tap.test
def a_wait_between_requests_is_not_counted():
    with limited(keepalive_idle="1h") as pool, pool.link() as link:
        link.send(fastcgi.request(SAMPLE, keep=True))
        link.read_reply()

        def is_served():
            time.sleep(LIMIT * 1.1)  # time passing is what is tested
            link.send(fastcgi.request(SAMPLE, keep=True))
            return link.read_reply().status == 200
        kit.until("the next one is served", is_served)


@tap.test
def a_downstream_that_does_not_answer():
    with Downstream() as down, limited(posting(down)) as pool:
        down.hold()
        expect_timeout(pool)
        tap.equal(pool.count("downstream_posts"), 1, "posts")
        tap.equal(len(down.wait_for(1)), 1, "requests")
        down.release()


@tap.test
def a_downstream_that_drips():
    with Downstream(peers.drip()) as down, limited(posting(down)) as pool:
        expect_timeout(pool)


@tap.test
def a_downstream_that_does_not_let_us_connect():
    with peers.FullBacklog() as full, limited(
            posting(full, connect_timeout="1h", timeout="1h")) as pool:
        expect_timeout(pool)
        tap.equal(pool.count("downstream_posts"), 0, "posts")


@tap.test
def its_own_deadline_may_come_first():
    with Downstream() as down, unharmed(posting(down, timeout="50ms"),
                                        request_timeout="1h") as pool:
        down.hold()
        tap.equal(post(pool)[0], 504, "the status")
        tap.equal(pool.count("downstream_timeout"), 1, "downstream_timeout")
        tap.equal(pool.count(OUTCOME), 0, OUTCOME)
        down.release()


@tap.test
def nothing_is_posted_after_it():
    """A body that is complete, but too late"""
    with Downstream() as down, limited(posting(down)) as pool, \
            pool.link() as link:
        request = fastcgi.request(SAMPLE, path="/post")
        link.send(request[:20])
        time.sleep(LIMIT * 1.1)  # time passing is what is tested
        link.send(request[20:])
        tap.equal(link.read_reply().status, 504, "the status")
        tap.equal(down.take(), [], "what was posted")


@tap.test
def the_log_says_where_the_time_went():
    with Downstream() as down, limited(posting(down)) as pool:
        down.hold()
        post(pool)
        down.release()
        lines = pool.log_lines("warn", f"outcome={OUTCOME} status=504")
        tap.equal(len(lines), 1, "lines")
        for part in (' method="POST" path="/post" ', " total=", " body=",
                     " decode=", " downstream=", "the downstream has not"):
            tap.contains(lines[0], part, "the line")
        spent = {key: float(value[:-2]) for key, _, value in (
            word.partition("=") for word in lines[0].split())
            if value.endswith("ms")}
        tap.check(spent["downstream"] >= LIMIT * 900,
                  f"the downstream took {spent['downstream']} ms")
        tap.check(spent["total"] >= spent["downstream"], "total is too small")


@tap.test
def without_a_limit_a_request_may_take_its_time():
    with Downstream() as down, Pool(posting(down), request_timeout="0s") as pool:
        down.hold()
        replies = []
        with peers.in_background(lambda: replies.append(post(pool))) as thread:
            down.wait_for(1)
            time.sleep(LIMIT)  # time passing is what is tested
            down.release()
            thread.join(kit.wait_limit(10))
        tap.equal(replies[0][0], 200, "the status")
        serves(pool)


@tap.test
def through_nginx():
    with Downstream() as down:
        down.hold()
        front = fronts.Nginx(posting(down), request_timeout="1s")
        reply = front.post("/post", SAMPLE)
        tap.equal(reply.status, 504, "the status")
        tap.equal(reply.json()["outcome"], OUTCOME, "the outcome")
        down.release()
        front.stop()


sys.exit(kit.run())

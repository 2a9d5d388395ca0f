#!/usr/bin/env python3
"""The breaker: a downstream that fails is left alone, then tried by one request
at a time, whoever dies meanwhile; and what the pool says of it."""

import collections
import os
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kills
import kit
import reloads
import tap
from downstream import Answer, Downstream, Raw, refusing_url
from fastcgi import Broken, request
from pool import SAMPLE, Pool, run_tallyctl

OK = b'{"ok":true}'
BROKEN = Answer(500)
PROBLEM = "application/problem+json"


def guarded(down, failures=3, cooldown="1h", **keys):
    """The keys of an endpoint whose breaker has these settings."""
    return {"downstream": getattr(down, "url", down), "breaker": failures,
            "breaker_cooldown": cooldown, **keys}


def pool_for(down, workers=2, **keys):
    return Pool({"post": guarded(down, **keys)}, workers=workers)


def breaker(pool, number=0):
    return pool.status()["breakers"][number]


def trip(poster, failures=3, status=502):
    """Post until it opens; each is refused by the downstream itself."""
    for turn in range(failures):
        tap.equal(poster.post(SAMPLE).status, status, f"status {turn}")


def expect_refused(reply, seconds):
    """503 by the breaker; `seconds`: what Retry-After may say."""
    tap.equal(reply.status, 503, "the status")
    tap.equal(reply.headers["content-type"], PROBLEM, "the type")
    tap.check(int(reply.headers["retry-after"]) in seconds,
              f'Retry-After: {reply.headers["retry-after"]}')
    tap.equal(reply.json()["outcome"], "breaker_open", "the outcome")


def wait_for_cooldown(pool):
    kit.until("the cooldown is over", lambda: (
        breaker(pool)["state"], breaker(pool)["open_milliseconds"]) ==
        ("open", 0))


@tap.test
def behind_nginx_it_opens_and_closes():
    """Behind nginx: after the third failure in a row nothing is posted or
    connected; the first request after the cooldown brings it back"""
    with Downstream(BROKEN) as down:
        front = fronts.Nginx({"post": guarded(down, cooldown="5s")}, workers=2)
        for turn in range(3):
            tap.equal(front.post("/", SAMPLE).status, 502, f"status {turn}")
        connections, down.answer = down.connections, Answer()
        for _turn in range(4):
            expect_refused(front.post("/", SAMPLE), range(1, 6))
        tap.equal(len(down.take()), 3, "posts")
        tap.equal(down.connections, connections, "connections")
        tap.equal(front.pool.count("breaker_open"), 4, "breaker_open")
        wait_for_cooldown(front.pool)
        for turn in range(3):
            tap.equal(front.post("/", SAMPLE).body, OK, f"reply {turn}")
        tap.equal(breaker(front.pool)["state"], "closed", "the state")
        tap.equal(front.pool.count("breaker_opened"), 1, "breaker_opened")
        tap.equal(front.pool.count("breaker_probes"), 1, "breaker_probes")
        front.pool.wait_for_log("breaker closed: the downstream answers again")
        front.stop()


@tap.test
def it_is_off_unless_asked_for():
    with Downstream(BROKEN) as down, Pool(
            {"post": {"downstream": down.url}}) as pool:
        trip(pool, 50)
        tap.equal(len(down.take()), 50, "posts")
        tap.equal(pool.status()["breakers"], [], "breakers")


@tap.test
def what_is_a_failure():
    """No connection, no answer in time, no HTTP, a status of 500 and more"""
    for answer, status in ((None, 502), (Raw(b""), 502), (Raw(b"x"), 502),
                           (Answer(500), 502), (Answer(503), 502)):
        with Downstream(answer) as down, pool_for(
                refusing_url() if answer is None else down) as pool:
            trip(pool, status=status)
            expect_refused(pool.post(SAMPLE), range(3000, 3601))
    with Downstream() as down, pool_for(down, timeout="50ms") as pool:
        down.hold()
        trip(pool, status=504)
        expect_refused(pool.post(SAMPLE), range(3000, 3601))
        down.release()


@tap.test
def what_is_none():
    """A refusal or a redirect is an answer; a success ends the row"""
    answers = [BROKEN, BROKEN, Answer(400), BROKEN, BROKEN, Answer(307),
               BROKEN, BROKEN, Answer(200), BROKEN, BROKEN]
    queue = collections.deque(answers)
    with Downstream(lambda *_: queue.popleft()) as down, \
            pool_for(down, workers=1) as pool:
        for _answer in answers:
            tap.check(pool.post(SAMPLE).status != 503, "it has opened")
        tap.equal(breaker(pool), {"endpoint": "post", "state": "closed",
                                  "failures": 2, "open_milliseconds": 0},
                  "the breaker")


@tap.test
def one_probe_at_a_time():
    """Of many requests after the cooldown one goes to the downstream, until it
    is answered; one that fails opens it again"""
    with Downstream(BROKEN) as down, \
            pool_for(down, workers=6, cooldown="100ms") as pool:
        trip(pool)
        for answer, status, state in ((BROKEN, 502, "open"),
                                      (Answer(), 200, "closed")):
            wait_for_cooldown(pool)
            down.take()
            down.answer = answer
            down.hold()
            replies = []
            threads = [threading.Thread(
                target=lambda: replies.append(pool.post(SAMPLE, limit=60)),
                daemon=True)
                for _ in range(6)]
            for thread in threads:
                thread.start()
            kit.until("all but one are answered", lambda: len(replies) == 5)
            tap.equal(breaker(pool)["state"], "half open", "the state")
            for reply in replies:
                expect_refused(reply, [1])
            tap.equal(len(down.wait_for(1)), 1, "posts")
            down.release()
            for thread in threads:
                thread.join()
            tap.equal(replies[-1].status, status, "the status of the probe")
            tap.equal(len(down.take()), 1, "posts in the end")
            tap.equal(breaker(pool)["state"], state, "the state after it")
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")


@tap.test
def a_killed_probe_is_not_waited_for():
    """The worker that tries is killed: another request tries at once, long
    before its `timeout`"""
    with Downstream(BROKEN) as down, pool_for(
            down, cooldown="100ms", timeout="1h") as pool:
        trip(pool)
        wait_for_cooldown(pool)
        down.take()
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            expect_refused(pool.post(SAMPLE), [1])
            os.kill(pool.workers("posting")[0], signal.SIGKILL)
            try:
                raise tap.Failure(f"a reply: {link.read_reply().status}")
            except Broken:
                pass
        down.answer = Answer()
        down.release()
        kit.until("another request has tried",
                  lambda: pool.post(SAMPLE).body == OK)
        tap.equal(breaker(pool)["state"], "closed", "the state")


def keep_posting(pool, over, statuses):
    while not over.is_set():
        try:
            statuses[pool.post(SAMPLE, limit=60).status] += 1
        except (Broken, OSError):
            statuses["lost"] += 1


@tap.test
def workers_are_killed_while_it_opens_and_closes():
    """A downstream that comes and goes, and a worker killed every 20 ms: nobody
    is refused for longer than the cooldown once both have ended"""
    over, statuses = threading.Event(), collections.Counter()
    with Downstream() as down, pool_for(
            down, workers=4, cooldown="100ms", timeout="1h") as pool:
        down.answer = lambda *_: (
            BROKEN if len(down.requests) // 7 % 2 else Answer())
        clients = [threading.Thread(target=keep_posting,
                                    args=(pool, over, statuses), daemon=True)
                   for _ in range(6)]
        with kills.Killer(pool.pid, 0.02) as killer:
            for client in clients:
                client.start()
            down.wait_for(150, 60)
            kit.until("some were killed", lambda: killer.serving > 10, 60)
        over.set()
        for client in clients:
            client.join()
        down.answer = Answer()
        kit.until("it is closed", lambda: pool.post(SAMPLE).body == OK)
        for turn in range(50):
            tap.equal(pool.post(SAMPLE).body, OK, f"reply {turn}")
        tap.equal(set(statuses) - {200, 502, 503, "lost"}, set(), "statuses")
        tap.check(pool.count("breaker_opened") > 3, "it hardly ever opened")
        tap.check(statuses[503] > 0 and statuses[200] > 0, f"{statuses}")


@tap.test
def a_reload_leaves_it_as_it_is():
    """An open breaker stays open, and counts on; one whose endpoint posts
    elsewhere is new"""
    with Downstream(BROKEN) as down, Downstream() as other, \
            pool_for(down) as pool:
        trip(pool, 2)
        reloads.reload(pool)
        reloads.wait_until_alone(pool)
        tap.equal(breaker(pool)["failures"], 2, "failures in a row")
        trip(pool, 1)
        reloads.reload(pool)
        reloads.wait_until_alone(pool)
        expect_refused(pool.post(SAMPLE), range(3000, 3601))
        reloads.reload_with(pool, {"post": guarded(other)})
        tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        reloads.reload_with(pool, {"post": guarded(down)})
        trip(pool)


@tap.test
def many_reloads_with_other_endpoints():
    """Places of breakers that nobody uses any more are used again"""
    with Downstream(BROKEN) as down, Pool({"e": guarded(down)},
                                          workers=1) as pool:
        pool.wait_for_workers()
        for turn in range(8):
            reloads.reload_with(pool, {
                f"e{turn}-{n}": guarded(down, path=f"/{n}")
                for n in range(40)})
            for _failure in range(3):
                tap.equal(pool.post(SAMPLE, path="/39").status, 502,
                          "the status")
            states = [b["state"] for b in pool.status()["breakers"]]
            tap.equal(states, ["closed"] * 39 + ["open"], "the states")


@tap.test
def each_endpoint_has_its_own():
    with Downstream(BROKEN) as down, Downstream() as good, Pool({
            "bad": guarded(down), "good": guarded(good, path="/good"),
            "sum": {"path": "/sum"}}) as pool:
        trip(pool)
        expect_refused(pool.post(SAMPLE), range(3000, 3601))
        tap.equal(pool.post(SAMPLE, path="/good").body, OK, "the reply")
        tap.equal(pool.post(SAMPLE, path="/sum").status, 200, "the status")
        tap.equal(pool.post(b"{").status, 400, "a bad body is still told")


@tap.test
def a_process_without_supervisor_has_one():
    with Downstream(BROKEN) as down, pool_for(down, workers=0) as pool:
        trip(pool)
        expect_refused(pool.post(SAMPLE), range(3000, 3601))


@tap.test
def everybody_is_told():
    """Log, text, JSON, page, metrics and warning say that it is open"""
    with Downstream(BROKEN) as down, Pool(
            {"post": guarded(down)},
            status_listen=kit.fresh_path("status.sock")) as pool:
        trip(pool)
        pool.post(SAMPLE)
        pool.wait_for_log("endpoint=post breaker open for 3600000 ms: too many "
                          "failures in a row, last: the downstream answered 500")
        tap.equal(breaker(pool)["state"], "open", "the state")
        text = pool.page("/status?text").text
        tap.contains(text, "breaker of post: open for another 3", "the text")
        tap.contains(" ".join(text.split()),
                     "! The breaker of post is open: requests get 503",
                     "the warning")
        for limits, wanted in (("100,101", 1), ("1,2", 2)):
            status, line, _errors = run_tallyctl(
                "-c", pool.config, "health", "--failures", limits)
            tap.equal(status, wanted, line)
            tap.contains(line, "the breaker of post is open; ", "health")
        page = pool.page("/status?html").text
        tap.contains(page, "breaker of post<td class=n><span class=bad>open"
                     "</span>", "the page")
        metrics = pool.page("/metrics").text
        for line in ('breaker_state{endpoint="post",state="closed"} 0',
                     'breaker_state{endpoint="post",state="open"} 1',
                     'breaker_state{endpoint="post",state="half_open"} 0',
                     "breaker_opened_total 1", "breaker_probes_total 0",
                     'requests_total{outcome="breaker_open",status="503"} 1',
                     "downstream_duration_seconds_count 3"):
            tap.contains(metrics, f"\ntallyd_{line}\n", "the metrics")


sys.exit(kit.run())

#!/usr/bin/env python3
"""queue_timeout and queue_limit on kept connections, by what the pool knows by
itself: they mean the same there as on new ones, and idle is no wait."""

import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kills
import kit
import procfs
import reloads
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool


def ask(link, **more):
    link.send(fastcgi.request(SAMPLE, keep=True, **more))


def kept_links(pool, count):
    """Connections that have served a request each, one at a time: one that
    waits to be accepted would count."""
    links = []
    for _ in range(count):
        link = pool.link(limit=60)
        links.append(link)
        ask(link, path="/sum")
        tap.equal(link.read_reply().status, 200, "the first status")
    return links


def pool_for(down, **settings):
    return Pool({"post": {"downstream": down.url}, "sum": {"path": "/sum"}},
                **settings)


def occupy(pool, down, count=1):
    """So many workers wait in a post until the downstream is released."""
    down.take()
    down.hold()
    links = [pool.link(limit=60) for _ in range(count)]
    for link in links:
        ask(link)
    down.wait_for(count)
    down.take()
    return links


def let_go(gate):
    """The busy worker finishes, and finds what has come: one looks again after
    a millisecond, not before."""
    time.sleep(0.01)  # time passing is what is meant
    gate.set()


def outcome(link):
    """How its request ended; the connection stays open."""
    reply = link.read_reply()
    if reply.status == 200:
        return "ok"
    tap.equal(reply.status, 503, "the status")
    tap.check(int(reply.headers["retry-after"]) >= 1, "Retry-After")
    return reply.json()["outcome"]


def outcomes(links):
    return [outcome(link) for link in links]


def slowly(pause):
    """An answer that takes its time."""
    def answer(_request, _link):
        time.sleep(pause)  # this is the fault, not a wait for something
        return Answer()
    return answer


def still_serves(links):
    """One after the other, so that nobody waits for anybody."""
    for link in links:
        ask(link, path="/sum")
        tap.equal(outcome(link), "ok", "the next request on the connection")


def refuse_most(pool, down, links, wanted):
    """Requests on all links wait for one worker: the oldest are refused at
    once, the others served in their order."""
    busy = occupy(pool, down)
    for number, link in enumerate(links):
        ask(link, HTTP_X_REQUEST_ID=f"id-{number:03}")
    down.answer = slowly(0.02)
    let_go(down.gate)
    got = outcomes(links)
    tap.equal(outcomes(busy), ["ok"], "the first")
    refused = got.count(wanted)
    tap.equal(refused + got.count("ok"), len(links), f"replies of {got}")
    served = [request.headers["x-request-id"] for request in down.take()]
    tap.equal(served, [f"id-{number:03}" for number, how in enumerate(got)
                       if how == "ok"], "what was posted")
    return refused


@tap.test
def too_many_wait_on_kept_connections():
    """Nothing waits in the kernel's queue"""
    with Downstream() as down, pool_for(down, workers=1,
                                        queue_limit=10) as pool:
        links = kept_links(pool, 40)
        refused = refuse_most(pool, down, links, "queue_limit")
        tap.equal(refused, 29, "refused")
        tap.equal(pool.count("queue_limit"), refused, "queue_limit")
        still_serves(links)
        tap.equal(pool.count("connections"), 41, "connections")


@tap.test
def new_connections_and_kept_ones_are_counted_together():
    with Downstream() as down, pool_for(down, workers=1,
                                        queue_limit=20) as pool:
        kept = kept_links(pool, 20)
        busy = occupy(pool, down)
        # New ones first: only who accepts one asks the kernel for the others.
        new = [pool.link(limit=60) for _ in range(20)]
        for link in new + kept:
            ask(link)
        down.answer = slowly(0.05)
        let_go(down.gate)
        tap.equal(outcomes(busy), ["ok"], "the first")
        got = outcomes(kept + new)
        # Neither kind alone is too many.
        refused = got.count("queue_limit")
        tap.check(refused >= 10, f"{refused} refused: {got}")
        tap.check(got.count("ok") >= 21, f"{got}")


@tap.test
def as_many_as_may_wait_are_served():
    with Downstream() as down, pool_for(down, workers=1, queue_limit=40,
                                        queue_timeout="60s") as pool:
        links = kept_links(pool, 40)
        tap.equal(refuse_most(pool, down, links, "queue_limit"), 0, "refused")


@tap.test
def whoever_has_waited_for_too_long():
    """Without a stamp"""
    with Downstream() as down, pool_for(down, workers=1,
                                        queue_timeout="200ms") as pool:
        links = kept_links(pool, 30)
        busy = occupy(pool, down)
        for link in links:
            ask(link)
        # The next may be served, and finds what waits.
        down.answer = slowly(0.4)
        let_go(down.gate)
        tap.equal(outcomes(busy), ["ok"], "the first")
        got = outcomes(links)
        tap.check(got.count("ok") <= 1, f"{got}")
        tap.equal(got.count("queue_timeout") + got.count("ok"), 30,
                  f"replies of {got}")
        tap.equal(pool.count("queue_timeout"), got.count("queue_timeout"),
                  "queue_timeout")
        still_serves(links)


@tap.test
def while_all_workers_are_busy():
    """No request begins, and yet it is known that others have come"""
    with Downstream() as down, pool_for(down, workers=2,
                                        queue_timeout="400ms") as pool:
        links = kept_links(pool, 20)
        busy = occupy(pool, down, 2)
        for link in links:
            ask(link)
        time.sleep(2)  # time passing is what is tested
        down.release()
        tap.equal(outcomes(busy), 2 * ["ok"], "those in hand")
        tap.equal(outcomes(links), 20 * ["queue_timeout"], "outcomes")
        tap.equal(down.take(), [], "posts")
        still_serves(links)


@tap.test
def while_all_workers_are_busy_with_new_connections():
    """But for the last two, which two workers may have accepted in another
    order than they count"""
    with Downstream() as down, pool_for(down, workers=2,
                                        queue_timeout="400ms") as pool:
        busy = occupy(pool, down, 2)
        links = [pool.link(limit=60) for _ in range(20)]
        for link in links:
            ask(link)
        time.sleep(2)  # time passing is what is tested
        down.release()
        tap.equal(outcomes(busy), 2 * ["ok"], "those in hand")
        got = outcomes(links)
        tap.check(got.count("queue_timeout") >= 17, f"{got}")


@tap.test
def at_rest_nobody_looks():
    """queue_timeout wakes nobody up once the last request is done"""
    with Pool({"sum": {"path": "/sum"}}, workers=2,
              queue_timeout="100ms") as pool:
        pids = [*pool.wait_for_workers(), pool.pid]

        def at_rest():
            before = sum(map(procfs.switches, pids))
            time.sleep(0.5)  # time passing is what is tested
            return sum(map(procfs.switches, pids)) == before
        for _turn in range(2):
            still_serves(kept_links(pool, 4))
            kit.until("nobody wakes up for half a second", at_rest, 30)


@tap.test
def being_idle_is_no_wait():
    """A connection that was silent for longer than queue_timeout"""
    with Downstream() as down, pool_for(down, workers=1, queue_timeout="3s",
                                        queue_limit=3) as pool:
        idle = kept_links(pool, 8)
        other = kept_links(pool, 1)
        until = time.monotonic() + 3.5
        while time.monotonic() < until:  # time passing is what is tested
            still_serves(other)
        still_serves(idle)
        # With others at once that come and go, too.
        for _turn in range(20):
            ask(other[0], path="/sum")
            ask(idle[0], path="/sum")
            tap.equal(outcomes([other[0], idle[0]]), ["ok", "ok"], "outcomes")


@tap.test
def what_came_before_a_request_has_not_waited_for_it():
    """An abort that has crossed the reply waits for long; then comes a
    request"""
    gates = [threading.Event() for _ in range(2)]
    with Downstream() as down, pool_for(down, workers=1,
                                        queue_timeout="2s") as pool:
        one, two, late = kept_links(pool, 3)
        entered = iter(gates)

        def answer(_request, _link):
            next(entered).wait()
            return Answer()
        down.answer = answer
        ask(one)
        down.wait_for(1)
        ask(two)
        late.send(fastcgi.record(fastcgi.ABORT_REQUEST))
        let_go(gates[0])
        down.wait_for(2)  # whoever has taken the second has seen the abort
        time.sleep(2.2)  # time passing is what is tested
        ask(late, path="/sum")
        gates[1].set()
        tap.equal(outcomes([one, two, late]), ["ok", "ok", "ok"], "outcomes")


@tap.test
def without_a_supervisor():
    """workers = 0"""
    with Downstream() as down, pool_for(down, workers=0,
                                        queue_limit=10) as pool:
        links = kept_links(pool, 40)
        refused = refuse_most(pool, down, links, "queue_limit")
        tap.equal(refused, 29, "refused")


@tap.test
def a_reload_may_set_the_limit():
    """Connections from before are judged from their next request on"""
    with Downstream() as down, pool_for(down, workers=1) as pool:
        links = kept_links(pool, 40)
        tap.equal(refuse_most(pool, down, links, "queue_limit"), 0, "refused")
        for limit in 10, 0:
            reloads.reload_with(pool, queue_limit=limit)
            down.answer = Answer()
            still_serves(links)
            refused = refuse_most(pool, down, links, "queue_limit")
            tap.equal(refused, 29 if limit else 0, f"refused, {limit} may wait")
        # What the old workers have seen is not what waits today.
        reloads.reload_with(pool, queue_limit=10)
        still_serves(links)


@tap.test
def workers_die_meanwhile():
    """Each request is answered or lost with its worker, and none is counted
    that is not there"""
    with Downstream(slowly(0.01)) as down, pool_for(
            down, workers=3, queue_limit=4) as pool:
        pool.wait_for_workers()
        over = threading.Event()
        counts = {"ok": 0, "queue_limit": 0, "broken": 0}
        lock = threading.Lock()

        def client():
            link = pool.link(limit=60)
            while not over.is_set():
                try:
                    ask(link)
                    how = outcome(link)
                except (fastcgi.Broken, OSError):
                    how = "broken"
                    link.close()
                    link = pool.link(limit=60)
                with lock:
                    counts[how] += 1
            link.close()
        threads = [threading.Thread(target=client) for _ in range(24)]
        for thread in threads:
            thread.start()
        with kills.Killer(pool.pid, 0.05) as killer:
            kit.until("20 workers were killed, requests refused and served",
                      lambda: killer.killed >= 20 and counts["ok"] >= 100
                      and counts["queue_limit"] >= 100, limit=60)
        over.set()
        for thread in threads:
            thread.join()
        tap.check(counts["broken"] <= killer.serving,
                  f"{counts}, {killer.serving} killed at work")
        pool.wait_for_workers()
        down.answer = Answer()
        refused = pool.count("queue_limit")
        still_serves(kept_links(pool, 20) * 3)
        tap.equal(pool.count("queue_limit"), refused, "refused at rest")


@tap.test
def a_stop_answers_who_waits():
    with Downstream() as down, pool_for(down, workers=1, queue_limit=10,
                                        drain_timeout="30s") as pool:
        links = kept_links(pool, 40)
        busy = occupy(pool, down)
        for link in links:
            ask(link)
        pool.process.send(signal.SIGTERM)
        down.answer = slowly(0.01)
        down.release()
        got = outcomes(busy + links)
        tap.equal(set(got), {"ok", "queue_limit"}, "outcomes")
        tap.check(got.count("ok") >= 11, f"{got}")
        tap.equal(pool.process.wait(30), 0, "the exit status")


sys.exit(kit.run())

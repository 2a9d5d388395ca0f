#!/usr/bin/env python3
"""Kept connections belong to all workers: any idle one serves them, in order,
and they survive whoever served them last."""

import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
from downstream import Answer, Downstream, refusing_url
from fastcgi import request
from pool import SAMPLE, Pool, nobody_wakes_up

OK = b'{"ok":true}'
SUM = b'{"sum":42}'


def ask(link, body=SAMPLE, **more):
    link.send(request(body, keep=True, **more))


def kept_links(pool, count):
    """Connections that have served a request each."""
    links = [pool.link() for _ in range(count)]
    for link in links:
        ask(link, path="/sum")
        tap.equal(link.read_reply().body, SUM, "the first reply")
    return links


def two_endpoints(down):
    return {"post": {"downstream": down.url}, "sum": {"path": "/sum"}}


@tap.test
def many_more_connections_than_workers():
    """Every one of 64 connections is served in every round by 2 workers"""
    with Pool({"sum": {"path": "/sum"}}, workers=2) as pool:
        links = kept_links(pool, 64)
        for _round in range(5):
            for link in links:
                ask(link, path="/sum")
            for link in links:
                tap.equal(link.read_reply().body, SUM, "the reply")
        tap.equal(pool.count("connections"), 64, "connections made")
        tap.equal(pool.count("kept"), 320, "requests on kept ones")


@tap.test
def no_request_waits_on_a_busy_worker_while_another_idles():
    with Downstream() as down, Pool(two_endpoints(down), workers=2) as pool:
        links = kept_links(pool, 8)
        down.hold()
        with pool.link() as slow:
            ask(slow)
            down.wait_for(1)  # one worker waits in a post
            for _round in range(3):
                for link in links:
                    ask(link, path="/sum")
                    tap.equal(link.read_reply().body, SUM, "the reply")
            down.release()
            tap.equal(slow.read_reply().body, OK, "the slow reply")


@tap.test
def connections_are_served_in_the_order_of_their_requests():
    with Downstream() as down, Pool(two_endpoints(down), workers=1) as pool:
        links = kept_links(pool, 12)
        down.hold()
        with pool.link() as slow:
            ask(slow, HTTP_X_REQUEST_ID="first")
            down.wait_for(1)
            order = [5, 3, 11, 0, 7, 1, 2, 10, 4, 6, 9, 8]
            for number in order:
                ask(links[number], HTTP_X_REQUEST_ID=f"id-{number}")
            down.release()
            for number in order:
                tap.equal(links[number].read_reply().body, OK, "the reply")
            got = [one.headers["x-request-id"] for one in down.take()]
            tap.equal(got, ["first"] + [f"id-{n}" for n in order], "the order")


@tap.test
def new_connections_and_kept_ones_take_turns():
    """8 kept connections and 24 new ones wait for one worker: each kind is in
    order, and once it has begun none waits for more than 4 of the other"""
    with Downstream() as down, Pool(two_endpoints(down), workers=1) as pool:
        kept = kept_links(pool, 8)
        down.hold()
        with pool.link() as slow:
            ask(slow, HTTP_X_REQUEST_ID="first")
            down.wait_for(1)
            for number, link in enumerate(kept):
                ask(link, HTTP_X_REQUEST_ID=f"kept-{number}")
            new = [pool.link() for _ in range(24)]
            for number, link in enumerate(new):
                ask(link, HTTP_X_REQUEST_ID=f"new-{number}")
            down.release()
            for link in kept + new:
                tap.equal(link.read_reply().body, OK, "the reply")
                link.close()
        order = [one.headers["x-request-id"] for one in down.take()][1:]
        for kind, count in (("kept", 8), ("new", 24)):
            mine = [name for name in order if name.startswith(kind)]
            tap.equal(mine, [f"{kind}-{n}" for n in range(count)], "the order")
            # Those between one of a kind and the next.
            places = [order.index(name) for name in mine]
            between = [b - a - 1 for a, b in zip(places, places[1:])]
            tap.check(places[0] <= 8 and max(between) <= 4,
                      f"{kind}: {places} in {order}")


@tap.test
def connections_to_downstreams_and_to_clients_are_not_mistaken():
    """A worker with a connection to the downstream of each of 64 endpoints
    serves 31 more clients, then posts on all of them again"""
    with Downstream() as down:
        ends = {f"e{n}": {"path": f"/e{n}", "downstream": f"{down.url}/{n}"}
                for n in range(64)}
        with Pool(ends, workers=1, max_connections=32) as pool:
            links = [pool.link()]
            for _round in range(2):
                for number in range(64):
                    link = links[number % len(links)]
                    ask(link, path=f"/e{number}")
                    tap.equal(link.read_reply().body, OK, "the reply")
                    sent, = down.take()
                    tap.equal(sent.target, f"/process/{number}", "the target")
                while len(links) < 32:
                    links.append(pool.link())
                    ask(links[-1], path="/e0")
                    tap.equal(links[-1].read_reply().body, OK, "the reply")
                down.take()
            tap.equal(down.connections, 64, "connections to the downstream")
            tap.equal(pool.count("connections"), 32, "connections")


@tap.test
def a_killed_worker_takes_no_idle_connection_along():
    with Pool({"sum": {"path": "/sum"}}, workers=3) as pool:
        links = kept_links(pool, 24)
        for _round in range(4):
            before = pool.wait_for_workers()
            pool.wait_for_sleep()
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            # One that is not quite dead may still take a request along.
            pool.wait_for_workers(besides=before)
            for link in links:
                ask(link, path="/sum")
            for link in links:
                tap.equal(link.read_reply().body, SUM, "the reply")
        tap.equal(pool.status()["connections"], 24, "connections")


@tap.test
def a_worker_killed_in_a_request_costs_that_request_alone():
    with Downstream() as down, Pool(two_endpoints(down), workers=2) as pool:
        links = kept_links(pool, 10)
        down.hold()
        with pool.link() as doomed:
            ask(doomed)
            down.wait_for(1)
            busy = pool.workers("posting")
            tap.equal(len(busy), 1, "workers that post")
            os.kill(busy[0], signal.SIGKILL)
            tap.check(doomed.at_end(), "its connection stays open")
            down.release()
        for link in links:
            ask(link, path="/sum")
            tap.equal(link.read_reply().body, SUM, "the reply")
        pool.wait_for_workers(besides=busy)
        kit.until("its connection is counted as lost",
                  lambda: pool.status()["connections"] == 10)


@tap.test
def kills_under_load_cost_no_more_than_what_was_in_hand():
    with Pool({"sum": {"path": "/sum"}}, workers=4) as pool:
        kills, failed, served = [], [], []
        stop = threading.Event()

        def client():
            link = pool.link()
            while not stop.is_set():
                try:
                    ask(link, path="/sum")
                    tap.equal(link.read_reply().body, SUM, "the reply")
                    served.append(1)
                except Exception as error:
                    failed.append(str(error))
                    link.close()
                    link = pool.link()
            link.close()

        clients = [threading.Thread(target=client) for _ in range(16)]
        for one in clients:
            one.start()
        for _turn in range(15):
            count = len(served)
            kit.until("requests are served",
                      lambda mark=count: len(served) > mark + 50)
            alive = procfs.children_of(pool.pid)
            if alive and procfs.kill(alive[_turn % len(alive)]):
                kills.append(1)
        stop.set()
        for one in clients:
            one.join()
        tap.check(len(failed) <= len(kills),
                  f"{len(failed)} failed after {len(kills)} kills: {failed}")


@tap.test
def a_worker_that_retires_leaves_its_connections():
    with Pool({"sum": {"path": "/sum"}}, workers=2) as pool:
        links = kept_links(pool, 8)
        before = pool.wait_for_workers()
        for pid in before:
            os.kill(pid, signal.SIGTERM)
        pool.wait_for_workers(besides=before)
        for link in links:
            ask(link, path="/sum")
            tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def a_request_that_came_while_the_worker_was_busy_is_not_closed_unread():
    """The only worker is busy when keepalive_idle ends for a connection on
    which a request comes then: it is served, and a silent one is closed"""
    idle = kit.seconds(3.0)  # the slow request has begun long before that
    let_go = threading.Event()

    def answer(one, _socket):
        if one.headers["x-request-id"] == "slow":
            let_go.wait()
        return Answer(body=b"{}")

    with Downstream(answer) as down, \
            Pool({"post": {"downstream": down.url}}, workers=1,
                 keepalive_idle=f"{idle:.0f}s") as pool:
        with pool.link() as link, pool.link() as silent, pool.link() as slow:
            for one in link, silent:
                ask(one)
            for one in link, silent:
                tap.equal(one.read_reply().body, OK, "the first reply")
            ask(slow, HTTP_X_REQUEST_ID="slow")
            down.wait_for(3)
            end = time.monotonic() + idle
            kit.until("keepalive_idle is over", lambda: time.monotonic() > end)
            ask(link)
            let_go.set()
            tap.equal(slow.read_reply().body, OK, "the slow reply")
            tap.equal(link.read_reply().body, OK, "the second reply")
            tap.check(silent.at_end(), "the silent one stays open")
            pool.wait_for_count("idle_closed", 1)


@tap.test
def an_idle_connection_is_closed_after_keepalive_idle():
    with Pool({"sum": {"path": "/sum"}}, keepalive_idle="100ms") as pool:
        links = kept_links(pool, 5)
        for link in links:
            tap.check(link.at_end(), "it was not closed")
        pool.wait_for_count("idle_closed", 5)
        tap.equal(pool.count("silent"), 0, "silent")


@tap.test
def keepalive_off_closes_after_each_reply():
    with Pool({"sum": {"path": "/sum"}}, keepalive="off") as pool:
        with pool.link() as link:
            ask(link, path="/sum")
            tap.equal(link.read_reply().body, SUM, "the reply")
            tap.check(link.at_end(), "it was not closed")


@tap.test
def a_server_that_does_not_ask_is_not_kept():
    with Pool({"sum": {"path": "/sum"}}) as pool, pool.link() as link:
        link.send(request(SAMPLE, path="/sum"))
        tap.equal(link.read_reply().body, SUM, "the reply")
        tap.check(link.at_end(), "it was not closed")


@tap.test
def no_outcome_closes_its_connection():
    """After an error, the client's, ours or the downstream's, the next request
    comes on the same connection"""
    with Downstream(Answer(500, b"no")) as down, Pool({
            "sum": {"path": "/sum", "max_body": "1k"},
            "bad": {"path": "/bad", "downstream": down.url},
            "refused": {"path": "/refused", "downstream": refusing_url()}},
            workers=2) as pool, pool.link() as link:
        for wanted, body, more in (
                (400, b"[", {"path": "/sum"}),
                (404, SAMPLE, {"path": "/nowhere"}),
                (405, b"", {"path": "/sum", "method": "GET"}),
                (413, b" " * 3000, {"path": "/sum"}),
                (415, SAMPLE, {"path": "/sum",
                               "HTTP_CONTENT_ENCODING": "br"}),
                (422, b"{}", {"path": "/sum"}),
                (502, SAMPLE, {"path": "/bad"}),
                (502, SAMPLE, {"path": "/refused"})):
            for _turn in range(3):
                ask(link, body, **more)
                tap.equal(link.read_reply().status, wanted, "the status")
            ask(link, path="/sum")
            tap.equal(link.read_reply().body, SUM, f"the reply after {wanted}")
        tap.equal(pool.count("connections"), 1, "connections")
        tap.equal(pool.count("closed"), 0, "closed")


@tap.test
def two_requests_sent_at_once_are_both_answered():
    with Pool({"sum": {"path": "/sum"}}) as pool, pool.link() as link:
        one = request(SAMPLE, keep=True, path="/sum")
        link.send(one + one + one[:30])
        for _turn in range(2):
            tap.equal(link.read_reply().body, SUM, "the reply")
        link.send(one[30:])
        tap.equal(link.read_reply().body, SUM, "the reply")


@tap.test
def the_end_of_the_pool_closes_what_is_idle_and_answers_the_rest():
    with Downstream() as down, Pool(two_endpoints(down), workers=2) as pool:
        links = kept_links(pool, 6)
        down.hold()
        ask(links[0])
        down.wait_for(1)
        pool.process.send(signal.SIGTERM)
        for link in links[1:]:
            tap.check(link.at_end(), "an idle one is still open")
        down.release()
        tap.equal(links[0].read_reply().body, OK, "the reply in hand")
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def an_idle_pool_with_kept_connections_does_nothing():
    with Pool({"sum": {"path": "/sum"}}, workers=4) as pool:
        links = kept_links(pool, 16)
        pids = [*pool.wait_for_workers(), pool.pid]
        pool.wait_for_sleep()
        nobody_wakes_up(pids)
        for link in links:
            link.close()


sys.exit(kit.run())

#!/usr/bin/env python3
"""[shadow] url: sampled requests are compared with the old handler, and no
request ever waits for it, whatever it does."""

import json
import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream, Raw, refusing_url
from fastcgi import request
from pool import SAMPLE, Pool, run_tallyctl, serves
from rollout import Front, OldHandler

EQUAL = Answer(body=b'{"sum":42}')


def shadowed(url, endpoints=None, workers=2, **shadow):
    path = kit.fresh_path("samples.ndjson")
    pool = Pool(endpoints or {"main": {}}, workers=workers,
                shadow={"url": url, "share": 1, "processes": 1,
                        "sample_file": path, **shadow})
    pool.samples = path
    return pool


def verdicts(pool):
    """{kind: number} of those that there were."""
    return {kind: count for kind, count in
            pool.status()["shadow"]["kinds"].items() if count}


def wait_for_verdicts(pool, **wanted):
    kit.until(f"verdicts {wanted}", lambda: verdicts(pool) == wanted)


def wait_until_drawn(pool, count):
    """All of so many requests were sampled or dropped, which is counted when
    the reply has left."""
    kit.until(f"{count} are sampled or dropped", lambda: pool.count(
        "shadow_sampled") + pool.count("shadow_dropped") == count)


def samples(pool):
    if not pool.samples.exists():
        return []
    return [json.loads(line) for line in pool.samples.read_text().splitlines()]


def base_of(down):
    return down.url.removesuffix("/process")


@tap.test
def equal_replies_are_counted_and_leave_no_sample():
    with Downstream(EQUAL) as old, shadowed(base_of(old)) as pool:
        for number in range(5):
            pool.post(SAMPLE, HTTP_X_REQUEST_ID=f"id-{number}")
        wait_for_verdicts(pool, equal=5)
        tap.equal(pool.samples.read_text(), "", "samples")
        # The two workers' copies may overtake each other.
        copies = {got.headers["x-request-id"]: got for got in old.take()}
        tap.equal(sorted(copies), [f"id-{number}" for number in range(5)],
                  "the ids")
        got = copies["id-0"]
        tap.equal((got.method, got.target, got.body),
                  ("POST", "/", SAMPLE), "what the old handler gets")
        tap.equal(len(got.headers["tallyd-shadow"]), 16, "the mark")
        tap.equal(got.headers["content-type"], "application/json", "type")


@tap.test
def the_path_is_put_behind_that_of_the_url():
    odd = "/a b/%\u00e9?x"
    with Downstream(EQUAL) as old, shadowed(
            base_of(old) + "/base/", {"all": {"path": "/"}}) as pool:
        pool.post(SAMPLE, path=odd)
        wait_for_verdicts(pool, equal=1)
        tap.equal(old.take()[0].target, "/base/a%20b/%25%C3%A9%3Fx", "path")


@tap.test
def a_prefix_of_the_pool_alone_is_taken_off():
    with Downstream(EQUAL) as old, shadowed(
            base_of(old), {"all": {"path": "/"}}, strip="/.mirror") as pool:
        for count, (path, wanted) in enumerate((
                ("/.mirror/a", "/a"), ("/.mirrored/a", "/.mirrored/a"),
                ("/b", "/b"), ("/.mirror", "/")), 1):
            pool.post(SAMPLE, path=path)
            wait_for_verdicts(pool, equal=count)
            tap.equal(old.take()[0].target, wanted, path)


@tap.test
def a_difference_is_counted_logged_and_kept():
    with Downstream(Answer(body=b'{"sum":43}')) as old, \
            shadowed(base_of(old)) as pool:
        pool.post(SAMPLE, HTTP_X_REQUEST_ID="id-1")
        wait_for_verdicts(pool, reply_body=1)
        sample = kit.until("it is kept", lambda: samples(pool))[0]
        tap.equal((sample["source"], sample["kind"], sample["pointer"],
                   sample["body"], sample["ours"]["reply"],
                   sample["theirs"]["reply"]),
                  ("id-1", "reply_body", "/sum", SAMPLE.decode(),
                   '{"sum":42}', '{"sum":43}'), "the sample")
        pool.wait_for_log("mismatch request=id-1 kind=reply_body")


@tap.test
def bodies_can_be_kept_out_of_the_samples():
    with Downstream(Answer(body=b'{"sum":43}')) as old, \
            shadowed(base_of(old), sample_bodies="off") as pool:
        serves(pool)
        kit.until("it is kept", lambda: samples(pool))
        text = pool.samples.read_text()
        tap.check("items" not in text and "sum" not in text, text)


@tap.test
def the_result_can_be_compared_instead_of_the_reply():
    with Downstream() as down, Downstream(EQUAL) as old, shadowed(
            base_of(old), {"main": {"downstream": down.url}},
            compare="result") as pool:
        tap.equal(pool.post(SAMPLE).body, b'{"ok":true}', "the reply")
        wait_for_verdicts(pool, equal=1)
        tap.equal(len(down.take()), 1, "posts")


@tap.test
def a_handler_that_does_not_answer_costs_no_request():
    """an old handler that is slow, gone, or no HTTP server costs no request"""
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def pour(_request, link):
        link.sendall(endless)
        piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        for _ in range(64):
            link.sendall(piece)

    for answer, kind in ((Raw(b"HTTP/1.1 200 OK\r\n"), "broken"),
                         (Raw(b"SSH-2.0-x\r\n"), "broken"),
                         (Answer(body=b"<html>"), "reply_not_json"),
                         (Answer(body=b""), "reply_not_json"),
                         (Answer(status=500), "status"),
                         (Answer(body=b" " * 70000 + b"{}"), "reply_size"),
                         (pour, "reply_size")):
        with Downstream(answer) as old, shadowed(base_of(old)) as pool:
            serves(pool)
            wait_for_verdicts(pool, **{kind: 1})
    with shadowed(refusing_url()) as pool:
        for _ in range(20):
            serves(pool)
        wait_for_verdicts(pool, unreached=20)
        tap.equal(samples(pool), [], "samples of what was not judged")


@tap.test
def a_handler_that_hangs_has_its_own_deadline():
    with Downstream(EQUAL) as old, shadowed(
            base_of(old), timeout="300ms", queue=4) as pool:
        old.hold()
        for _ in range(20):
            serves(pool)
        wait_until_drawn(pool, 20)
        wait_for_verdicts(pool, timing_out=pool.count("shadow_sampled"))
        old.release()

        def is_asked_again():
            serves(pool)
            return verdicts(pool).get("equal")
        kit.until("it is asked again", is_asked_again)


@tap.test
def a_reply_never_waits_for_the_old_handler():
    """a connection that is kept: the next request does not wait, either"""
    with Downstream(EQUAL) as old, shadowed(base_of(old), workers=1,
                                            timeout="1h") as pool:
        old.hold()
        with pool.link() as link:
            for _ in range(10):
                link.send(request(SAMPLE, keep=True))
                tap.equal(link.read_reply().status, 200, "the status")
        tap.equal(len(old.wait_for(1)), 1, "asked so far")
        old.release()
        wait_for_verdicts(pool, equal=10)


@tap.test
def a_process_that_dies_while_it_asks_is_replaced():
    with Downstream(EQUAL) as old, shadowed(base_of(old), timeout="1h") as pool:
        old.hold()
        serves(pool)
        old.wait_for(1)
        pool.wait_for_workers()
        pid = pool.monitor()  # the one child that is no worker
        os.kill(pid, signal.SIGKILL)
        kit.until("another one runs",
                  lambda: pool.monitor() not in (None, pid))
        old.release()
        serves(pool)
        wait_for_verdicts(pool, equal=1)
        kit.until("the lost one is counted",
                  lambda: pool.status()["shadow"]["lost"] == 1)


@tap.test
def a_url_that_leads_back_is_refused_and_told():
    """a url that leads back to the pool: copies are refused, nothing doubles"""
    with Downstream() as down, Downstream(EQUAL) as unused:
        endpoint = {"path": "/process", "downstream": down.url}
        port = kit.free_port()
        with shadowed(f"http://{kit.HOST}:{port}", {"main": endpoint}) as pool:
            front = Front(unused, pool, port=port, step="100")
            for _ in range(5):
                tap.equal(front.ask(SAMPLE)[0], 200, "the status")
            kit.until("all are compared",
                      lambda: sum(verdicts(pool).values()) == 6)
            tap.equal(pool.count("shadow_loops"), 6, "loops")
            tap.equal(len(down.take()), 5, "posts")
            tap.contains(run_tallyctl("-c", pool.config, "status")[1],
                         "leads back to this pool", "what is worth a look")


@tap.test
def samples_on_a_full_disk_cost_no_request():
    with Downstream(Answer(body=b'{"sum":43}')) as old, shadowed(
            base_of(old), sample_max="4k", workers=1) as pool:
        for _ in range(50):
            serves(pool)
        wait_for_verdicts(pool, reply_body=50)

        def all_written():
            now = pool.status()["shadow"]
            return now["samples"] + now["samples_lost"] == 50 and now
        shadow = kit.until("each is written, or lost", all_written)
        tap.check(shadow["samples"] == len(samples(pool)) > 5, "written")
        tap.check(pool.samples.stat().st_size <= 4096, "the limit")
    with Downstream(Answer(body=b'{"sum":43}')) as old, shadowed(
            base_of(old), sample_file="/dev/full", workers=1) as pool:
        serves(pool)
        kit.until("it is counted",
                  lambda: pool.status()["shadow"]["samples_lost"] == 1)


@tap.test
def the_node_handler_is_equal():
    """the Node handler answers the same, and what differs by contract is
    counted as that"""
    old = OldHandler()
    endpoint = {"main": {"numbers": "double"}}
    with shadowed(old.url, endpoint, workers=1) as pool:
        for value in (1, 0.1, 1e21, -0.0, 2 ** 53 + 1, 1e-7):
            body = json.dumps({"items": [{"value": value}] * 3}).encode()
            tap.equal(pool.post(body).status, 200, f"the status of {value}")
        wait_for_verdicts(pool, equal=6)
        for body in (b'{"items":[{"value":"5"}]}', b"{", b'{"items":7}',
                     b'{"items":[{}]}'):
            pool.post(body)
        kit.until("all are compared",
                  lambda: sum(verdicts(pool).values()) == 10)
        kinds = pool.status()["shadow"]
        tap.equal((kinds["equal"], kinds["mismatch"], kinds["contract"]),
                  (6, 0, 4), f"classes: {verdicts(pool)}")


@tap.test
def the_next_request_is_served_while_all_are_asked():
    """under load with a slow old handler: nothing fails, and what is dropped is
    counted"""
    def slow(_request, _link):
        time.sleep(0.01)  # the old handler's time
        return EQUAL

    with Downstream(slow) as old, shadowed(base_of(old), queue=8) as pool:
        faults = []

        def ask():
            for _ in range(100):
                if pool.post(SAMPLE).body != b'{"sum":42}':
                    faults.append("another reply")

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tap.equal(faults, [], "faults")
        wait_until_drawn(pool, 400)
        wait_for_verdicts(pool, equal=pool.count("shadow_sampled"))


sys.exit(kit.run())

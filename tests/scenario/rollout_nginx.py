#!/usr/bin/env python3
"""conf/rollout behind nginx: every step is one reload, moves the share of the
requests that it says, loses none, and posts each result once."""

import http.client
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from pool import Pool
from replays import replay
from rollout import Askers, Front, OldHandler

BOTH = {"process": {"path": "/process"},
        "mirror": {"path": "/.tallyd-mirror/process",
                   "downstream_mode": "dry-run", "reply": "sum"}}


def pool_for(down):
    return Pool({name: {**keys, "downstream": down.url}
                 for name, keys in BOTH.items()}, workers=2)


def shares(pool, clients, count):
    """Of about `count` requests: the share that tallyd has answered, and of
    which it was given copies; (at least, at most) of each, since numbers that
    are read one after the other are not of one moment."""
    def look():
        begun = clients.served()
        counters = pool.status()["counters"]
        return (begun, clients.served(), counters["downstream_posts"],
                counters["downstream_dry_runs"])
    before = look()
    clients.wait_for(count)
    after = look()
    least, most = after[0] - before[1], after[1] - before[0]
    return [((after[n] - before[n]) / most, (after[n] - before[n]) / least)
            for n in (2, 3)]


@tap.test
def every_step_moves_its_share_and_loses_nothing():
    with Downstream() as down, pool_for(down) as pool:
        old = OldHandler(down.url)
        front = Front(old, pool)
        clients = Askers(front)
        for step, answered, copied in (
                ("0", (0, 0), (0, 0)), ("mirror", (0, 0), (0.9, 1.1)),
                ("1", (0.0005, 0.04), (0, 0)), ("10", (0.05, 0.16), (0, 0)),
                ("50", (0.4, 0.6), (0, 0)), ("100", (0.9, 1.1), (0, 0)),
                ("0", (0, 0), (0, 0))):
            front.step(step)
            got = shares(pool, clients, 1500)
            for share, (least, most), what in zip(got, (answered, copied),
                                                  ("answered", "copied")):
                tap.check(share[1] >= least and share[0] <= most,
                          f"step {step}: {share} {what}")
        wanted = clients.stop()
        got = sorted(body["sum"] for body in down.bodies())
        tap.equal(len(got), len(wanted), "results posted")
        tap.check(got == wanted, "results are not those of the requests")


@tap.test
def a_step_that_nginx_refuses_changes_nothing():
    with Downstream() as down, pool_for(down) as pool:
        front = Front(OldHandler(down.url), pool)
        (front.directory / "step-10.conf").write_text("no such directive;\n")
        try:
            front.step("10")
        except tap.Failure as failure:
            tap.contains(str(failure), "step-0.conf stays", "what it says")
        else:
            raise tap.Failure("it was taken")
        tap.equal((front.directory / "step.conf").readlink().name,
                  "step-0.conf", "the step")
        tap.equal(front.ask(b'{"items":[]}'), (200, b'{"ok":true}'), "a reply")


@tap.test
def a_pool_that_is_gone_does_not_disturb_the_old_handler():
    """a mirror whose pool is stopped does not disturb the old handler"""
    with Downstream() as down, pool_for(down) as pool:
        front = Front(OldHandler(down.url), pool)
        front.step("mirror")
        clients = Askers(front)
        clients.wait_for(100)
        pool.stop()
        clients.wait_for(200)
        wanted = clients.stop()
        tap.equal(sorted(body["sum"] for body in down.bodies()), wanted,
                  "results posted")


@tap.test
def what_is_replayed_is_not_recorded():
    """the bodies are recorded, the site's own log goes on, and a replay adds to
    neither, not even where the server logs bodies"""
    server = kit.fresh_path("server.log")
    with Downstream() as down, pool_for(down) as pool:
        front = Front(OldHandler(down.url), pool,
                      changes=[("#access_log", "access_log"),
                               ("#client_body", "client_body")],
                      server=f"access_log {server} tallyd_bodies;")
        logs = [front.directory / name for name in
                ("bodies.log", "access.log", "tallyd-answers.ndjson")]
        def lines():
            return [len(log.read_bytes().splitlines())
                    for log in (*logs, server)]
        # nginx logs after it has answered.
        for number in range(30):
            front.ask(b'{"items":[{"value":%d}]}' % number)
        kit.until("all are logged, and what Front has asked",
                  lambda: min(lines()[:3]) == 31)
        tap.equal(lines(), [31] * 3 + [0], "lines")
        opinion = OldHandler()
        for _round in range(2):
            replay(f"http://{kit.HOST}:{front.port}/.tallyd-replay/process",
                   f"{opinion.url}/process", logs[0]).expect(
                       0, cases=31, mismatch=0)
        # A request behind them, so that nginx has logged what it logs.
        front.ask(b'{"items":[]}')
        kit.until("it is logged", lambda: min(lines()[:3]) > 31)
        tap.equal(lines(), [32] * 3 + [0], "lines")


@tap.test
def the_mirror_is_not_for_clients():
    with Downstream() as down, pool_for(down) as pool:
        front = Front(OldHandler(down.url), pool)
        link = http.client.HTTPConnection(kit.HOST, front.port,
                                          timeout=kit.wait_limit())
        link.request("POST", "/.tallyd-mirror/process", b'{"items":[]}')
        tap.equal(link.getresponse().status, 404, "the status")
        link.close()


sys.exit(kit.run())

#!/usr/bin/env python3
"""A 503 of a pool always means that nothing was posted: what fronts of several
hosts rely on when they send such a request to another host. And requests that are
too long for that, and hosts whose clocks differ."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import checks
import fastcgi
import hosts
import kit
import tap
from downstream import Answer, Downstream
from pool import Pool

def let_go(_pool, down):
    down.release()


def when_they_have_waited(pool, down):
    kit.until("they have waited", lambda: pool.status()["waiting"][
        "longest_milliseconds"] > 100)
    down.release()


def stop(pool, down):
    pool.process.send(signal.SIGTERM)
    pool.process.wait(60)
    down.release()


# How each outcome with this status comes about, for five requests at once and one
# worker, while the downstream does not answer, and then with 500: settings of the
# pool and of the endpoint, and what is done when all have been sent.
REFUSALS = {
    "queue_timeout": ({"queue_timeout": "50ms"}, {}, when_they_have_waited),
    "queue_limit": ({"queue_limit": 1}, {}, when_they_have_waited),
    "draining": ({"drain_timeout": "100ms"}, {}, stop),
    "breaker_open": ({}, {"breaker": 1, "breaker_cooldown": "1h"}, let_go),
}


def ask(pool, total):
    """One request, whose sum is its own: (the sum, its connection)."""
    link = pool.link(limit=60)
    link.send(fastcgi.request(b'{"items":[{"value":%d}]}' % total))
    return total, link


def refuse(outcome):
    """Some of the requests get a 503, and of these none is posted."""
    settings, endpoint, action = REFUSALS[outcome]
    with Downstream(Answer(500)) as down:
        pool = Pool({"main": {"multiply": 1, "downstream": down.url,
                              **endpoint}}, workers=1, **settings)
        pool.wait_for_workers()
        down.hold()
        asked = [ask(pool, 1)]
        down.wait_for(1)
        asked += [ask(pool, total) for total in range(2, 6)]
        action(pool, down)
        replies = {total: link.read_reply() for total, link in asked}
        posted = {body["sum"] for body in down.bodies()}
    refused = {total: reply for total, reply in replies.items()
               if reply.status == 503}
    tap.equal({reply.json()["outcome"] for reply in refused.values()},
              {outcome}, "the outcomes of those that got 503")
    tap.equal(posted & set(refused), set(), "refused with 503, and posted")


@tap.test
def every_503_of_the_table_is_tried_here():
    """an outcome that gets this status has to say here that it posts nothing"""
    table = [name for _macro, name, status, _title in checks.read_table(
        "src/base/outcome.def", "OUTCOME") if status == "503"]
    tap.equal(sorted(table), sorted(REFUSALS), "outcomes with status 503")


for _outcome in REFUSALS:
    tap.add(f"{_outcome} posts nothing",
            lambda outcome=_outcome: refuse(outcome))


# --- Through a front. ---

def send_long(rig, length, count=6):
    """The statuses of so many requests of so many bytes, one after the other."""
    path = kit.fresh_path("long")
    path.write_text('{"items":[{"value":42}],"x":"%s"}' % ("x" * length))
    machine = hosts.Machine(rig.switch, "client", hosts.CLIENT)
    return [int(machine.run(
        "curl", "--silent", "--output", "/dev/null", "--write-out",
        "%{http_code}", "--header", "Expect:", "--data-binary", f"@{path}",
        f"http://{rig.front.address}/process")) for _turn in range(count)]


def long_bodies(front, length, lost):
    """The statuses, when one host refuses all, or has been killed before its front
    knows of it."""
    hosts.need("curl")
    rig = hosts.Rig(front, endpoint={"breaker": 1, "breaker_cooldown": "1h"},
                    changes=CHECKS_LATER[front])
    host = rig.hosts[0]
    if lost:
        hosts.kill(host)
    else:
        host.run("ip", "route", "add", "unreachable", f"{hosts.DOWNSTREAM}/32")
        path = kit.fresh_path("short")
        path.write_text('{"items":[]}')
        rig.front.machine.call(kit.TALLYCTL, "-c", host.pool.config, "send",
                               path)
        tap.equal(host.pool.status()["breakers"][0]["state"], "open",
                  "the breaker")
    return send_long(rig, length)


CHECKS_LATER = {hosts.Nginx: (),
                hosts.Haproxy: (("fall 2", "fall 9999"),)}


@tap.test
def long_bodies_and_an_open_breaker():
    """nginx sends a body of any length again, HAProxy one of up to a buffer"""
    for front, length, wanted in ((hosts.Nginx, 100000, [200] * 6),
                                  (hosts.Haproxy, 10000, [200] * 6),
                                  (hosts.Haproxy, 100000,
                                   [200] * 4 + [503] * 2)):
        got = long_bodies(front, length, lost=False)
        tap.equal(sorted(got), wanted, f"{front.name}, {length} bytes")


@tap.test
def long_bodies_and_a_host_that_is_gone():
    """a connection that fails loses no body, of whatever length"""
    for front in hosts.Nginx, hosts.Haproxy:
        tap.equal(long_bodies(front, 100000, lost=True), [200] * 6,
                  front.name)


@tap.test
def clocks_that_differ():
    """the front's clock is behind or ahead of the hosts', one host has been up for
    eleven days longer than the others: nobody is refused for having waited"""
    for shift in (-1000, 1000):
        path = kit.fresh_path("tallyd.conf")
        shipped = (kit.CONF / "nginx/tallyd.conf").read_text("utf-8")
        tap.contains(shipped, "QUEUED_AT $msec", "conf/nginx/tallyd.conf")
        path.write_text(shipped.replace("$msec", f"{time.time() + shift:.3f}"))
        path.chmod(0o644)
        rig = hosts.Rig(hosts.Nginx, changes=(("/etc/nginx/tallyd.conf",
                                               str(path)),),
                        queue_timeout="60s", through=Uptimes().through)
        load = rig.load(80)
        load.goes_on(1)
        account = rig.account(load)
        account.check(failed_most=0)
        tap.equal([host.pool.count("queue_timeout") for host in rig.hosts],
                  [0, 0, 0], "refused")


class Uptimes:
    """The first of several pools runs by another monotonic clock."""

    def __init__(self):
        self.first = True

    def through(self, command):
        at = next(number for number, part in enumerate(command)
                  if str(part).startswith("--net=")) + 1
        more = ["unshare", "--time", "--monotonic", "1000000"] \
            if self.first else []
        self.first = False
        return [*command[:at], *more, *command[at:]]


sys.exit(kit.run())

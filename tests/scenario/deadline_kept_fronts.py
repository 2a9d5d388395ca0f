#!/usr/bin/env python3
"""queue_limit behind web servers that keep their connections, and do not say
how long a request has waited."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE


def slowly(pause):
    """An answer that takes its time."""
    def answer(_request, _link):
        time.sleep(pause)  # this is the fault, not a wait for something
        return Answer()
    return answer


class NginxUnstamped(fronts.NginxKeepalive):
    """With the file that is shipped, but for the stamp."""

    upstream = "keepalive 64;"

    def command(self):
        command = super().command()
        shipped = (kit.CONF / "nginx/tallyd.conf").read_text()
        mine = self.write("unstamped.conf",
                          shipped.replace("fastcgi_param QUEUED_AT", "#"))
        path = self.directory / "nginx.conf"
        text = path.read_text()
        path.write_text(text.replace(f"{kit.CONF}/nginx/tallyd.conf",
                                     str(mine)))
        return command


def crowd(front, down, count):
    """So many requests at once, then the statuses."""
    down.take()
    down.hold()
    links = [front.connect(60) for _ in range(count)]
    for link in links:
        link.request("POST", "/", SAMPLE,
                     {"Content-Type": "application/json"})
    down.wait_for(1)
    down.release()
    replies = [fronts.Reply(link.getresponse()) for link in links]
    for link in links:
        link.close()
    for reply in replies:
        tap.check(reply.status == 200
                  or (reply.status, reply.json()["outcome"]) ==
                  (503, "queue_limit"), f"{reply.status} {reply.body}")
    return [reply.status for reply in replies]


def refuses_behind(front_class):
    """A web server keeps as many connections as there are requests at once,
    uses them again, and gets refusals on them."""
    with Downstream(slowly(0.02)) as down:
        front = front_class({"main": {"downstream": down.url}}, workers=2,
                            queue_limit=3)

        def some_refused():
            before = front.pool.status()["counters"]
            statuses = crowd(front, down, 16)
            after = front.pool.status()["counters"]
            # As many as may wait are served, and those in hand.
            tap.check(statuses.count(200) >= 4, f"{statuses}")
            kept = after["kept"] - before["kept"]
            return kept == 16 and 503 in statuses
        kit.until("16 requests on kept connections, some refused",
                  some_refused, limit=60)
        down.answer = Answer()
        for _turn in range(20):
            tap.equal(front.post("/", SAMPLE).status, 200, "the status")
        front.stop()


@tap.test
def behind_nginx():
    """keepalive, without QUEUED_AT"""
    refuses_behind(NginxUnstamped)


@tap.test
def behind_haproxy():
    refuses_behind(fronts.Haproxy)


@tap.test
def behind_apache():
    """enablereuse"""
    refuses_behind(fronts.ApacheProxy)


sys.exit(kit.run())

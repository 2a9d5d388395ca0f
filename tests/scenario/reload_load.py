#!/usr/bin/env python3
"""Reloads while 64 clients send requests through nginx: none of them fails, and
nginx has nothing to say. bench/reload does a hundred under wrk."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from crowd import Crowd

CLIENTS, RELOADS = 64, 10


def no_request_is_lost(front_class):
    front = front_class({"sum": {}}, workers=4, log_level="info")
    crowd = Crowd(front, CLIENTS)
    for turn in range(RELOADS):
        crowd.wait_for(CLIENTS)
        tap.equal(reloads.reload(front.pool), turn + 2, "the generation")
    answers = crowd.stop()
    tap.equal(list(answers), [(200, b'{"sum":42}')], "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    status = front.pool.status()
    tap.equal(status["requests"], sum(answers.values()), "requests begun")
    tap.equal(status["supervisor"]["exits_signal"], 0, "workers killed")
    tap.equal(status["supervisor"]["reloads"], RELOADS, "reloads")
    reloads.wait_until_alone(front.pool)
    tap.note(f"{sum(answers.values())} requests")
    front.stop()


@tap.test
def new_connections():
    """a connection for each request: 10 reloads, no request fails"""
    no_request_is_lost(reloads.Nginx)


@tap.test
def kept_connections():
    """kept connections: 10 reloads, no request fails"""
    no_request_is_lost(reloads.NginxKeepalive)


@tap.test
def more_workers_than_at_the_start():
    """workers raised from 2 to 9 and lowered again under load: no request
    fails"""
    front = reloads.NginxKeepalive({"sum": {}}, workers=2, log_level="info")
    crowd = Crowd(front, CLIENTS)
    pool = front.pool
    for count in 9, 2, 9:
        crowd.wait_for(CLIENTS)
        reloads.reload_with(pool, workers=count)
        tap.equal(len(pool.status()["workers"]), count, "workers")
    crowd.wait_for(CLIENTS)
    answers = crowd.stop()
    tap.equal(list(answers), [(200, b'{"sum":42}')], "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    tap.equal(pool.status()["requests"], sum(answers.values()), "requests")
    front.stop()


sys.exit(kit.run())

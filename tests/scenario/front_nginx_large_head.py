#!/usr/bin/env python3
"""nginx before two pools: clients with too many headers take no pool away from
the others."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import tap
from pool import SAMPLE, Pool


class TwoPools(fronts.Nginx):
    """As nginx marks a pool that does not answer: one failure in ten seconds
    (max_fails), and then no request for ten."""

    def start_pool(self, endpoints, settings):
        super().start_pool(endpoints, settings)
        self.second = Pool(endpoints, **settings)
        self.upstream = f"server unix:{self.second.socket};"


@tap.test
def nobody_else_is_told_that_no_pool_is_there():
    front = TwoPools(None)
    many = {f"X-{number}": "x" for number in range(300)}
    for _client in range(4):
        tap.equal(front.post("/", SAMPLE, many).status, 431, "the status")
        for _turn in range(4):
            tap.equal(front.post("/", SAMPLE).status, 200, "of the others")
    tap.check("upstream" not in front.process.log(), "nginx blames a pool")
    tap.check(front.pool.count("ok") > 0 and front.second.count("ok") > 0,
              "one pool has served all")
    front.stop()
    front.second.stop()


sys.exit(kit.run())

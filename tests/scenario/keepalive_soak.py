#!/usr/bin/env python3
"""Random clients, bodies, stalls, cuts and kills behind nginx with keep-alive:
every request is accounted for, and nothing is left. bench/soak is the same for
ten minutes."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import ledger
import soak
import tap

REQUESTS, KILLS = 4000, 30


@tap.test
def every_request_is_accounted_for():
    """4,000 requests and 30 kills: each request ends as it has to, none is
    posted twice, no connection and no descriptor is left"""
    stage = soak.Stage(kill_seconds=0.2)
    before = stage.sample()
    kit.until("enough has happened",
              lambda: stage.book.sent() >= REQUESTS
              and stage.killer.killed >= KILLS, limit=90, beat=0.1)
    counts, faults = stage.finish(before)
    tap.equal(faults, [], "faults")
    tap.note(f"{stage.book.sent()} requests, {stage.killer.killed} kills, "
             f"{stage.book.count(ledger.LOST)} lost, at the end {counts}")
    book = stage.book
    tap.equal(sum(book.results.values()), book.sent(), "requests ended")
    for result in (ledger.OK, ledger.NAMED, ledger.GIVEN_UP):
        tap.check(book.count(result) > 0, f"not one request was {result}")


sys.exit(kit.run())

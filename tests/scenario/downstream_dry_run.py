#!/usr/bin/env python3
"""downstream_mode = dry-run: the answer is the usual one, and nobody is
asked."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
from downstream import Downstream, refusing_url
from pool import SAMPLE, Pool, run_tallyctl


@tap.test
def the_reply_is_the_usual_one_and_nothing_is_posted():
    with Downstream() as down, Pool(
            {"wet": {"path": "/wet", "downstream": down.url},
             "dry": {"path": "/dry", "downstream": down.url,
                     "downstream_mode": "dry-run"}}, workers=1) as pool:
        for body in SAMPLE, b"{}", b'{"items":[{"value":1}]', b"":
            wet, dry = (pool.post(body, path=path) for path in ("/wet", "/dry"))
            tap.equal(dry.status, wet.status, f"the status for {body!r}")
            if wet.status == 200:
                tap.equal(dry.body, wet.body, f"the reply to {body!r}")
            else:
                tap.equal(dry.json()["outcome"], wet.json()["outcome"],
                          f"the outcome of {body!r}")
        tap.equal(len(down.take()), 1, "posts, all of them of /wet")
        tap.equal(down.connections, 1, "connections")
        tap.equal(pool.count("downstream_dry_runs"), 1, "dry runs")


@tap.test
def a_downstream_that_is_not_there_does_no_harm():
    with Pool({"dry": {"downstream": refusing_url(),
                       "downstream_mode": "dry-run"}}, workers=1,
              status_listen=kit.fresh_path("status.sock")) as pool:
        tap.equal(pool.post(SAMPLE).body, b'{"ok":true}', "the reply")
        tap.contains(pool.page("/metrics").text,
                     "tallyd_downstream_dry_runs_total 1", "the metrics")
        tap.contains(pool.page("/metrics").text, 'downstream="dry-run"',
                     "the metric of the endpoint")
        for text in pool.page("/status?text").text, run_tallyctl(
                "-c", pool.config, "status")[1]:
            tap.contains(text, "(dry) answer as if they had posted",
                         "what is worth a look")


@tap.test
def a_reload_ends_it():
    with Downstream() as down, Pool(
            {"main": {"downstream": down.url,
                      "downstream_mode": "dry-run"}}, workers=1) as pool:
        pool.post(SAMPLE)
        text = pool.config.read_text()
        pool.config.write_text(text.replace("dry-run", "post"))
        reloads.reload(pool)
        # Until it has left, the old worker may accept, too.
        reloads.wait_until_alone(pool)
        tap.equal(pool.post(SAMPLE).body, b'{"ok":true}', "the reply")
        tap.equal(len(down.take()), 1, "posts")


sys.exit(kit.run())

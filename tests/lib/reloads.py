"""Reloads of a pool behind nginx under load, and what came of them."""

import re

import fronts
import kit
import tap
from pool import run_tallyctl


class Nginx(fronts.Nginx):
    """A new connection to the pool for each request."""


class NginxKeepalive(fronts.NginxKeepalive):
    upstream = "keepalive 32;"


def reload(pool, order="reload"):
    """`tallyctl reload`, or upgrade, as somebody types it; it returns when it
    is done."""
    status, out, errors = run_tallyctl("-c", pool.config, order, limit=60)
    tap.check(status == 0, f"tallyctl {order} ended with {status}: {errors}")
    return int(re.match(r"generation (\d+) serves", out)[1])


def generations(pool):
    return [worker["generation"] for worker in pool.status()["workers"]]


def complaints(front):
    """What nginx has logged that is not about its own clients."""
    return [line for line in front.log_path.read_text().splitlines()
            if re.search(r"\[(warn|error|crit|alert|emerg)\]", line)]


def wait_until_alone(pool):
    """Until the workers of the last generation are all there is."""
    kit.until("the old generation has left",
              lambda: len(set(generations(pool))) == 1)


def reload_with(pool, endpoints=None, **settings):
    """Until all workers have these settings, too."""
    pool.change(endpoints, **settings)
    reload(pool)
    wait_until_alone(pool)

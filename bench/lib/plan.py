"""What is measured: scenarios, and the peers of each.

A scenario is ITEMS[SHAPE]-DOWNSTREAM-CLIENTS[@RATE][-kill]; see
bench/README.md."""

import collections
import re

import traffic

NAME = re.compile(r"^(\d+)([a-z0-9-]*?)-(none|fast|\d+)-(\d+)"
                  r"(?:@(\d+))?(-kill)?$")

Scenario = collections.namedtuple(
    "Scenario", "name items shape downstream clients rate kill")

PEERS = ["tallyd", "tallyd-close", "hyper", "h2o", "fasthttp", "nginx-lua",
         "node-cluster", "node", "php", "uwsgi", "libfcgi"]
PAIR = ["tallyd", "tallyd-close"]
DEFAULT = ["tallyd-default", "hyper"]
ORDER = [*PAIR, *dict.fromkeys([*DEFAULT, *PEERS[2:]])]  # of tables

# Everybody, and beside that one body again and again; the pool with and without
# keep-alive where a pool's size is what counts; the pool with its workers killed;
# many clients and little work; the pool as it is when nothing is set, with clients
# that wait for a downstream.
PLAN = {
    **{name: PEERS for name in (
        "20-none-32", "20-fast-32", "1000-none-32", "1000-fast-32",
        "11000orders-none-8", "20-fast-64@4000",
        "20repeated-none-32", "20repeated-fast-32")},
    **{name: PAIR for name in (
        "20-5-1", "20-5-2", "20-5-4", "20-5-8", "20-5-12",
        "20-5-64-kill")},
    "20-fast-256": [*PAIR, "hyper"],
    "20-5-64": [*PEERS, "tallyd-default"],
    "20-5-64@1000": [*PEERS, "tallyd-default"],
    "20-5-256": [*PAIR, *DEFAULT],
    "20-50-512": DEFAULT,
    "20-200-1024": DEFAULT,
}


def parse(name):
    """None when it is not the name of a scenario."""
    match = NAME.match(name)
    if not match:
        return None
    items, shape, downstream, clients, rate, kill = match.groups()
    shape = shape or traffic.MIXED
    if shape not in traffic.names():
        return None
    return Scenario(name, int(items), shape, downstream,
                    int(clients), int(rate) if rate else None, bool(kill))


def chosen(scenarios, peers):
    """{scenario: peers}, the plan or the part of it that was asked for."""
    plan = {name: PLAN.get(name, PEERS) for name in scenarios or PLAN}
    for name in plan:
        if peers:
            plan[name] = list(peers)
        if parse(name).kill:
            plan[name] = [peer for peer in plan[name] if peer in PAIR]
    return plan

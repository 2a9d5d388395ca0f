#!/usr/bin/env python3
"""conf/haproxy/tallyd-downstream.cfg: the connections of many workers become a few
of HTTP/2, and no result is lost, posted twice or mixed up."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import kit
import tap

WORKERS, DELAY, RATE = 160, 0.25, 400  # 100 requests in progress

# What speaks HTTP/2 in front of the downstream that writes posts down.
RECEIVER = """
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend receiver
    bind :8081 proto h2
    default_backend posts
backend posts
    server posts 192.0.2.50:8080
"""


def haproxy(machine, port, *files):
    """HAProxy with files of conf/, or with a text."""
    paths = []
    for file in files:
        path = kit.CONF / file
        if not path.name.endswith(".cfg"):
            path = kit.fresh_path("haproxy.cfg")
            path.write_text(file)
        paths += ["-f", path]
    process = kit.Process("haproxy", machine.inside(
        kit.find_server("haproxy"), "-db", *paths))
    kit.until("HAProxy listens", lambda: connections(
        machine, "listening", port))
    return process


def connections(machine, state, port):
    """How many there are, seen from the side that was connected to."""
    return len(machine.run("ss", "--tcp", "--numeric", "--no-header", "state",
                           state, f"sport = :{port}").splitlines())


@tap.test
def many_connections_become_few():
    rig = hosts.Rig(hosts.Haproxy, workers=WORKERS, count=1, delay=DELAY,
                    endpoint={"downstream": "http://127.0.0.1:8080/process"},
                    # There is no other host, should this one be slow to answer.
                    changes=(("fall 2", "fall 9999"),))
    haproxy(rig.down.machine, 8081, RECEIVER)
    host = rig.hosts[0]
    haproxy(host, 8080, "haproxy/tallyd-downstream.cfg")
    load = rig.load(RATE)
    load.goes_on(2)
    workers = connections(host, "established", 8080)
    folded = connections(rig.down.machine, "established", 8081)
    account = rig.account(load)
    tap.note(f"{workers} connections of workers, {folded} to the downstream; "
             f"{account.cell()} of {len(account.requests)}")
    account.check(failed_most=0)
    tap.check(workers >= RATE * DELAY / 2, f"{workers} connections of workers")
    tap.check(folded * 10 <= workers,
              f"{folded} connections to the downstream, {workers} of workers")


sys.exit(kit.run())

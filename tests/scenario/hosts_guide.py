#!/usr/bin/env python3
"""doc/HOSTS.md as it is printed: its settings on each host, its commands on one of
them, and no request fails."""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import kit
import tap

GUIDE = kit.TOP / "doc/HOSTS.md"
RATE = 80


def read_guide():
    """(the settings, [command])"""
    text = GUIDE.read_text("utf-8")
    settings = re.search(r"^```ini\n(.*?)^```", text, re.S | re.M)[1]
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    return settings, [line for block in blocks for line in block.splitlines()]


def configure(host, settings):
    """The guide's settings, and what a test needs besides: files of its own, and
    sums that tell the requests apart."""
    pool = host.pool
    text = settings.replace(hosts.HOSTS[0], host.address)
    head = "".join(f"{key} = {pool.settings[key]}\n"
                   for key in ("scoreboard", "workers"))
    pool.config.write_text(text.replace("[pool]\n", "[pool]\n" + head)
                           + "multiply = 1\n")


class Walk:
    def __init__(self, front):
        hosts.need("curl")
        settings, self.commands = read_guide()
        self.rig = hosts.Rig(front)
        for host in self.rig.hosts:
            host.pool.stop(limit=30)
            configure(host, settings)
            host.pool.start()
            host.pool.wait_for_workers()
        self.rig.front.wait_until_ready()
        self.host = self.rig.hosts[0]

    def run(self, command):
        """One command of the guide, on the first host."""
        pool = self.host.pool
        if command.startswith("systemctl start "):
            pool.start()
            return
        words = command.replace("/etc/tallyd/tallyd.conf", str(pool.config))
        words = words.replace("tallyctl ", f"tallyctl -c {pool.config} ")
        path = f"{os.path.dirname(kit.TALLYCTL)}:/usr/sbin:/usr/bin:/sbin:/bin"
        machine = (self.rig.front.machine if command.startswith("curl ")
                   else self.host)
        machine.run("env", f"PATH={path}", "sh", "-c", words)
        if command == "tallyctl stop":
            tap.equal(pool.process.wait(30), 0, "the status of tallyd")


def walk(front):
    guide = Walk(front)
    load = guide.rig.load(RATE)
    for command in guide.commands:
        load.goes_on(0.5)
        guide.run(command)
    kit.until("the host is used again",
              lambda: guide.host.pool.count("ok") > 0, limit=30)
    account = guide.rig.account(load)
    tap.note(f"{len(guide.commands)} commands, {account.cell()} of "
             f"{len(account.requests)}")
    tap.equal(len(guide.commands), 5, "commands of the guide")
    account.check(failed_most=0)


@tap.test
def behind_haproxy():
    walk(hosts.Haproxy)


@tap.test
def behind_nginx():
    walk(hosts.Nginx)


sys.exit(kit.run())

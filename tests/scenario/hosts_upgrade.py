#!/usr/bin/env python3
"""A new version, or new settings, on one host after the other: no request fails,
and hosts of both versions post the same."""

import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import kit
import reloads
import tap
from pool import run_tallyctl, run_tallyd

RATE = 80
USUAL = pathlib.Path(kit.TALLYD)
STRANGER = USUAL.parent.parent / "tests/scenario/tallyd_stranger"

# {sum: body}; the sums are above those of the load.
BODIES = {
    9007199254740993: '{"items":[{"value":9007199254740992},{"value":1}]}',
    100000: '{"x":[{"value":5}],"items":[{"value":-1,"value":99999},'
            '{"a":{"value":7},"value":1}]}',
    200000: '{"items":[{"value":200001},{"value":-1}],"b":"\\ud83d\\ude00"}',
}


def next_version():
    """A program that calls itself another version: (its path, version). Only where
    the log has it: the end of another text may be a text of its own."""
    old = run_tallyd("-V")[1].split()[1]
    new = old[:-1] + ("1" if old[-1] != "1" else "2")
    code = USUAL.read_bytes()
    for text in f"tallyd {old} serving on", f"tallyd {old} has taken over":
        tap.equal(code.count(text.encode()), 1, f"{text!r} in the program")
        code = code.replace(text.encode(), text.replace(old, new).encode())
    path = kit.fresh_path("next")
    path.write_bytes(code)
    return path, new


class Programs:
    """Each pool runs a file of its own."""

    def __init__(self):
        if kit.WRAPPER:
            raise tap.Skip("the program that is executed is the wrapper")
        self.paths = []

    def through(self, command):
        path = kit.fresh_path("tallyd")
        self.paths.append(path)
        self.install(len(self.paths) - 1, USUAL)
        return [path if part == kit.TALLYD else part for part in command]

    def install(self, number, program):
        fresh = kit.fresh_path("fresh")
        shutil.copy(program, fresh)
        fresh.chmod(0o755)
        os.rename(fresh, self.paths[number])


def send_all(rig):
    """Each body to each host, as a front would: all post the same sums."""
    for body in BODIES.values():
        path = kit.fresh_path("body")
        path.write_text(body)
        for host in rig.hosts:
            rig.front.machine.run(kit.TALLYCTL, "-c", host.pool.config, "send",
                                  path)
    for total in BODIES:
        tap.equal(rig.down.posts(total), [host.address for host in rig.hosts],
                  f"who has posted {total}")


def ends_well(rig, load):
    account = rig.account(load, besides=BODIES)
    tap.note(f"{account.cell()} of {len(account.requests)}")
    account.check(failed_most=0)
    sums = {one.number for one in account.requests}
    tap.equal(set(account.posts) - sums, set(), "wrong sums")


def upgrade_in_turn(front):
    programs = Programs()
    rig = hosts.Rig(front, through=programs.through)
    program, version = next_version()
    load = rig.load(RATE)
    load.goes_on(0.5)
    for number, host in enumerate(rig.hosts):
        programs.install(number, program)
        reloads.reload(host.pool, "upgrade")
        tap.contains(host.pool.log(), f"upgrade: tallyd {version} has taken "
                     "over", "the log")
        load.goes_on(0.5)
        if number == 0:
            send_all(rig)
    ends_well(rig, load)


@tap.test
def by_tallyctl_upgrade_behind_haproxy():
    upgrade_in_turn(hosts.Haproxy)


@tap.test
def by_tallyctl_upgrade_behind_nginx():
    upgrade_in_turn(hosts.Nginx)


@tap.test
def by_a_restart_behind_haproxy():
    """a version that cannot take over from the other one: each host is stopped
    and started, there and back"""
    programs = Programs()
    rig = hosts.Rig(hosts.Haproxy, through=programs.through, stop_delay="1s")
    load = rig.load(RATE)
    load.goes_on(0.5)
    for program in STRANGER, USUAL:
        for number, host in enumerate(rig.hosts):
            programs.install(number, program)
            host.pool.stop(limit=60)
            host.pool.start()
            rig.front.wait_until_ready()
            load.goes_on(0.3)
            if number == 0 and program == STRANGER:
                send_all(rig)
    ends_well(rig, load)


@tap.test
def settings_of_one_host_first():
    """more workers, another limit and a second decoder by a reload of the first
    host, then of the others; and settings that are wrong, which change nothing"""
    rig = hosts.Rig(hosts.Nginx)
    load = rig.load(RATE)
    load.goes_on(0.5)
    for number, host in enumerate(rig.hosts):
        pool = host.pool
        good = pool.config.read_text()
        pool.config.write_text(good.replace("workers = ", "worker = "))
        status, _out, errors = run_tallyctl("-c", pool.config, "reload",
                                            limit=60)
        tap.check(status != 0, "wrong settings were taken")
        tap.contains(errors, "worker", "what tallyctl says")
        pool.endpoints["process"]["verify"] = 1
        pool.change(workers=6, queue_limit=1000)
        reloads.reload(pool)
        pool.wait_for_workers(6)
        load.goes_on(0.5)
        if number == 0:
            send_all(rig)
    ends_well(rig, load)
    for host in rig.hosts:
        tap.check(host.pool.count("verified") > 0, "no second decoder")
        tap.equal(host.pool.count("mismatches"), 0, "mismatches")


sys.exit(kit.run())

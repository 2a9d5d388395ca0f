#!/usr/bin/env python3
"""tallyd as systemd runs it: installed by `make install`, with its own units,
under a systemd that is process 1."""

import contextlib
import os
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import tap
from callers import Callers
from downstream import Downstream
from pool import SAMPLE
from system import Unit, boot

OK = (200, b'{"sum":42}')

# Says on standard output whether the socket lets one in.
CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    print(link.connect_ex(sys.argv[1]))
"""


@contextlib.contextmanager
def load(unit, keep):
    """Callers, none of whose requests may be lost."""
    callers = Callers(unit, 4, keep)
    try:
        callers.wait_for(20)
        yield callers
    finally:
        callers.stop()
    tap.equal((list(callers.answers), callers.lost, callers.refused),
              ([OK], [], 0), "the answers, those lost and those refused")


def is_there(system, pid):
    return system.path(f"/proc/{pid}").exists()


# --- Installed, started, stopped. ---

@tap.test
def as_the_readme_has_it():
    """the commands of README.md: user, directories, socket, service"""
    system = boot()
    unit = Unit(system)
    system.run("systemd-sysusers")
    system.run("systemd-tmpfiles", "--create")
    system.systemctl("enable", "--now", "tallyd.socket", "tallyd")
    user = system.run("getent", "passwd", "tallyd").split(":")
    tap.equal(user[6].strip(), "/usr/sbin/nologin", "the shell of the user")
    for name, owner in (("/run/tallyd", "755 root root"),
                        ("/var/log/tallyd", "2750 tallyd adm"),
                        ("/var/lib/tallyd", "750 tallyd tallyd"),
                        ("/run/tallyd/tallyd.sock", "660 root www-data")):
        tap.equal(system.run("stat", "-c", "%a %U %G", name).strip(), owner,
                  name)
    for name in ("multi-user.target.wants/tallyd.service",
                 "sockets.target.wants/tallyd.socket"):
        tap.check(system.path(f"/etc/systemd/system/{name}").is_symlink(),
                  f"{name} is not enabled")
    have = unit.show()
    tap.equal((have["Type"], have["ActiveState"], have["StatusText"],
               have["NRestarts"]),
              ("notify", "active", "serving, generation 1", "0"), "the unit")
    tap.equal(unit.post(b"[").status, 400, "with the settings installed")


@tap.test
def a_start_waits_for_the_workers():
    """READY: when `systemctl start` is back, every worker serves"""
    unit = Unit(boot())
    pid = unit.start(workers=8)
    status = unit.status()
    tap.equal([worker["state"] for worker in status["workers"]],
              ["idle"] * 8, "workers")
    tap.equal((status["ready"], status["pid"]), (True, pid), "MainPID")
    unit.serves()


@tap.test
def a_start_that_fails():
    """settings that are wrong: no READY, no restart, the reason in the journal;
    requests have it tried, and a start is enough once the settings are right"""
    unit = Unit(boot())
    unit.configure(worker=3)
    done = unit.system.call("systemctl", "start", unit.service)
    tap.equal(done.returncode, 1, "the status of systemctl start")
    have = unit.wait_for(ActiveState="failed", ExecMainStatus="78")
    tap.equal(have["NRestarts"], "0", "restarts")
    kit.until("the journal says why", lambda: any(
        "did you mean workers?" in line["MESSAGE"]
        for line in unit.journal()), limit=60)
    with fastcgi.Link(unit.address):
        kit.until("it is tried again", lambda: sum(
            "did you mean workers?" in line["MESSAGE"]
            for line in unit.journal()) >= 3, limit=60)
    unit.set(workers=2)
    kit.until("it starts", lambda: unit.system.call(
        "systemctl", "start", unit.service).returncode == 0, limit=60)
    unit.serves()


@tap.test
def a_start_that_fails_for_a_while():
    """an address that somebody else has: it tries until it is free"""
    unit = Unit(boot())
    with socket.create_server((kit.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        unit.configure(status_listen=f"{kit.HOST}:{port}")
        unit.system.call("systemctl", "start", unit.service)
        kit.until("it tries 8 times", lambda:
                  int(unit.show()["NRestarts"]) >= 8, limit=120, beat=0.1)
    unit.wait_for(ActiveState="active")
    unit.serves()


@tap.test
def the_web_server_alone_may_connect():
    """the socket lets its group in, and nobody else"""
    unit = Unit(boot())
    unit.start()
    for user, wanted in (("www-data", 0), ("nobody", 13)):
        said = unit.system.run("/usr/bin/python3", "-c", CONNECT,
                               "/run/tallyd/tallyd.sock", user=user)
        tap.equal(int(said), wanted, f"errno of {user}")


@tap.test
def a_request_starts_it():
    """with the socket alone, the first request does"""
    unit = Unit(boot())
    unit.configure()
    unit.system.systemctl("start", unit.socket)
    tap.equal(unit.show()["ActiveState"], "inactive", "before")
    unit.serves()
    unit.wait_for(ActiveState="active")


@tap.test
def a_stop_drains():
    """the request in hand is answered, then the service has ended well"""
    unit = Unit(boot())
    with Downstream() as down:
        pid = unit.start({"main": {"downstream": down.url}},
                         drain_timeout="5m")
        down.hold()
        with fastcgi.Link(unit.address, kit.wait_limit(60)) as link:
            link.send(fastcgi.request(SAMPLE))
            down.wait_for(1, limit=60)
            unit.system.systemctl("stop", "--no-block", unit.socket,
                                  unit.service)
            unit.wait_for(StatusText="draining")
            down.release()
            tap.equal(link.read_reply().status, 200, "the status")
        have = unit.wait_for(ActiveState="inactive")
    tap.equal((have["Result"], have["ExecMainStatus"]), ("success", "0"),
              "the end")
    tap.check(not is_there(unit.system, pid), "the supervisor is there")


# --- Reload and upgrade. ---

def reload_under_load(keep):
    unit = Unit(boot())
    pid = unit.start()
    with load(unit, keep) as callers:
        for generation in range(2, 6):
            unit.set(workers=2 + generation % 2)
            unit.system.systemctl("reload", unit.service)
            tap.equal(unit.show()["StatusText"],
                      f"serving, generation {generation}", "StatusText")
            callers.wait_for(20)
    have = unit.show()
    tap.equal((have["ActiveState"], int(have["MainPID"]), have["NRestarts"]),
              ("active", pid, "0"), "the unit")


@tap.test
def reload_with_new_connections():
    """`systemctl reload` under load, a connection for each request: four
    generations, no request lost"""
    reload_under_load(keep=False)


@tap.test
def reload_with_kept_connections():
    """`systemctl reload` under load, kept connections: four generations, no
    request lost"""
    reload_under_load(keep=True)


@tap.test
def a_reload_that_fails():
    """settings that are wrong: `systemctl reload` fails, nothing changes"""
    unit = Unit(boot())
    pid = unit.start()
    unit.set(worker=3)
    done = unit.system.call("systemctl", "reload", unit.service)
    tap.equal(done.returncode, 1, "the status of systemctl reload")
    have = unit.show()
    tap.equal((have["ActiveState"], int(have["MainPID"]), have["StatusText"]),
              ("active", pid, "serving, generation 1"), "the unit")
    unit.serves()
    unit.set(workers=3)
    unit.system.systemctl("reload", unit.service)
    tap.equal(unit.show()["StatusText"], "serving, generation 2", "then")


def upgrade_under_load(keep):
    unit = Unit(boot())
    pid = unit.start()
    program = unit.system.path(unit.program)
    with load(unit, keep) as callers:
        for generation in range(2, 5):
            before = os.stat(unit.system.path(f"/proc/{pid}/exe")).st_ino
            fresh = program.with_name("tallyd.fresh")
            fresh.write_bytes(program.read_bytes())
            fresh.chmod(0o755)
            fresh.rename(program)
            unit.tallyctl("upgrade")
            have = unit.wait_for(
                StatusText=f"serving, generation {generation}")
            tap.equal((have["ActiveState"], int(have["MainPID"]),
                       have["NRestarts"]), ("active", pid, "0"), "the unit")
            now = os.stat(unit.system.path(f"/proc/{pid}/exe")).st_ino
            tap.check(now != before, "it runs the old program")
            callers.wait_for(20)
        unit.system.systemctl("reload", unit.service)
    tap.equal(unit.show()["StatusText"], "serving, generation 5", "reloaded")


@tap.test
def upgrade_with_new_connections():
    """`tallyctl upgrade` under load, a connection for each request: the unit
    stays active with its MainPID, no request lost"""
    upgrade_under_load(keep=False)


@tap.test
def upgrade_with_kept_connections():
    """`tallyctl upgrade` under load, kept connections: the unit stays active
    with its MainPID, no request lost"""
    upgrade_under_load(keep=True)


# --- What goes wrong. ---

@tap.test
def a_supervisor_that_is_killed():
    """kill -9: it is started again; the socket stays, and what comes meanwhile
    waits there"""
    unit = Unit(boot())
    pid = unit.start()
    workers = unit.workers()
    unit.system.kill(pid, "KILL")
    kit.until("the workers end, too", lambda: not any(
        is_there(unit.system, worker) for worker in workers), limit=60)
    for _ in range(5):
        unit.serves()
    have = unit.wait_for(ActiveState="active", NRestarts="1")
    tap.check(int(have["MainPID"]) not in (0, pid), "it is the old one")


@tap.test
def a_supervisor_that_hangs():
    """SIGSTOP: it misses the watchdog, is killed and started again; no new
    request is refused"""
    unit = Unit(boot())
    pid = unit.start(drop_in="[Service]\nWatchdogSec=10\n")
    tap.equal(unit.show()["WatchdogUSec"], "10s", "the watchdog")
    unit.system.kill(pid, "STOP")
    kit.until("it is killed", lambda: not is_there(unit.system, pid),
              limit=120)
    unit.serves()
    have = unit.wait_for(ActiveState="active")
    tap.check(int(have["MainPID"]) not in (0, pid), "it is the old one")
    tap.check(int(have["NRestarts"]) > 0, "no restart")
    kit.until("the journal says that it was the watchdog", lambda: any(
        "Watchdog timeout" in line["MESSAGE"]
        for line in unit.journal()), limit=60)


@tap.test
def signs_of_life_go_on():
    """the watchdog is content with a pool that is well, also after a reload and
    an upgrade"""
    unit = Unit(boot())
    pid = unit.start(drop_in="[Service]\nWatchdogSec=12\n")
    for what in ("start", "reload", "upgrade"):
        if what != "start":
            unit.tallyctl(what)
        seen = unit.show()["WatchdogTimestampMonotonic"]
        kit.until(f"a sign of life after {what}", lambda seen=seen:
                  unit.show()["WatchdogTimestampMonotonic"] != seen, limit=60)
    tap.equal(unit.main_pid(), pid, "MainPID")


# --- Several. ---

@tap.test
def several_pools():
    """tallyd@orders and tallyd@stock beside each other"""
    units = [Unit(boot(), f"tallyd@{name}") for name in ("orders", "stock")]
    for factor, unit in enumerate(units, 3):
        unit.start({"main": {"multiply": factor}})
    for factor, unit in enumerate(units, 3):
        tap.equal(unit.post().body, b'{"sum":%d}' % (21 * factor), unit.name)
        name = unit.name.partition("@")[2]
        kit.until(f"the journal has a line of the pool {name}",
                  lambda unit=unit, name=name: unit.journal(TALLYD_POOL=name),
                  limit=60)
    units[0].system.systemctl("stop", units[0].socket, units[0].service)
    tap.equal(units[1].post().status, 200, "the other one")


sys.exit(kit.run())

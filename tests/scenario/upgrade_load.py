#!/usr/bin/env python3
"""Another program takes the pool over, in the same process, while 64 clients
send requests through nginx: none of them fails."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import reloads
import tap
from crowd import Crowd
from pool import SAMPLE, Pool, run_tallyctl, serves

CLIENTS, UPGRADES = 64, 6
OK = (200, b'{"sum":42}')
PROGRAM = kit.fresh_path("tallyd")
USUAL = pathlib.Path(kit.TALLYD)
STRANGER = USUAL.parent.parent / "tests/scenario/tallyd_stranger"


def install(program):
    """Replace it as a package does: another file under the same name."""
    fresh = kit.fresh_path("fresh")
    if isinstance(program, str):
        fresh.write_text(program)
    else:
        shutil.copy(program, fresh)
    fresh.chmod(0o755)
    os.rename(fresh, PROGRAM)


def with_program(command):
    """Starts PROGRAM instead of the one under test."""
    return [PROGRAM if part == kit.TALLYD else part for part in command]


def start_pool(endpoints=None, through=with_program, **settings):
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    install(USUAL)
    return Pool(endpoints, through=through, **settings)


def start_front(front_class, **settings):
    class Front(front_class):
        def start_pool(self, endpoints, settings):
            self.pool = start_pool(endpoints=endpoints, **settings)
    return Front({"sum": {}}, workers=4, log_level="info", **settings)


def upgrade(pool, wanted=0):
    """`tallyctl upgrade`; gives what it said."""
    status, out, errors = run_tallyctl("-c", pool.config, "upgrade", limit=60)
    tap.equal(status, wanted, f"the status of tallyctl: {errors}{out}")
    return out + errors


def running(pool):
    """The file that the supervisor executes now."""
    return os.stat(f"/proc/{pool.pid}/exe").st_ino


def files(pool):
    return len(os.listdir(f"/proc/{pool.pid}/fd"))


def no_request_is_lost(front_class, programs, **settings):
    front = start_front(front_class, **settings)
    crowd = Crowd(front, CLIENTS)
    for program in programs:
        crowd.wait_for(CLIENTS)
        install(program)
        before = running(front.pool)
        tap.contains(upgrade(front.pool), "serves with", "tallyctl")
        tap.check(running(front.pool) != before, "it runs the old program")
    answers = crowd.stop()
    tap.equal(list(answers), [OK], "the answers")
    tap.equal(crowd.lost, [], "broken connections")
    tap.equal(reloads.complaints(front), [], "complaints of nginx")
    reloads.wait_until_alone(front.pool)
    tap.note(f"{sum(answers.values())} requests")
    return front, sum(answers.values())


def the_same_layout(front_class, **settings):
    front, sent = no_request_is_lost(front_class, [USUAL] * UPGRADES,
                                     **settings)
    status = front.pool.status()
    tap.equal(status["requests"], sent, "requests counted, over all upgrades")
    tap.equal(status["supervisor"]["generation"], UPGRADES + 1, "generation")
    tap.equal(status["supervisor"]["exits_signal"], 0, "workers killed")
    front.stop()


@tap.test
def new_connections():
    """a connection for each request: 6 upgrades, no request fails"""
    the_same_layout(reloads.Nginx)


@tap.test
def kept_connections():
    """kept connections: 6 upgrades, no request fails"""
    the_same_layout(reloads.NginxKeepalive)


@tap.test
def while_the_pool_grows():
    """a dynamic pool: 6 upgrades, no request fails"""
    the_same_layout(reloads.NginxKeepalive, process_model="dynamic",
                    idle_timeout="200ms")


@tap.test
def another_layout():
    """a program that lays out memory otherwise, there and back: new
    connections, no request fails"""
    front, _ = no_request_is_lost(reloads.Nginx, [STRANGER, USUAL] * 2)
    tap.equal(front.pool.status()["supervisor"]["generation"], 5, "generation")
    tap.contains(front.pool.log(), "it counts anew", "the log")
    front.stop()


@tap.test
def a_kept_connection_stays():
    """a kept connection, and half a request on another one, survive"""
    with start_pool(workers=2) as pool, pool.link() as kept, \
            pool.link() as half:
        kept.send(fastcgi.request(SAMPLE, keep=True))
        tap.equal(kept.read_reply().status, 200, "the status before")
        whole = fastcgi.request(SAMPLE, keep=True)
        half.send(whole[:20])
        pool.wait_for_count("connections", 2)
        for _ in range(3):
            upgrade(pool)
        half.send(whole[20:])
        tap.equal(half.read_reply().status, 200, "the status of the half one")
        kept.send(fastcgi.request(SAMPLE, keep=True))
        tap.equal(kept.read_reply().status, 200, "the status after")
        tap.equal(pool.count("connections"), 2, "connections")


@tap.test
def idle_ones_of_strangers_are_closed():
    """another layout: an idle kept connection is closed, a half request is
    waited for"""
    with start_pool(workers=2, drain_timeout="20s") as pool, \
            pool.link() as kept, pool.link() as half:
        kept.send(fastcgi.request(SAMPLE, keep=True))
        tap.equal(kept.read_reply().status, 200, "the status before")
        whole = fastcgi.request(SAMPLE, keep=False)
        half.send(whole[:20])
        pool.wait_for_count("connections", 2)
        install(STRANGER)
        pool.process.send(signal.SIGUSR2)
        pool.wait_for_log("finish what they have in hand")
        half.send(whole[20:])
        tap.equal(half.read_reply().status, 200, "the status of the half one")
        tap.check(kept.at_end(), "the idle one is still open")


def is_ready(pool):
    """A monitor that leaves for the next one closes its connections."""
    try:
        return pool.page("/readyz").status == 200
    except OSError:
        return False


@tap.test
def nothing_is_left_behind():
    """10 upgrades: no descriptor more, and the pid file is still locked"""
    pid_file = kit.fresh_path("pid")
    with start_pool(workers=1, pid_file=pid_file,
                    status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        upgrade(pool)
        before = files(pool)
        for _ in range(10):
            upgrade(pool)
        kit.until("the supervisor has no descriptor more",
                  lambda: files(pool) <= before)
        tap.equal(pid_file.read_text().strip(), str(pool.pid), "the pid file")
        kit.until("the monitor answers", lambda: is_ready(pool))
        second = Pool(pid_file=pid_file, start=False)
        process = kit.Process("second", second.command)
        tap.check(process.wait() != 0, "a second pool has started")
        serves(pool)


def is_refused(program, word):
    with start_pool(workers=2) as pool:
        before = running(pool), pool.wait_for_workers()
        install(program)
        tap.contains(upgrade(pool, 1), "see its log", "tallyctl")
        tap.contains(pool.log(), word, "the log")
        tap.equal((running(pool), pool.workers()), before, "who serves")
        serves(pool)
        install(USUAL)
        upgrade(pool)
        serves(pool)


@tap.test
def a_program_that_says_no():
    """a program that fails, one that knows nothing, one that is none"""
    is_refused("#!/bin/sh\necho it is broken >&2\nexit 3\n", "it is broken")
    is_refused("#!/bin/sh\nexit 0\n", "restart the pool")
    is_refused("#!/bin/sh\nkill -9 $$\n", "Killed")
    is_refused("\x7fELF but no more", "cannot take over")


@tap.test
def a_link_is_followed_anew():
    """started through current -> v1: after current -> v2 that is what runs"""
    if kit.WRAPPER:
        raise tap.Skip("the program that is executed is the wrapper")
    place = kit.fresh_path("versions")
    for version in ("v1", "v2"):
        (place / version).mkdir(parents=True)
        shutil.copy(USUAL, place / version / "tallyd")
    current = place / "current"
    starts = {
        "a path": lambda command: [
            current / "tallyd" if part == kit.TALLYD else part
            for part in command],
        "a relative path": lambda command: [
            "sh", "-c", f'cd {place}; exec current/tallyd "$@"', "sh",
            *command[1:]],
        "PATH": lambda command: [
            "sh", "-c", f'PATH={current}:$PATH; exec tallyd "$@"', "sh",
            *command[1:]]}
    for what, through in starts.items():
        current.unlink(missing_ok=True)
        current.symlink_to("v1")
        with Pool(through=through, workers=1) as pool:
            for version in ("v1", "v2", "v2", "v1"):
                current.unlink()
                current.symlink_to(version)
                said = upgrade(pool)
                wanted = place / version / "tallyd"
                tap.equal(os.readlink(f"/proc/{pool.pid}/exe"), str(wanted),
                          f"{what}: what runs")
                tap.contains(said, f"runs {wanted}, tallyd ",
                             f"{what}: what tallyctl says")
                tap.contains(pool.log(), f"has taken over, {wanted}",
                             f"{what}: the log")
            serves(pool)


@tap.test
def many_arguments():
    """the trial has every argument that the program will have: a pool with 600
    of them changes its program"""
    with start_pool(workers=1, through=lambda command: [
            *with_program(command),
            *["-s", "pool.log_level=info"] * 300]) as pool:
        before = running(pool)
        install(USUAL)
        upgrade(pool)
        tap.check(running(pool) != before, "it runs the old program")
        serves(pool)


@tap.test
def a_program_that_hangs():
    """a program that never ends is given 10 seconds; the pool serves"""
    with start_pool(workers=2) as pool:
        install("#!/bin/sh\nexec sleep 1000\n")
        pool.process.send(signal.SIGUSR2)
        pool.wait_for_log("cannot take over", limit=30)
        serves(pool)


@tap.test
def bad_settings():
    """settings that are wrong: the program and the workers stay"""
    with start_pool(workers=2) as pool:
        good = pool.config.read_text()
        before = running(pool)
        install(USUAL)
        pool.config.write_text(good.replace("workers = 2", "workers = x"))
        pool.process.send(signal.SIGUSR2)
        pool.wait_for_log("cannot take over")
        # Counted after that: tallyctl would take it for the end of its own.
        pool.wait_for_count("reloads_failed", 1)
        tap.contains(pool.log(), f"{pool.config}:", "the log")
        tap.equal(running(pool), before, "the program")
        pool.config.write_text(good.replace("workers = 2", "workers = 3"))
        upgrade(pool)
        reloads.wait_until_alone(pool)
        pool.wait_for_workers(3)
        serves(pool)


def install_saboteur(command):
    """The program under test, but when it has been tried `command` is run."""
    install(f"""#!/bin/sh
if [ "$1" = -t ]; then
    {USUAL} "$@"
    status=$?
    {command}
    exit $status
fi
exec {USUAL} "$@"
""")


@tap.test
def settings_that_become_wrong():
    """between the trial and the exec the file of settings becomes wrong, or is
    gone: what was tried is in force, and the reload that follows fails"""
    for command in "echo '[pool' > {config}", "rm {config}":
        with start_pool(workers=2) as pool:
            good = pool.config.read_text()
            before = running(pool)
            install_saboteur(command.format(config=pool.config))
            tap.contains(upgrade(pool, 1), "see its log", "tallyctl")
            tap.contains(pool.log(), "has taken over", "the log")
            tap.check(running(pool) != before, "it runs the old program")
            pool.config.write_text(good)  # for tallyctl
            for pid in pool.wait_for_workers():  # each is replaced by a new one
                os.kill(pid, signal.SIGKILL)
                pool.wait_for_workers(besides=[pid])
            serves(pool)
            reloads.reload(pool)
            serves(pool)


@tap.test
def another_program_after_the_trial():
    """between the trial and the exec the next program is installed, which
    nobody has tried: the old one goes on, and tries that one when asked"""
    broken = kit.fresh_path("broken")
    broken.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n")
    broken.chmod(0o755)
    with start_pool(workers=2) as pool:
        before = running(pool), pool.wait_for_workers()
        install_saboteur(f"mv {broken} {PROGRAM}")
        tap.contains(upgrade(pool, 1), "see its log", "tallyctl")
        tap.contains(pool.log(), "has been replaced since it was tried",
                     "the log")
        tap.contains(upgrade(pool, 1), "see its log", "tallyctl")
        tap.contains(pool.log(), "it is broken", "the log")
        tap.equal((running(pool), pool.workers()), before, "who serves")
        serves(pool)


@tap.test
def files_that_are_gone():
    """the same for files that the settings name"""
    sample, authority = kit.fresh_path("sample"), kit.fresh_path("ca")
    sample.write_bytes(SAMPLE)
    authority.touch()
    with start_pool({"main": {"selftest_file": sample, "selftest_sum": 42},
                     "post": {"path": "/post", "downstream": "https://x/",
                              "downstream_ca": authority}},
                    workers=2) as pool:
        install_saboteur(f"rm {sample} {authority}")
        tap.contains(upgrade(pool, 1), "see its log", "tallyctl")
        for pid in pool.wait_for_workers():
            os.kill(pid, signal.SIGKILL)
            pool.wait_for_workers(besides=[pid])
        serves(pool)
        sample.write_bytes(SAMPLE)
        authority.touch()
        reloads.reload(pool)
        serves(pool)


@tap.test
def stops_and_signals_at_once():
    """USR2 with HUP, TERM, and deaths at the same time"""
    with start_pool(workers=2, log_level="info") as pool:
        for _ in range(5):
            for number in signal.SIGUSR2, signal.SIGHUP, signal.SIGUSR2:
                pool.process.send(number)
            killed = pool.workers()
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            kit.until("it settles",
                      lambda killed=killed: settled(pool, killed))
            serves(pool)
        pool.process.send(signal.SIGUSR2)
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(), 0, "the exit status")


@tap.test
def a_stop_while_the_monitor_is_waited_for():
    """The supervisor has heard it, and the next program obeys"""
    with start_pool(workers=1, log_level="info",
                    status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        kit.until("the monitor answers", lambda: is_ready(pool))
        monitor = pool.monitor()
        os.kill(monitor, signal.SIGSTOP)
        kit.until("it is stopped", lambda: procfs.state_of(monitor) == "T")
        pool.process.send(signal.SIGUSR2)
        kit.until("the monitor is told to leave",
                  lambda: procfs.has_pending(monitor))
        pool.process.send(signal.SIGTERM)
        tap.equal(pool.process.wait(), 0, "the exit status")
        tap.contains(pool.log(), "has taken over", "the log")


def settled(pool, killed):
    """Two workers are there, and none of those that were killed."""
    status, out, _ = run_tallyctl("-c", pool.config, "status", "--json")
    workers = [worker["pid"] for worker in json.loads(out)["workers"]
               if worker["pid"] > 0] if status == 0 else []
    return len(workers) == 2 and not set(workers) & set(killed)


sys.exit(kit.run())

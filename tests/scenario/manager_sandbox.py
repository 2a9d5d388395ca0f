#!/usr/bin/env python3
"""The systemd units of conf/: valid, of little exposure, and the pool does all
it does under the filters they name."""

import errno
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import reloads
import tap
import units
from downstream import Downstream, refusing_url
from pool import SAMPLE, Pool, serves

EXPOSURE_MOST = 1.2
SERVICES = ("tallyd.service", "tallyd@.service", "tallyd-capture@.service")


@tap.test
def the_units_are_valid():
    """systemd-analyze verify finds nothing wrong"""
    units.need_systemd()
    place = units.write_units()
    names = [place / name
             for name in ("tallyd.socket", "tallyd@.socket", *SERVICES)]
    done = subprocess.run([units.ANALYZE, "verify", "--man=no", *names],
                          capture_output=True, text=True, check=False,
                          timeout=kit.wait_limit(30))
    faults = [line for line in done.stderr.splitlines() if str(place) in line
              or "tallyd" in line]
    if done.returncode != 0 and not faults:
        raise tap.Skip(f"it does not run here: {done.stderr.strip()[:200]}")
    tap.equal(faults, [], "faults")


@tap.test
def exposure_is_low():
    """systemd-analyze security: at most 1.2"""
    units.need_systemd()
    place = units.write_units()
    for name in SERVICES:
        done = subprocess.run(
            [units.ANALYZE, "security", "--offline=true", "--no-pager",
             place / name], capture_output=True, text=True, check=False,
            timeout=kit.wait_limit(30))
        found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
        tap.check(found, f"no level: {done.stdout[-300:]}{done.stderr[-300:]}")
        tap.check(float(found[1]) <= EXPOSURE_MOST,
                  f"{name}: {found[1]}\n{done.stdout}")


@tap.test
def the_units_differ_in_names_alone():
    """what is mended in one service is mended in the other"""
    place = units.write_units()
    one, many = [(place / name).read_text() for name in SERVICES[:2]]
    many = many.partition("\n")[2].replace(" -s pool.name=%i", "")
    one, many = [re.sub(r"^# By which tallyctl.*", "", text, flags=re.M)
                 for text in (one, many)]
    many = many.replace("tallyd@%i.socket", "tallyd.socket").replace(
        "pool %i", "pool").replace("tallyd/%i\n", "tallyd/main\n").replace(
            "/etc/tallyd/%i.conf", "/etc/tallyd/tallyd.conf")
    tap.equal(many, one, "the template")


# --- Under the filters. ---

def confined(refused, **settings):
    """A pool under the filter of the service."""
    units.need_systemd()
    if kit.SANITIZED or kit.WRAPPER:
        raise tap.Skip("sanitizer and wrapper make calls of their own")
    unit = units.write_units() / "tallyd.service"
    rules = kit.fresh_path("filter")
    rules.write_bytes(units.make_filter(unit, refused))
    return Pool(through=lambda command: [
        sys.executable, "-c", units.CONFINE, rules,
        shutil.which(command[0]), *command[1:]], **settings)


def seccomp_mode(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return re.search(r"^Seccomp:\t(\d)", text, re.M)[1]


def do_everything(pool):
    """Requests, pages, a crash, a reload, another log file, a stop."""
    for pid in [pool.pid, *pool.wait_for_workers()]:
        tap.equal(seccomp_mode(pid), "2", "Seccomp of /proc/PID/status")
    for path in ("/sum", "/post"):
        tap.equal(pool.post(SAMPLE, path=path).status, 200, path)
    tap.equal(pool.post(b"[", path="/sum").status, 400, "malformed JSON")
    tap.equal(pool.post(SAMPLE, path="/refused").status, 502, "no downstream")
    for page in ("/status?html", "/status?json", "/metrics", "/readyz"):
        tap.equal(pool.page(page).status, 200, page)
    tap.contains(pool.page("/status").text, "waiting in the kernel 0 of",
                 "the listen queue")
    before = pool.workers()
    os.kill(before[0], signal.SIGKILL)
    pool.wait_for_workers(besides=before[:1])
    pool.process.send(signal.SIGUSR1)
    reloads.reload(pool)
    reloads.wait_until_alone(pool)
    tap.equal(pool.post(SAMPLE, path="/post").status, 200, "after the reload")
    tap.equal([line for line in pool.log().splitlines()
               if os.strerror(errno.EPERM) in line], [], "what was refused")
    pool.stop()


def whole_pool(down, refused):
    return confined(
        refused, endpoints={"sum": {"path": "/sum"},
                            "post": {"path": "/post", "downstream": down.url},
                            "refused": {"path": "/refused",
                                        "downstream": refusing_url()}},
        process_model="dynamic", min_workers=2, selftest_interval="50ms",
        max_rss="1g", status_listen=f"{kit.HOST}:{kit.free_port()}")


@tap.test
def nothing_else_is_called():
    """every system call outside the filter ends the process: none is made"""
    with Downstream() as down, whole_pool(down, units.KILL) as pool:
        do_everything(pool)


@tap.test
def it_serves_as_the_unit_has_it():
    """with SystemCallErrorNumber=EPERM, and the default settings"""
    with Downstream() as down, whole_pool(
            down, units.ERRNO | errno.EPERM) as pool:
        do_everything(pool)


@tap.test
def the_filter_filters():
    """what the unit forbids is refused: CPUs of one's choice, another user's
    files, memory that is written and run"""
    with confined(units.ERRNO | errno.EPERM, cpu_affinity="auto") as pool:
        serves(pool)
        tap.contains(pool.log(), "cpu_affinity = auto: " +
                     os.strerror(errno.EPERM), "the log")
    unit = units.write_units() / "tallyd.service"
    allowed = units.allowed_calls(unit)
    tap.equal(allowed & {"chown", "mount", "ptrace", "bpf", "setuid", "reboot",
                         "sched_setaffinity", "init_module", "unshare_me"},
              set(), "what is allowed")
    tap.check({"read", "write", "clone", "epoll_wait", "accept4"} <= allowed,
              "what is needed")


sys.exit(kit.run())

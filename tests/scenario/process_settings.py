#!/usr/bin/env python3
"""Settings of the processes themselves: where and how they are scheduled, their
limits, their environment, their titles; and pools side by side."""

import os
import pathlib
import re
import resource
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fastcgi
import kit
import procfs
import reloads
import tap
from pool import SAMPLE, Pool, run_tallyd, serves

CPUS = sorted(os.sched_getaffinity(0))


def places(pool, count):
    """The CPUs of each worker, in the order of their slots."""
    pool.wait_for_workers(count)
    workers = pool.status()["workers"]
    return [sorted(os.sched_getaffinity(worker["pid"])) for worker in workers]


def niceness(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


@tap.test
def workers_are_spread_over_the_cpus():
    """cpu_affinity = auto: a CPU each, in turn; the supervisor keeps all"""
    with Pool(workers=3, cpu_affinity="auto") as pool:
        kit.until("each has its place", lambda: places(pool, 3) ==
                  [[CPUS[number % len(CPUS)]] for number in range(3)])
        tap.equal(sorted(os.sched_getaffinity(pool.pid)), CPUS,
                  "the supervisor's")
        serves(pool)


@tap.test
def a_list_is_followed():
    """cpu_affinity = a list; a reload changes it"""
    with Pool(workers=2, cpu_affinity=f"{CPUS[-1]},{CPUS[0]}") as pool:
        kit.until("each has its place", lambda: places(pool, 2) ==
                  [[CPUS[-1]], [CPUS[0]]])
        reloads.reload_with(pool, cpu_affinity="")
        tap.equal(places(pool, 2), [CPUS, CPUS], "after the reload")
        serves(pool)


@tap.test
def a_cpu_that_is_not_there_is_told():
    """a wrong list, and a list without a supervisor: status 78"""
    for text, *more in (["x"], ["0-"], ["1023"],
                        ["auto", "-s", "pool.workers=0"]):
        status, _out, errors = run_tallyd(
            "-t", "-s", f"pool.cpu_affinity={text}", *more)
        tap.equal(status, 78, f"the exit status for {text} ({errors})")
        tap.contains(errors, "cpu_affinity", "the message")


@tap.test
def workers_are_batch():
    """scheduler = batch: the workers, not the supervisor"""
    for scheduler, policy in (("batch", os.SCHED_BATCH),
                              ("other", os.SCHED_OTHER)):
        with Pool(workers=2, scheduler=scheduler) as pool:
            for pid in pool.wait_for_workers(2):
                kit.until("it is scheduled as told", lambda pid=pid:
                          os.sched_getscheduler(pid) == policy)
            tap.equal(os.sched_getscheduler(pool.pid), os.SCHED_OTHER,
                      "the supervisor's")
            serves(pool)


@tap.test
def without_a_supervisor_too():
    """scheduler = batch with workers = 0"""
    with Pool(workers=0, scheduler="batch") as pool:
        serves(pool)
        tap.equal(os.sched_getscheduler(pool.pid), os.SCHED_BATCH, "policy")


@tap.test
def all_are_nice():
    wanted = min(19, niceness(0) + 3)
    with Pool(workers=1, nice=wanted) as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(niceness(pid), wanted, "the nice value")
        serves(pool)


@tap.test
def less_than_before_needs_root():
    """a nice value that only root may have: told at the start"""
    if os.geteuid() != 0:
        status, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}", "-s", "pool.nice=-20")
        tap.equal(status, 1, f"the exit status ({errors})")
        tap.contains(errors, "nice = -20: Permission denied", "the message")
        return
    with Pool(workers=1, nice=-5, user="nobody") as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(niceness(pid), -5, "the nice value")
        serves(pool)


# --- Limits. ---

def limits_of(pid, name):
    """(soft, hard) of a line of /proc/PID/limits, as text."""
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(rf"^{name} +(\w+) +(\w+)", text, re.M).groups()


# Root gives up what makes a process dumpable; see PR_SET_DUMPABLE.
USER = {"user": "nobody"} if os.geteuid() == 0 else {}


@tap.test
def limits_are_set():
    """rlimit_files and rlimit_core, in every process"""
    with Pool(workers=1, max_connections=64, rlimit_files=777,
              rlimit_core="none") as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(limits_of(pid, "Max open files"), ("777", "777"), "files")
            tap.equal(limits_of(pid, "Max core file size"), ("0", "0"), "core")
        serves(pool)


@tap.test
def a_low_soft_limit_is_raised():
    """as far as the connections take, whatever the shell has left of it"""
    with Pool(workers=1, max_connections=600,
              prefix=("prlimit", "--nofile=256:4000")) as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            soft, hard = limits_of(pid, "Max open files")
            tap.check(600 * 3 <= int(soft) <= 2000, f"the limit is {soft}")
            tap.equal(hard, "4000", "the hard limit")
        serves(pool)


@tap.test
def limits_that_cannot_be_are_told():
    """too few files for the connections; more than the hard limit"""
    status, _out, errors = run_tallyd(
        "-s", f"pool.listen={kit.fresh_path('s')}", "-s",
        "pool.rlimit_files=10")
    tap.equal(status, 1, f"the exit status ({errors})")
    tap.contains(errors, "limit of open files is 10", "the message")


@tap.test
def core_dumps_are_allowed():
    """rlimit_core = unlimited and dumpable = on, also after a change of user"""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard == 0:
        raise tap.Skip("the hard limit is 0")
    with Pool(workers=1, rlimit_core="unlimited", dumpable="on",
              **USER) as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            soft, most = limits_of(pid, "Max core file size")
            tap.check(soft == most != "0", f"the limits are {soft}, {most}")
            owner = os.stat(f"/proc/{pid}/environ").st_uid
            tap.check(owner != 0, "it is not dumpable")


@tap.test
def nobody_may_look():
    """dumpable = off: the files in /proc are root's"""
    with Pool(workers=1, dumpable="off", **USER) as pool:
        for pid in [pool.pid, *pool.wait_for_workers(1)]:
            tap.equal(os.stat(f"/proc/{pid}/environ").st_uid, 0, "the owner")
        serves(pool)


# --- The environment, and titles. ---

def environment_of(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes()


@tap.test
def secrets_are_forgotten():
    """env_keep: what it does not name is gone from /proc, too"""
    if kit.WRAPPER:
        raise tap.Skip("the wrapper has the environment")
    env = {"DB_PASSWORD": "xyzzy-1", "KEPT": "plugh-2"}
    with Pool(workers=1, env_keep="KEPT, TZ", env=env,
              status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        pids = [pool.pid, *pool.wait_for_workers(1),
                kit.until("the monitor is there", pool.monitor)]
        for pid in pids:
            tap.check(b"xyzzy" not in environment_of(pid), "it is there")
        serves(pool)


def titles(pool):
    """{what: title}"""
    found = {}
    for pid in [pool.pid, *procfs.children_of(pool.pid)]:
        text = procfs.command_of(pid).strip("\0 ")
        found[re.sub(r"^tallyd: orders: (\w+( \d)?),.*", r"\1", text)] = text
    return found


def title(what, generation, state="serving"):
    return what, f"tallyd: orders: {what}, generation {generation}, {state}"


@tap.test
def processes_have_titles():
    """pool, process, generation and state, before and after a reload"""
    if kit.WRAPPER:
        raise tap.Skip("the arguments are the wrapper's")
    with Pool(workers=2, name="orders",
              status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        kit.until("all have their titles", lambda: titles(pool) == dict([
            title("supervisor", 1), title("monitor", 1), title("worker 0", 1),
            title("worker 1", 1)]))
        reloads.reload(pool)
        reloads.wait_until_alone(pool)
        kit.until("all have new titles", lambda: titles(pool) == dict([
            title("supervisor", 2), title("monitor", 2), title("worker 2", 2),
            title("worker 3", 2)]))
        with pool.link() as link:
            # In hand: a byte of its body is missing, and all behind it.
            link.send(fastcgi.request(SAMPLE)[:-9])
            kit.until("a worker has it", lambda: pool.workers("reading"))
            pool.process.send(signal.SIGTERM)
            kit.until("the supervisor drains", lambda: titles(pool).get(
                "supervisor") == title("supervisor", 2, "draining")[1])


@tap.test
def the_one_process_of_a_pool_has_a_title():
    """and which process it is: workers = 0"""
    if kit.WRAPPER:
        raise tap.Skip("the arguments are the wrapper's")
    with Pool(workers=0, name="orders") as pool:
        serves(pool)
        tap.equal(procfs.command_of(pool.pid).strip("\0 "),
                  "tallyd: orders: alone, serving", "the title")


# --- Several pools. ---

@tap.test
def two_pools_side_by_side():
    """two files, two supervisors: each serves, each stops alone"""
    with Pool({"main": {"multiply": 2}}, name="one",
              pid_file=kit.fresh_path("one.pid")) as one:
        with Pool({"main": {"multiply": 3}}, name="two",
                  pid_file=kit.fresh_path("two.pid")) as two:
            tap.equal(one.post(SAMPLE).body, b'{"sum":42}', "of the first")
            tap.equal(two.post(SAMPLE).body, b'{"sum":63}', "of the second")
            reloads.reload(two)
            tap.equal(one.status()["supervisor"]["generation"], 1,
                      "the first one's generation")
        serves(one)


@tap.test
def a_second_pool_with_the_same_pid_file():
    """is refused and changes nothing; a stale file is taken over"""
    path = kit.fresh_path("pid")
    with Pool(pid_file=path) as first:
        first.wait_for_workers()  # it has its title by then
        status, _out, errors = run_tallyd(
            "-s", f"pool.listen={kit.fresh_path('s')}",
            "-s", f"pool.pid_file={path}")
        tap.equal(status, 1, f"the exit status ({errors})")
        tap.contains(errors, f"process {first.pid} (tallyd: ", "the message")
        tap.contains(errors, ") runs with it", "the message")
        tap.equal(path.read_text(), f"{first.pid}\n", "the pid file")
        first.process.send(signal.SIGKILL)
        first.process.wait()
    tap.equal(path.read_text(), f"{first.pid}\n", "what is left")
    with Pool(pid_file=path) as second:
        tap.equal(path.read_text(), f"{second.pid}\n", "the pid file")
        serves(second)


sys.exit(kit.run())

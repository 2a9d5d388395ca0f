#!/usr/bin/env python3
"""sandbox: what a process of the pool cannot do any more, tried from within
(tests/scenario/tallyd_intruder.c), and what it still can."""

import contextlib
import errno
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import tap
import units
from authority import Authority, need_authorities, server_context
from downstream import Answer, Downstream
from fastcgi import Broken
from order import Order
from pool import SAMPLE, Pool, run_tallyctl, run_tallyd, serves

PROGRAM = pathlib.Path(kit.TALLYD or "").parent.parent.joinpath(
    "tests/scenario/tallyd_intruder")
LOCALHOST = "127.0.0.1"
PLAIN = {"sum": {}}


def need_sandbox(landlock=1):
    if kit.SANITIZED or kit.WRAPPER:
        raise tap.Skip("a sanitizer or a wrapper is left alone")
    status, _out, errors = run_tallyd("-t", "-s", "pool.sandbox=strict")
    if status != 0:
        raise tap.Skip(errors.strip())
    if landlock_version() < landlock:
        raise tap.Skip(f"Landlock is of version {landlock_version()}")


def landlock_version():
    done = subprocess.run(
        [sys.executable, "-c", "import ctypes; print(ctypes.CDLL(None).syscall("
         f"{units.numbers()['landlock_create_ruleset']}, None, 0, 1))"],
        capture_output=True, text=True, check=True, timeout=kit.wait_limit(20))
    return int(done.stdout)


class Invaded:
    """A pool whose processes try what try_it() says. `starter` is a command
    that becomes the pool."""

    def __init__(self, endpoints=None, starter=(), **settings):
        if not os.access(PROGRAM, os.X_OK):
            raise tap.Skip("tallyd_intruder is not built")
        self.order = Order()
        self.pool = Pool(
            endpoints or PLAIN, through=lambda command: [*starter, *(
                str(PROGRAM) if part == kit.TALLYD else part
                for part in command)],
            env={"INTRUDER": str(self.order.path)}, env_keep="INTRUDER",
            **{"workers": 1, **settings})
        # The self-test of its start comes to that place before the sandbox.
        self.pool.post(SAMPLE)

    def reach(self, who):
        """Have that process come to the place of the intruder."""
        if who == "monitor":
            self.pool.page("/status")
        else:
            self.pool.post(SAMPLE)

    def try_it(self, who, what, argument=""):
        """How it ended: "done", or the name of an errno."""
        def ends():
            return re.findall(rf"intruder: {who} {what}: (\w+)",
                              self.pool.log())
        before = len(ends())
        self.order.give(f"{who} {what} {argument}")
        self.reach(who)
        return kit.until(f"{who}: {what}",
                         lambda: (ends() + [None])[before])

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.pool.__exit__(*what)


@contextlib.contextmanager
def surroundings():
    """What there is to attack: a process, a file, and a server."""
    victim = subprocess.Popen(["sleep", "3600"])
    secret = kit.fresh_path("secret")
    secret.mkdir()
    secret.chmod(0o777)
    (secret / "file").write_text("not for you")
    (secret / "file").chmod(0o666)
    server = socket.create_server((kit.HOST, 0))
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(secret / "socket"))
    other.listen()
    place = "%s:%d" % server.getsockname()
    try:
        yield {
            "read": secret / "file", "write": secret / "new",
            "unlink": secret / "file", "exec": "/nonexistent", "fork": "",
            "trace": victim.pid, "peek": victim.pid, "signal": victim.pid,
            "own": victim.pid, "connect": place, "multipath": place,
            "fastopen": place,
            "listen": "", "unix": secret / "socket", "datagram": "",
            "datagram6": "", "code": "", "thread": ""}
    finally:
        victim.kill()
        victim.wait()
        server.close()
        other.close()


REFUSED = ("EPERM", "EACCES")
# exec of what is not there tells that it was looked for. A kernel may forbid
# tracing to everybody (Yama), and peeking needs an address that is mapped.
WITHOUT_SANDBOX = {"exec": ("ENOENT",), "trace": ("done", "EPERM"),
                   "peek": ("EFAULT", "EPERM", "done"),
                   # Linux may be built without it, or told to do without.
                   "multipath": ("done", "EPROTONOSUPPORT", "ENOPROTOOPT"),
                   "fastopen": ("done", "EOPNOTSUPP"),
                   "datagram6": ("done", "EAFNOSUPPORT")}


@tap.test
def without_it_all_that_is_possible():
    """sandbox = off: the attempts are real"""
    need_sandbox()
    for what in ("read", "write", "exec", "fork", "signal", "own", "connect",
                 "listen", "unix", "datagram", "datagram6", "code", "thread",
                 "peek", "multipath", "fastopen", "unlink"):
        with surroundings() as around, Invaded(sandbox="off") as one:
            end = one.try_it("worker", what, around[what])
            tap.check(end in WITHOUT_SANDBOX.get(what, ("done",)),
                      f"{what}: {end}")


def all_are_refused(one, who, around, besides=()):
    for what, argument in around.items():
        end = one.try_it(who, what, argument)
        if what in besides:
            tap.equal(end, "done", f"{who}: {what}")
        else:
            tap.check(end in REFUSED, f"{who}: {what}: {end}")


@tap.test
def a_worker_that_posts_nowhere():
    """opens nothing, connects to nothing, starts nothing"""
    need_sandbox()
    with surroundings() as around, Invaded() as one:
        all_are_refused(one, "worker", {**around, "read": "/etc/hostname"})
        all_are_refused(one, "worker", around)
        serves(one.pool)


@tap.test
def the_one_process_of_a_pool_without_a_supervisor():
    need_sandbox()
    place = kit.fresh_path("log")
    place.mkdir()
    made = kit.fresh_path("made")
    made.mkdir()
    with surroundings() as around, Invaded(
            workers=0, access_log=place / "log", listen=made / "socket",
            scoreboard=made / "scoreboard") as one:
        all_are_refused(one, "worker", around)
        (place / "log").rename(place / "old")
        one.pool.process.send(signal.SIGUSR1)
        kit.until("it opens its log again", (place / "log").exists)
        serves(one.pool)
    tap.equal(list(made.iterdir()), [], "what it left")


@tap.test
def a_worker_with_a_downstream_by_number():
    """connects there and nowhere else"""
    need_sandbox(landlock=4)
    with surroundings() as around, Downstream() as down, Invaded(
            {"post": {"downstream": down.url}}) as one:
        all_are_refused(one, "worker", around)
        tap.equal(one.try_it("worker", "connect", f"{kit.HOST}:{down.port}"),
                  "done", "the downstream's port")
        tap.equal(one.pool.post(SAMPLE).status, 200, "a post")


@tap.test
def a_worker_with_a_downstream_by_name():
    """looks it up, in a thread"""
    need_sandbox(landlock=4)
    with surroundings() as around, Downstream(host=LOCALHOST) as down, Invaded(
            {"post": {"downstream":
                      f"http://localhost:{down.port}/"}}) as one:
        tap.equal(one.pool.post(SAMPLE).status, 200, "a post")
        all_are_refused(one, "worker", around,
                        besides=("datagram", "datagram6", "thread", "unix"))
        tap.equal(one.try_it("worker", "read", "/etc/hosts"), "done", "names")
        tap.check(one.try_it("worker", "write", "/etc/hosts-of-tallyd")
                  in REFUSED, "a file of /etc")


@tap.test
def a_worker_with_a_downstream_on_a_unix_socket():
    need_sandbox()
    with surroundings() as around, Downstream(unix=True) as down, Invaded(
            {"post": {"downstream": down.url,
                      "downstream_socket": down.path}}) as one:
        all_are_refused(one, "worker", around, besides=("unix",))
        tap.equal(one.pool.post(SAMPLE).status, 200, "a post")


@tap.test
def certificates_are_read_and_renewed():
    """those that take the place of others, too; no other file"""
    need_sandbox(landlock=4)
    need_authorities()
    place = kit.fresh_path("trusted")
    place.mkdir()
    ours, next_one = Authority("ours"), Authority("next")
    trusted = place / "ca.pem"
    trusted.write_bytes(ours.cert.read_bytes())
    with surroundings() as around, contextlib.ExitStack() as stack:
        down = stack.enter_context(Downstream(
            Answer(close=True), tls=server_context(
                ours.issue("server", kit.HOST))))
        one = stack.enter_context(Invaded(
            {"post": {"downstream": down.url, "downstream_ca": trusted}}))
        tap.equal(one.pool.post(SAMPLE).status, 200, "a post")
        all_are_refused(one, "worker", around)
        tap.equal(one.try_it("worker", "read", trusted), "done", "the file")
        fresh = place / "fresh"
        fresh.write_bytes(next_one.cert.read_bytes())
        fresh.rename(trusted)
        down.tls = server_context(next_one.issue("server", kit.HOST))
        tap.equal(one.pool.post(SAMPLE).status, 200, "after the renewal")


GONE = FileNotFoundError, ProcessLookupError


def rulesets(pid):
    """Its descriptors of rules that can still be added to."""
    found = []
    with contextlib.suppress(*GONE):  # it has just ended
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(*GONE):  # it was just closed
                found += [fd] * ("landlock" in os.readlink(fd))
    return found


@tap.test
def the_rules_are_those_of_the_settings():
    """of the new ones behind a reload, of the old ones behind one that fails;
    and no process keeps them open but the supervisor"""
    need_sandbox(landlock=4)
    sample = kit.fresh_path("sample.json")
    sample.write_bytes(SAMPLE)
    with Downstream() as old, Downstream() as new, Invaded(
            {"post": {"downstream": old.url}},
            status_listen=f"{kit.HOST}:{kit.free_port()}") as one:
        pool, post = one.pool, one.pool.endpoints["post"]
        for down, more, ends in (
                (new, {}, 0),
                (old, {"selftest_file": sample, "selftest_sum": "43"}, 1)):
            post.update(downstream=down.url, **more)
            pool.change()
            status, _out, errors = run_tallyctl("-c", pool.config, "reload")
            tap.equal(status, ends, f"tallyctl reload: {errors}")
            [pid] = pool.wait_for_workers()
            os.kill(pid, signal.SIGKILL)
            pool.wait_for_workers(1, besides=[pid])
            tap.equal(pool.post(SAMPLE).status, 200, "a post")
            tap.check(new.take(), "it was posted to the new one")
            end = one.try_it("worker", "connect", f"{kit.HOST}:{old.port}")
            tap.check(end in REFUSED, f"the old one: {end}")
        # One that has just been forked has them until it gets to close them.
        for child in procfs.children_of(pool.pid):
            kit.until(f"no rules in {procfs.command_of(child)}",
                      lambda child=child: not rulesets(child))


@tap.test
def the_monitor():
    """reads /proc and answers; nothing else"""
    need_sandbox()
    with surroundings() as around, Invaded(
            status_listen=f"{kit.HOST}:{kit.free_port()}") as one:
        one.pool.page("/readyz")
        all_are_refused(one, "monitor", around)
        tap.equal(one.try_it("monitor", "read", f"/proc/{one.pool.pid}/statm"),
                  "done", "the memory of a process")
        page = one.pool.page("/status?html")
        tap.equal(page.status, 200, "/status")


@tap.test
def a_process_of_the_shadow():
    """writes beside its sample_file, and connects to the old handler"""
    need_sandbox(landlock=4)
    place = kit.fresh_path("samples")
    place.mkdir()
    place.chmod(0o777)
    with surroundings() as around, Downstream(
            Answer(body=b'{"sum":42}')) as old, Invaded(
            shadow={"url": old.url.removesuffix("/process"), "share": 1,
                    "processes": 1, "sample_file": place / "samples",
                    "totals_file": place / "totals"}) as one:
        all_are_refused(one, "shadow", around)
        for what, path in (("write", place / "other"),
                           ("read", place / "other"),
                           ("unlink", place / "other"),
                           ("connect", f"{kit.HOST}:{old.port}")):
            tap.equal(one.try_it("shadow", what, path), "done", what)


@tap.test
def strict_ends_a_process_that_tries():
    """by SIGSYS; another worker takes its place"""
    need_sandbox()
    for what in ("exec", "fork", "trace", "signal", "own", "connect", "code"):
        with surroundings() as around, Invaded(sandbox="strict") as one:
            before = one.pool.wait_for_workers()
            one.order.give(f"worker {what} {around[what]}")
            with contextlib.suppress(Broken):
                one.pool.post(SAMPLE)
            one.pool.wait_for_log(f"signal {int(signal.SIGSYS)}")
            one.pool.wait_for_workers(besides=before)
            serves(one.pool)


@tap.test
def strict_serves_what_auto_serves():
    """requests, posts, pages, other log files, a reload"""
    need_sandbox()
    place = kit.fresh_path("logs")
    place.mkdir()
    with Downstream(host=LOCALHOST) as down, Pool(
            {"sum": {"path": "/sum"},
             "post": {"path": "/post",
                      "downstream": f"http://localhost:{down.port}/"}},
            sandbox="strict", max_rss="1g",
            access_log=place / "access", selftest_interval="50ms",
            status_listen=f"{kit.HOST}:{kit.free_port()}") as pool:
        for path in ("/sum", "/post", "/post"):
            tap.equal(pool.post(SAMPLE, path=path).status, 200, path)
        for page in ("/status?html", "/status?json", "/metrics", "/readyz"):
            tap.equal(pool.page(page).status, 200, page)
        (place / "access").rename(place / "access.1")
        pool.process.send(signal.SIGUSR1)

        def look():
            pool.post(SAMPLE, path="/sum")
            return ((place / "access").exists()
                    and (place / "access").read_text())
        kit.until("a worker writes to the new file", look)
        tap.equal(pool.log().count(f"signal {int(signal.SIGSYS)}"), 0,
                  "processes that were ended")


@tap.test
def strict_posts_to_numbers():
    """to an address of IPv4 or IPv6, over both clients"""
    need_sandbox()
    for host in (kit.HOST, "::1"):
        for client in ("direct", "libcurl"):
            with Downstream(host=host) as down, Pool(
                    {"post": {"downstream": down.url,
                              "downstream_client": client}},
                    sandbox="strict", workers=1) as pool:
                before = pool.wait_for_workers()
                tap.equal(pool.post(SAMPLE).status, 200, f"{client}, {host}")
                tap.equal(pool.workers(), before, "the worker")


@tap.test
def a_crash_is_told_as_what_it_was():
    """abort(3) in a worker is SIGABRT, not a call that was refused"""
    need_sandbox()
    with Pool(sandbox="strict", workers=1) as pool:
        before = pool.wait_for_workers()
        os.kill(before[0], signal.SIGABRT)
        pool.wait_for_log("signal 6")
        pool.wait_for_workers(besides=before)


@tap.test
def a_core_is_written_where_it_is_asked_for():
    """rlimit_core = unlimited"""
    need_sandbox()
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or "|" in pattern:
        raise tap.Skip(f"core_pattern is {pattern}")
    for core, wanted in (("unlimited", 1), ("none", 0)):
        place = kit.fresh_path("cores")
        place.mkdir()
        with Pool(workers=1, rlimit_core=core, dumpable="on",
                  through=lambda command: ["env", "-C", place,
                                           *map(os.path.abspath, command[:1]),
                                           *command[1:]]) as pool:
            before = pool.wait_for_workers()
            os.kill(before[0], signal.SIGSEGV)
            pool.wait_for_workers(besides=before)
            tap.equal(len(list(place.iterdir())), wanted,
                      f"cores with rlimit_core = {core}")


# --- A kernel without it. ---

SECCOMP, LANDLOCK = "seccomp", "landlock_create_ruleset"


def without_support(*names):
    """A starter that has the kernel not know these calls."""
    known = units.numbers()
    program = [struct.pack("=HBBI", units.LOAD, 0, 0, units.NUMBER)]
    for name in names or (SECCOMP, LANDLOCK):
        program.append(struct.pack("=HBBI", units.EQUAL, 0, 1, known[name]))
        program.append(struct.pack("=HBBI", units.RETURN, 0, 0,
                                   units.ERRNO | errno.ENOSYS))
    program.append(struct.pack("=HBBI", units.RETURN, 0, 0, units.ALLOW))
    rules = kit.fresh_path("filter")
    rules.write_bytes(b"".join(program))
    return [sys.executable, "-c", units.CONFINE, rules]


@tap.test
def auto_serves_without_a_kernel_that_can():
    """and says so once"""
    need_sandbox()
    with Pool(through=lambda command: [*without_support(), *command]) as pool:
        pool.wait_for_workers()
        serves(pool)
        lines = pool.log_lines("sandbox")
        tap.equal(len(lines), 1, f"lines: {lines}")
        tap.contains(lines[0], os.strerror(errno.ENOSYS), "the line")


@tap.test
def each_of_the_two_serves_without_the_other():
    """Landlock keeps files, seccomp keeps processes"""
    need_sandbox()
    for missing, refused, allowed in ((SECCOMP, "read", "fork"),
                                      (LANDLOCK, "fork", None)):
        with surroundings() as around, Invaded(
                starter=without_support(missing)) as one:
            tap.check(one.try_it("worker", refused, around[refused])
                      in REFUSED, f"{refused} without {missing}")
            if allowed:
                tap.equal(one.try_it("worker", allowed, around[allowed]),
                          "done", f"{allowed} without {missing}")
            tap.equal(len(one.pool.log_lines("sandbox = auto: not all")), 1,
                      "lines that say so")
            serves(one.pool)


@tap.test
def strict_does_not_start_without_a_kernel_that_can():
    need_sandbox()
    done = subprocess.run(
        [*without_support(), *kit.tallyd("-t", "-s", "pool.sandbox=strict")],
        capture_output=True, text=True, check=False,
        timeout=kit.wait_limit(20))
    tap.equal(done.returncode, 78, "the exit status")
    tap.contains(done.stderr, "sandbox = strict: ", "what it says")
    tap.contains(done.stderr, os.strerror(errno.ENOSYS), "what it says")


sys.exit(kit.run())

"""A pool under test: its settings, its processes, its log, its counters."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time

import fastcgi
import kit
import procfs
import tap
import web

# No limit of time comes in the way of a test that is about something else,
# however slow the machine is.
POOL_DEFAULTS = {"workers": 2, "log_level": "debug", "drain_timeout": "30s",
                 "first_byte_timeout": "60s", "header_timeout": "60s",
                 "write_timeout": "60s",
                 # Web servers started by root connect as somebody else.
                 "socket_mode": "0666"}
DOWNSTREAM_DEFAULTS = {"timeout": "60s", "connect_timeout": "60s",
                       "downstream_idle": "1h"}
SHADOW_DEFAULTS = {"timeout": "60s", "connect_timeout": "60s"}


def write_settings(path, pool, endpoints, shadow=None):
    """Write a tallyd.conf. `endpoints`: {name: {key: value}}"""
    def with_defaults(keys, cause, defaults):
        more = defaults.items() if cause in keys else ()
        return {**keys, **{key: value for key, value in more
                           if key not in keys}}
    sections = [("pool", pool)]
    if shadow:
        sections.append(("shadow", with_defaults(shadow, "url",
                                                 SHADOW_DEFAULTS)))
    sections += [(f"endpoint {name}", with_defaults(keys, "downstream",
                                                    DOWNSTREAM_DEFAULTS))
                 for name, keys in endpoints.items()]
    path.write_text("\n".join(
        f"[{title}]\n" + "".join(f"{key} = {value}\n"
                                 for key, value in keys.items())
        for title, keys in sections))


def run_tallyd(*arguments, env=None, limit=20):
    """Run tallyd to its end: (status, stdout, stderr)."""
    done = subprocess.run(kit.tallyd(*arguments), capture_output=True,
                          text=True, timeout=kit.wait_limit(limit), check=False,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, **(env or {})})
    if kit.REPORTS.search(done.stderr):
        raise tap.Failure(done.stderr)
    return done.returncode, done.stdout, done.stderr


def run_tallyctl(*arguments, limit=20, env=None):
    """Run tallyctl to its end: (status, stdout, stderr)."""
    if kit.TALLYCTL is None:
        raise tap.BailOut("there is no tallyctl; build it or set TALLYCTL")
    done = subprocess.run([kit.TALLYCTL, *map(str, arguments)],
                          capture_output=True, text=True, check=False,
                          timeout=kit.wait_limit(limit),
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


class Pool:
    """A tallyd with settings of its own, on a unix socket unless `listen` says
    otherwise. Keywords are settings of [pool]; `endpoints` and `shadow` have
    the others:

        Pool(endpoints={"sum": {"path": "/sum"}}, workers=1)

    `prefix` is a command put before tallyd, such as prlimit. `through` is a
    function that turns the command line into that of another starter."""

    def __init__(self, endpoints=None, prefix=(), through=None, env=None,
                 start=True, stdin=None, pass_fds=(), shadow=None,
                 **settings):
        self.socket = kit.fresh_path("tallyd.sock")
        self.config = kit.fresh_path("tallyd.conf")
        self.scoreboard = kit.fresh_path("scoreboard")
        self.settings = {"listen": self.socket,
                         "scoreboard": self.scoreboard,
                         **POOL_DEFAULTS, **settings}
        self.endpoints = {"main": {}} if endpoints is None else endpoints
        self.address = parse_address(str(self.settings["listen"]))
        self.pages = parse_address(str(self.settings.get("status_listen", "/")))
        self.shadow = shadow
        self.change()
        self.command = [*prefix, *kit.tallyd("-c", self.config)]
        if through:
            self.command = through(self.command)
        self.arguments = {"env": env, "stdin": stdin, "pass_fds": pass_fds}
        self.hurries = bool(shadow)
        self.process = None
        if start:
            self.start()

    def start(self):
        self.process = kit.Process("tallyd", self.command, **self.arguments)
        self.process.wait_for_log(" serving on ")
        if self.hurries:
            self.hurry()

    def hurry(self):
        """Have its shadows take part like others, as long as it runs: they get
        the time that nobody else wants, which on a busy machine is none."""
        threading.Thread(target=self._hurry_shadows, daemon=True).start()

    # --- Looking at it. ---

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.process.log()

    def log_lines(self, *parts):
        """The lines of the log that have all of `parts`."""
        return [line for line in self.log().splitlines()
                if all(part in line for part in parts)]

    def warnings(self):
        """Those of the log; that the pool runs as root is up to who tests, and
        neither valgrind, a sanitizer nor a build that counts lines goes with
        seccomp and Landlock."""
        expected = ["the pool runs as root"]
        if kit.WRAPPER or kit.SANITIZED or kit.COVERED:
            expected.append("sandbox = auto: not all of it is there")
        return [line for line in self.log_lines(" warn ")
                if not any(part in line for part in expected)]

    def wait_until_up(self):
        """For a pool whose log cannot be read. Its socket may be there before
        its scoreboard is, so tallyctl is asked."""
        kit.until("tallyctl finds the pool", lambda: run_tallyctl(
            "-c", self.config, "status")[0] == 0)

    def wait_for_log(self, part, limit=10.0):
        return self.process.wait_for_log(part, limit)

    def status(self):
        """What `tallyctl status --json` says."""
        status, out, errors = run_tallyctl("-c", self.config, "status",
                                           "--json")
        tap.check(status == 0, f"tallyctl ended with {status}: {errors}")
        return json.loads(out)

    def count(self, name):
        """One counter or outcome, over all workers."""
        status = self.status()
        return {**status["counters"], **status["outcomes"],
                **status["supervisor"]}[name]

    def wait_for_count(self, name, count, limit=10.0):
        kit.until(f"{name} is {count}", lambda: self.count(name) >= count,
                  limit)

    def workers(self, state=None):
        """The pids of the workers that are there, or are in that state, in the
        scoreboard's order. One that has just died has a state, but no pid: 0,
        and a signal to that one goes to all who run the tests."""
        return [worker["pid"] for worker in self.status()["workers"]
                if worker["pid"] > 0 and worker["state"] != "absent"
                and state in (None, worker["state"])]

    def wait_for_workers(self, count=None, besides=(), limit=10.0):
        """Wait until as many serve, none of `besides`; gives their pids."""
        wanted = count or int(self.settings["workers"])

        def look():
            pids = self.workers()
            return pids if (len(pids) == wanted
                            and not set(pids) & set(besides)) else None
        return kit.until(f"{wanted} workers serve", look, limit)

    def wait_for_sleep(self):
        """Until every worker waits: a reply is sent before its connection is
        parked."""
        def sleep():
            try:
                return all(procfs.state_of(pid) == "S"
                           for pid in self.workers())
            except (FileNotFoundError, ProcessLookupError):
                return False  # one that was killed has gone meanwhile
        kit.until("the workers sleep", sleep)

    # --- Talking to it. ---

    def link(self, limit=10.0):
        return fastcgi.Link(self.address, kit.wait_limit(limit))

    def post(self, body, limit=10.0, **more):
        """One request without a web server; see fastcgi.request()."""
        return fastcgi.post(self.address, body, kit.wait_limit(limit), **more)

    def page(self, path, accept=None, method="GET", limit=10.0, body=None,
             headers=None):
        """What the status listener answers."""
        headers = {**(headers or {}),
                   **({} if accept is None else {"Accept": accept})}
        return web.ask(self.pages, path, kit.wait_limit(limit), method, headers,
                       body)

    def monitor(self):
        """The pid of the process behind the status listener; None: there is
        none now."""
        others = set(procfs.children_of(self.pid)) - set(self.workers())
        return others.pop() if len(others) == 1 else None

    # --- Other settings. ---

    def change(self, endpoints=None, **settings):
        """Write them; the pool knows nothing of them before it reloads."""
        self.settings.update(settings)
        self.endpoints = endpoints or self.endpoints
        write_settings(self.config, self.settings, self.endpoints, self.shadow)

    # --- Ending it. ---

    def _hurry_shadows(self):
        while self.process.status() is None:
            for pid in procfs.children_of(self.pid):
                with contextlib.suppress(OSError):
                    if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                        os.sched_setscheduler(pid, os.SCHED_OTHER,
                                              os.sched_param(0))
            time.sleep(0.05)

    def stop(self, number=signal.SIGTERM, wanted=0, limit=10.0):
        """Stop it; Failure when its exit status is not the wanted one."""
        status = self.process.stop(number, limit)
        if wanted is not None:
            tap.equal(status, wanted, "the exit status of tallyd")
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_ignored):
        if kind is not None:
            return  # the kit ends it, after the tails of the logs are printed
        if self.process and self.process.status() is None:
            self.stop()


def parse_address(text):
    """A listen setting as what a client connects to."""
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    return (host.strip("[]").replace("*", "127.0.0.1"), int(port))


SAMPLE = b'{"items":[{"value":1},{"value":2},{"value":3},{"value":15}]}'


# --- Checks that several scenarios make. ---

def serves(pool):
    """One request is answered as it should be."""
    reply = pool.post(SAMPLE)
    tap.equal((reply.status, reply.body), (200, b'{"sum":42}'), "the reply")


def does_not_spin(*pids, seconds=1.0):
    """Watched for a while, these processes leave the CPU alone."""
    before, began = sum(map(procfs.cpu_seconds, pids)), time.monotonic()
    time.sleep(seconds)  # time passing is what is tested
    used = sum(map(procfs.cpu_seconds, pids)) - before
    took = time.monotonic() - began
    tap.check(used < 0.2 * took,
              f"{used:.2f} s of CPU time in {took:.2f} s: {pids}")


def nobody_wakes_up(pids, seconds=0.6):
    """Sooner or later a time comes in which none of them is scheduled: they may
    have something left to do at first, but not again and again."""
    def is_still():
        before = sum(map(procfs.switches, pids))
        time.sleep(seconds)  # time passing is what is tested
        return sum(map(procfs.switches, pids)) == before
    kit.until(f"nobody wakes up in {seconds} s", is_still)

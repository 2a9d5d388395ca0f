#!/usr/bin/env python3
"""doc/ROLLOUT.md, walked command by command against the Node handler, with
clients that never stop: no request fails, every result is posted once and is
the right one. And with a pool that is wrong, which the first step finds."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from pool import Pool
from rollout import Askers, Front, OldHandler, orders

GUIDE = kit.TOP / "doc/ROLLOUT.md"
REPLAYED = 600


def read_guide():
    """({step: [command]}, the settings) of the guide."""
    text = GUIDE.read_text("utf-8")
    settings = re.search(r"^```ini\n(.*?)^```", text, re.S | re.M)[1]
    steps = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title = section.split("\n", 1)[0]
        blocks = re.findall(r"^```sh\n(.*?)^```", section, re.S | re.M)
        steps[title.split(":")[0]] = [
            line for block in blocks
            for line in block.replace("\\\n", " ").splitlines()]
    return steps, settings


class Walk:
    """Everything the guide speaks of, at addresses of its own."""

    def __init__(self, down, program=None):
        self.steps, settings = read_guide()
        self.down = down
        self.data = kit.fresh_path("data")
        self.data.mkdir()
        self.capture_port = kit.free_port("127.0.0.1")
        self.opinion = OldHandler()
        base = down.url.removesuffix("/process").removeprefix("http://")
        self.names = {"127.0.0.1:8080": base,
                      "http://127.0.0.1:3001": self.opinion.url,
                      "127.0.0.1:8081": f"127.0.0.1:{self.capture_port}",
                      "/var/lib/tallyd": str(self.data),
                      "/etc/tallyd/capture-": f"{self.data}/capture-",
                      "/etc/default": str(self.data)}
        self.pool = self._start_pool(settings, program)
        self.names["/etc/tallyd/tallyd.conf"] = str(self.pool.config)
        self.capture = None

    def _start_pool(self, settings, program):
        """The guide's own settings, and what a test needs besides."""
        # More than there are clients, or `health` warns of a busy pool.
        pool = Pool({}, workers=8, start=False)
        text = self.change(settings)
        head = "".join(f"{key} = {value}\n"
                       for key, value in pool.settings.items())
        pool.config.write_text(f"[pool]\n{head}\n{text}")
        if program:
            pool.command = [program if part == kit.TALLYD else part
                            for part in pool.command]
        pool.hurries = True
        pool.start()
        return pool

    def start_front(self):
        """The old handler in front, as it was before, and the kit."""
        (self.data / "old-handler").write_text(
            self.change("DOWNSTREAM=http://127.0.0.1:8080/process\n"))
        self.old = OldHandler(self._settings("old-handler")["DOWNSTREAM"])
        self.front = Front(self.old, self.pool)
        self.names["/var/log/nginx"] = str(self.front.directory)
        self.names["http://127.0.0.1:8000"] = (
            f"http://{kit.HOST}:{self.front.port}")

    def _settings(self, name):
        """{variable: value} of a file of /etc/default, or of the capture's."""
        return dict(line.split("=", 1) for line in
                    (self.data / name).read_text().splitlines())

    def systemctl(self, *arguments):
        """What systemd would do; manager_confined.py has one that does."""
        if arguments == ("restart", "old-handler"):
            self.old.restart(self._settings("old-handler")["DOWNSTREAM"])
        elif arguments == ("enable", "--now", "tallyd-capture@process"):
            self.capture = kit.Process("capture", self._capture_command(),
                                       env=self.environment())
            kit.until("it listens", self._captures)
        elif arguments == ("disable", "--now", "tallyd-capture@process"):
            tap.equal(self.capture.stop(), 0, "the status of the capture")
        else:
            raise tap.Failure(f"systemctl {arguments}: what is that?")

    def _capture_command(self):
        """ExecStart= of the unit, as systemd expands it."""
        unit = (kit.CONF / "systemd/tallyd-capture@.service.in").read_text()
        line = re.search(r"^ExecStart=(.*)", unit, re.M)[1]
        where = re.search(r"^EnvironmentFile=(.*)", unit, re.M)[1]
        tap.equal(where, "@sysconfdir@/tallyd/capture-%i.env", "its settings")
        for name, value in self._settings("capture-process.env").items():
            line = line.replace(f"${{{name}}}", value)
        for was, now in (("@bindir@/tallyctl", str(kit.TALLYCTL)),
                         ("%S/tallyd", str(self.data)), ("%i", "process"),
                         ("$OPTIONS", "")):
            line = line.replace(was, now)
        return line.split()

    def change(self, text):
        for was, now in self.names.items():
            text = text.replace(was, now)
        return text

    def environment(self):
        return {**os.environ, "PATH": ":".join((
            os.path.dirname(kit.TALLYCTL), os.environ.get("PATH", "")))}

    def run(self, command, wanted=0):
        """One command of the guide; gives what it prints."""
        command = self.change(command)
        if command.startswith("conf/rollout/step "):
            self.front.step(command.split()[1])
            return ""
        if command.startswith("systemctl "):
            self.systemctl(*command.split()[1:])
            return ""
        done = subprocess.run(["sh", "-c", command], check=False,
                              capture_output=True, text=True, cwd=kit.TOP,
                              env=self.environment(), timeout=kit.wait_limit(120))
        tap.equal(done.returncode, wanted,
                  f"the status of {command}: {done.stdout}{done.stderr}")
        return done.stdout

    def _captures(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.capture_port)) == 0

    def commands(self, step, first, last):
        """Run all of a step's commands between two, these included."""
        lines = self.steps[step]
        begin = next(i for i, line in enumerate(lines) if first in line)
        end = next(i for i, line in enumerate(lines)
                   if i >= begin and last in line)
        for line in lines[begin:end + 1]:
            self.run(line)

    def start_capture(self):
        self.commands("Step 2", "printf", "restart old-handler")

    def command(self, step, part):
        """The first command of a step that has `part`."""
        for line in self.steps[step]:
            if part in line:
                return line
        raise tap.Failure(f"{step} has no command with {part!r}")

    def record(self):
        """What clients usually send, as nginx would have logged it."""
        source = orders(7)
        with (self.front.directory / "bodies.log").open("w") as out:
            for _ in range(REPLAYED):
                out.write(json.dumps({"method": "POST", "uri": "/process",
                                      "body": next(source)[0].decode()}) + "\n")


def compared(page):
    return page["comparison"]


def report(walk, step, judged, status=0):
    """The report of a step, once so much is compared."""
    line = walk.command(step, "shadow report") + " --json"

    def look():
        # A post that is still on its way counts as a mismatch.
        try:
            page = json.loads(walk.run(line, status))
        except tap.Failure:
            return None
        return page if compared(page)["judged"] >= judged else None
    return kit.until("enough is compared", look, 60)


def mirror(walk):
    """Step 2: have the settings read, and copies sent."""
    config = walk.pool.config
    config.write_text(config.read_text().replace("share       = 0",
                                                 "share       = 1"))
    walk.run(walk.command("Step 2", "reload"))
    walk.run(walk.command("Step 2", "step mirror"))


@tap.test
def the_guide_leads_from_nothing_to_everything_and_back():
    with Downstream() as down:
        walk = Walk(down)
        with walk.pool:
            # Step 1, before anything else is changed.
            walk.start_front()
            walk.record()
            text = walk.run(walk.command("Step 1", "replay"))
            tap.contains(text, "no mismatch", "the replay")
            tap.check(f"{REPLAYED}  100.0000 %" in text, text)
            tap.equal(down.take(), [], "posts during the replay")
            before = walk.pool.count("downstream_posts")

            # Step 2.
            walk.start_capture()
            clients = Askers(walk.front)
            mirror(walk)
            clients.wait_for(400)
            page = report(walk, "Step 2", judged=300)
            tap.equal(compared(page)["equal"], compared(page)["judged"],
                      f"equal pairs: {page}")
            tap.equal(walk.pool.count("downstream_posts"), before,
                      "posts of a pool that only gets copies")

            # Its way back. A handler of one instance is not restarted while
            # clients ask it.
            wanted = clients.stop()
            walk.commands("Step 2", "step 0", "disable --now")
            clients = Askers(walk.front)
            clients.wait_for(100)

            # Steps 3 and 4.
            walk.run(walk.command("Step 3", "step 1"))
            clients.wait_for(400)
            for step in "step 10", "step 50", "step 100":
                walk.run(walk.command("Step 4", step))
                clients.wait_for(300)
                walk.run(walk.command("Step 3", "health"))
            page = report(walk, "Step 3", judged=500)
            tap.equal(compared(page)["mismatch"], 0, f"mismatches: {page}")
            tap.check(walk.pool.count("downstream_posts") > before + 300,
                      "tallyd has answered hardly any")
            walk.run(walk.command("Step 4", "step 0"))
            answered = walk.pool.count("downstream_posts")
            clients.wait_for(100)
            tap.equal(walk.pool.count("downstream_posts"), answered,
                      "posts of tallyd on the way back")
            walk.run(walk.command("Step 3", "step 1"))
            clients.wait_for(100)
            walk.run(walk.command("Step 3", "step 0"))
            wanted = sorted(wanted + clients.stop())

        got = sorted(body["sum"] for body in down.bodies())
        tap.equal(len(got), len(wanted), "results posted")
        tap.check(got == wanted, "results are not those of the requests")


def wrong_program():
    program = os.path.join(os.path.dirname(kit.TALLYD), "..", "tests",
                           "scenario", "tallyd_large_sums")
    if not os.access(program, os.X_OK):
        raise tap.Skip("tallyd_large_sums is not built")
    return program


@tap.test
def a_pool_that_is_wrong_is_found_by_the_first_step():
    with Downstream() as down:
        walk = Walk(down, wrong_program())
        with walk.pool:
            walk.start_front()
            walk.record()
            text = walk.run(walk.command("Step 1", "replay"), wanted=1)
            tap.contains(text, "mismatches to look into", "the replay")
            tap.contains(text, "reply_body", "the kind")
            cases = [json.loads(line) for line in
                     (walk.data / "replayed.ndjson").read_text().splitlines()]
            tap.check(cases and all(
                json.loads(case["theirs"]["reply"])["sum"] >= 1 << 31
                for case in cases), "cases that are not above 2^31")


@tap.test
def a_pool_that_is_wrong_is_found_by_its_copies():
    """who leaves the first step out finds it with the second, and clients
    notice nothing"""
    with Downstream() as down:
        walk = Walk(down, wrong_program())
        with walk.pool:
            walk.start_front()
            walk.start_capture()
            clients = Askers(walk.front)
            mirror(walk)
            clients.wait_for(200)
            clients.stop()
            kit.until("results are written down", lambda: walk.pool.status()[
                "shadow"]["results"] > 150)
            page = report(walk, "Step 2", judged=100, status=1)
            kinds = compared(page)["kinds"]
            tap.check(kinds.get("downstream_body", 0) > 10, f"kinds: {kinds}")
            tap.equal(walk.pool.count("downstream_posts"), 0, "posts of ours")


sys.exit(kit.run())

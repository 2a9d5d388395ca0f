#!/usr/bin/env python3
"""conf/rollout behind HAProxy and Apache: a step moves its share of the
requests, and none is lost or posted twice."""

import pathlib
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import tap
from downstream import Downstream
from pool import Pool
from rollout import KIT, OLD_HOST, Askers, OldHandler, ask_at


class Split:
    """A front with the kit's files, their addresses changed."""

    def __init__(self, old, pool, name):
        self.port = kit.free_port()
        self.directory = kit.fresh_path(name)
        self.directory.mkdir()
        self.pool = pool
        self.log_path = self.directory / "log"
        self.log_path.touch()
        self.log_path.chmod(0o666)
        for source in (KIT / name).iterdir():
            text = source.read_text("utf-8")
            for was, now in (("/etc/apache2/rollout", self.directory),
                             ("127.0.0.1:3000", f"{OLD_HOST}:{old.port}"),
                             ("/run/tallyd/tallyd.sock", pool.socket)):
                text = text.replace(was, str(now))
            (self.directory / source.name).write_text(text)

    def ask(self, body):
        return ask_at(self.port, body)

    def run(self, command, env=None):
        self.process = kit.Process(self.directory.name, command, env=env,
                                   log_path=self.log_path)
        kit.until("it answers", lambda: self.ask(b'{"items":[]}')[0] == 200)


class Haproxy(Split):
    def __init__(self, old, pool):
        super().__init__(old, pool, "haproxy")
        program = kit.need_server("haproxy")
        head = (self.directory / "rollout.cfg").read_text()
        rules = [line[6:].replace("/etc/haproxy/rollout", str(self.directory))
                 for line in head.splitlines()
                 if line.startswith("#     ") and ("is_process" in line)]
        tap.equal(len(rules), 6, "rules of the frontend")
        self.stats = self.directory / "stats"
        path = self.directory / "haproxy.cfg"
        path.write_text(f"""
global
    stats socket {self.stats} mode 600 level admin
defaults
    mode http
    timeout client 30s
frontend front
    bind {kit.HOST}:{self.port}
    """ + "\n    ".join(rules) + "\n")
        self.run([program, "-db", "-f", path, "-f",
                  kit.CONF / "haproxy/tallyd.cfg", "-f",
                  self.directory / "rollout.cfg"],
                 {"TALLYD_SOCKET": str(pool.socket)})

    def step(self, name):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.stats))
            link.sendall(f"set map {self.directory}/step.map process {name}\n"
                         .encode())
            tap.equal(link.recv(4096).strip(), b"", "what HAProxy says")


class Apache(Split):
    def __init__(self, old, pool):
        super().__init__(old, pool, "apache")
        program = kit.find_server("apache2")
        modules = ("mpm_event", "authz_core", "env", "proxy", "proxy_http",
                   "proxy_fcgi", "rewrite", "headers", "unique_id")
        if program is None or any(fronts.Apache.module(name) is None
                                  for name in modules):
            raise tap.Skip("there is no Apache, or a module is missing")
        shutil.copy(self.directory / "step-0.map", self.directory / "step.map")
        user = fronts.unprivileged_user() if fronts.ROOT else None
        path = self.directory / "apache2.conf"
        path.write_text("\n".join([
            f"ServerRoot {self.directory}", f"DefaultRuntimeDir {self.directory}",
            "PidFile apache2.pid", f"ErrorLog {self.log_path}",
            "ServerName localhost", f"Listen {kit.HOST}:{self.port}",
            f"DocumentRoot {self.directory}", "LogLevel info",
            *([f"User {user}"] if user else []),
            *(f"LoadModule {name}_module {fronts.Apache.module(name)}"
              for name in modules),
            "StartServers 1", "ServerLimit 1", "ThreadsPerChild 32",
            "MaxRequestWorkers 32", "GracefulShutdownTimeout 1",
            f"Include {self.directory}/rollout.conf"]) + "\n")
        self.run([program, "-D", "FOREGROUND", "-f", path])

    def step(self, name):
        """The file itself, for Apache looks at its time to the second."""
        new = self.directory / "step.map.new"
        shutil.copyfile(self.directory / f"step-{name}.map", new)
        new.chmod(0o644)
        new.rename(self.directory / "step.map")


def walk(front_class):
    with Downstream() as down, Pool(
            {"process": {"path": "/process", "downstream": down.url}},
            workers=2) as pool:
        front = front_class(OldHandler(down.url), pool)
        down.take()
        before = pool.count("downstream_posts")
        clients = Askers(front)
        for step, least, most in (("0", 0, 0), ("50", 0.35, 0.65),
                                  ("10", 0.02, 0.25), ("100", 0.9, 1.1),
                                  ("0", 0, 0)):
            front.step(step)
            kit.until(f"step {step} is in force",
                      lambda: least <= share(pool, clients) <= most, 60)
        wanted = clients.stop()
        got = sorted(body["sum"] for body in down.bodies())
        tap.equal(len(got), len(wanted), "results posted")
        tap.check(got == wanted, "results are not those of the requests")
        tap.check(pool.count("downstream_posts") > before, "tallyd had none")


def share(pool, clients):
    """Of the next 300 requests or so, the share that tallyd posts."""
    asked, posts = clients.served(), pool.count("downstream_posts")
    clients.wait_for(300)
    asked = clients.served() - asked
    return (pool.count("downstream_posts") - posts) / asked


@tap.test
def haproxy():
    walk(Haproxy)


@tap.test
def apache():
    walk(Apache)


@tap.test
def the_script_refuses_what_is_no_step():
    for arguments in (), ("7", "/"), ("0", "/", "x"):
        done = subprocess.run([KIT / "step", *arguments], check=False,
                              capture_output=True, text=True,
                              timeout=kit.wait_limit())
        tap.equal(done.returncode, 64, f"the status of {arguments}")
        tap.check(done.stderr != "" and done.stdout == "", "it says nothing")


sys.exit(kit.run())

"""The reference handlers of tests/reference, running."""

import http.client
import os
import subprocess

import kit
import tap

REFERENCE = kit.TOP / "tests/reference"


class Handler:
    """One of them, on an address of its own."""

    def __init__(self, name, command, downstream=None, more=()):
        self.name = name
        self.port = kit.free_port()
        self.url = f"http://{kit.HOST}:{self.port}/process"
        self.process = kit.Process(name, [*command, self.port,
                                          downstream or "", kit.HOST, *more])
        kit.until(f"{name} listens", self._listens)

    def _listens(self):
        tap.check(self.process.status() is None, f"{self.name} has ended")
        try:
            return self.ask(None, method="GET")[0] == 405
        except OSError:
            return False

    def ask(self, body, method="POST", path="/process", headers=None):
        """(status, body) of one request."""
        link = http.client.HTTPConnection(kit.HOST, self.port,
                                          timeout=kit.wait_limit(20))
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()


def start_node(downstream=None, module=None):
    """The handler in JavaScript, with those of a module besides. Skip where
    there is no Node."""
    node = kit.need_server("node")
    return Handler("node", [node, REFERENCE / "node/handler.js"], downstream,
                   () if module is None else (module,))


def packages(use):
    """Those of Debian that a use of the tree needs, as ./bootstrap lists them."""
    listed = subprocess.run([kit.TOP / "bootstrap", "packages"], text=True,
                            capture_output=True, check=True).stdout
    return next(line.split(": ", 1)[1] for line in listed.splitlines()
                if line.startswith(use + ": "))


def start_hyper(downstream=None):
    """The service in Rust. Skip where it cannot be built."""
    build = os.path.dirname(os.path.dirname(kit.TALLYD))
    done = subprocess.run([REFERENCE / "hyper/build", build],
                          capture_output=True, text=True, check=False,
                          timeout=900)
    if done.returncode == 3:
        raise tap.Skip("needs apt-get install --no-install-recommends "
                       + packages("crates"))
    tap.check(done.returncode == 0, f"hyper does not build: {done.stderr}")
    return Handler("hyper", [done.stdout.strip()], downstream)

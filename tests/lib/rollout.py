"""A rollout as doc/ROLLOUT.md has it: the old handler and a pool behind one
nginx with the files of conf/rollout, and clients that never stop asking."""

import http.client
import json
import random
import subprocess

import kit
import tap
from clients import Clients
from fronts import nginx_command

KIT = kit.CONF / "rollout"
HANDLER = kit.TOP / "tests/reference/node/handler.js"
OLD_HOST = "127.0.0.1"  # where handler.js listens

# What a client may be told of a connection that was closed without an answer: before
# all of the request was sent, or after it.
CLOSED = "ConnectionReset", "BrokenPipe", "RemoteDisconnected"


def ask_at(port, body, path="/process", headers=None):
    """(status, body) of one request over a connection of its own; status 0: no
    answer."""
    link = http.client.HTTPConnection(kit.HOST, port, timeout=kit.wait_limit(20))
    try:
        link.request("POST", path, body, headers or {})
        answer = link.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        link.close()


class OldHandler:
    """The Node handler that is to be replaced."""

    def __init__(self, downstream=None):
        self.port = kit.free_port(OLD_HOST)
        self.url = f"http://{OLD_HOST}:{self.port}"
        self._start(downstream)

    def restart(self, downstream):
        """The same, with another downstream."""
        self.process.stop()
        self._start(downstream)

    def _start(self, downstream):
        self.process = kit.Process("node", [
            kit.need_server("node"), HANDLER, self.port,
            *([downstream] if downstream else [])])
        kit.until("node listens", self._listens)

    def _listens(self):
        tap.check(self.process.status() is None, "node has ended")
        try:
            link = http.client.HTTPConnection(OLD_HOST, self.port,
                                              timeout=kit.wait_limit())
            link.request("GET", "/")
            return link.getresponse().status == 405
        except OSError:
            return False
        finally:
            link.close()


class Front:
    """nginx with the files of conf/rollout, their addresses changed as an
    administrator would; `changes` are others in the text, `server` are lines
    for the server."""

    def __init__(self, old, pool, port=None, step="0", changes=(), server=""):
        self.program = kit.need_server("nginx")
        self.port = port or kit.free_port()
        self.directory = kit.fresh_path("rollout")
        self.directory.mkdir()
        for source in (KIT / "nginx").iterdir():
            text = source.read_text("utf-8")
            for was, now in (("_timeout    1s", "_timeout    1m"),
                             ("/etc/nginx/rollout", self.directory),
                             ("/etc/nginx/tallyd.conf",
                              kit.CONF / "nginx/tallyd.conf"),
                             ("/var/log/nginx", self.directory),
                             ("127.0.0.1:3000", f"{OLD_HOST}:{old.port}"),
                             ("/run/tallyd/tallyd.sock", pool.socket),
                             *changes):
                text = text.replace(was, str(now))
            (self.directory / source.name).write_text(text)
        (self.directory / "step.conf").symlink_to(f"step-{step}.conf")
        self.log_path = self.directory / "error.log"
        self.log_path.touch()
        self.log_path.chmod(0o666)
        self.command = nginx_command(
            self.program, self.directory, self.log_path, f"""
    access_log off;
    include {self.directory}/upstreams.conf;
    server {{
        listen {kit.HOST}:{self.port};
        {server}
        include {self.directory}/location.conf;
    }}
""", level="notice")
        self.process = kit.Process("nginx", self.command,
                                   log_path=self.log_path)
        kit.until("nginx answers", lambda: self.ask(b"{}")[0] != 0)

    def ask(self, body):
        return ask_at(self.port, body)

    def ask_with(self, path, body, headers):
        """The status."""
        return ask_at(self.port, body, path, headers)[0]

    def step(self, name):
        """One step of the rollout, as the guide takes it. Gives what the script
        says; Failure when it fails."""
        seen = self.logged("start worker process ")
        done = subprocess.run(
            [KIT / "step", name, self.directory], check=False,
            capture_output=True, text=True, timeout=kit.wait_limit(20),
            env={"NGINX_COMMAND": " ".join(map(str, self.command)),
                 "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        tap.equal(done.returncode, 0, f"step {name}: {done.stderr}")
        kit.until("the old workers of nginx have ended",
                  lambda: self.logged(" exited with code 0") >= seen, 30)
        return done.stdout

    def logged(self, part):
        return self.log_path.read_text("utf-8", "replace").count(part)


def orders(seed):
    """(body, sum) for ever: what the handler usually gets."""
    chance = random.Random(seed)
    while True:
        values = [chance.choice((chance.randrange(1000),
                                 chance.randrange(1 << 20, 1 << 40)))
                  for _ in range(chance.randrange(1, 20))]
        body = json.dumps({"items": [{"value": value, "sku": f"a{value % 7}"}
                                     for value in values]}).encode()
        yield body, 2 * sum(values)


class Askers(Clients):
    """They ask without a pause; what they get has to be `answer`. Each request
    has a connection of its own: nginx closes kept ones at each reload, which may
    cross with the next request on them."""

    def __init__(self, front, count=4, answer=b'{"ok":true}'):
        self.front = front
        self.answer = answer
        self.sums = []
        super().__init__(count)

    def _client(self, number):
        for body, result in orders(number):
            if self.over.is_set():
                return
            got = self.front.ask(body)
            # A worker of nginx that leaves at a reload closes a connection that
            # it has accepted and not read from yet. That request has reached
            # nobody, as the sums at the end prove: it is asked again.
            while got[0] == 0 and got[1].startswith(CLOSED):
                got = self.front.ask(body)
            with self.lock:
                self.answers[got] += 1
                self.sums.append(result)

    def stop(self):
        """The sums of all that was asked; Failure when one failed."""
        tap.equal(list(super().stop()), [(200, self.answer)], "the answers")
        return sorted(self.sums)

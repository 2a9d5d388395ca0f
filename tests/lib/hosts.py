"""Several hosts on one network: each is a network namespace, with the addresses
that the files of conf/ name, so that these run as they are shipped.

A namespace belongs to a process that waits in it, and is gone with the last of its
processes, also when the test is killed. Nothing of this is in the network of the
machine, and tests that run at the same time do not see each other."""

import csv
import os
import socket
import subprocess
import sys
import time

import fronts
import kit
import procfs
import tap
from pool import Pool

LIB = kit.TOP / "tests/lib"
HOSTS = ("192.0.2.11", "192.0.2.12", "192.0.2.13")
FRONTS = ("192.0.2.2", "192.0.2.3")
SHARED = "192.0.2.1"  # the address that keepalived moves
DOWNSTREAM = "192.0.2.50"
CLIENT = "192.0.2.60"
PORT, STATUS_PORT, DOWNSTREAM_PORT = 9000, 9145, 8080


def need(*programs):
    """Skip where hosts cannot be made."""
    if os.geteuid() != 0:
        raise tap.Skip("only root makes network namespaces")
    for name in ("ip", "unshare", "nsenter", "sleep", *programs):
        kit.need_server(name)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", "ip link add name bridge type bridge && "
         "ip link add name veth1 type veth peer name veth2"], check=False,
        capture_output=True, text=True, timeout=kit.wait_limit())
    if done.returncode != 0:
        raise tap.Skip(f"no bridge or veth here: {done.stderr.strip()}")


class Space(kit.Process):
    """A network namespace."""

    def __init__(self, name):
        super().__init__(name, ["unshare", "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        kit.until(f"{name} has a network of its own", lambda: os.readlink(
            f"/proc/{self.pid}/ns/net") != ours)
        self.run("ip", "link", "set", "lo", "up")

    def inside(self, *command):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command]

    def call(self, *command):
        return subprocess.run(
            list(map(str, self.inside(*command))), check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=kit.wait_limit(30))

    def run(self, *command):
        """To its end, which is a good one; gives what it printed."""
        done = self.call(*command)
        tap.equal(done.returncode, 0,
                  f"the status of {command}: {done.stdout}{done.stderr}")
        return done.stdout


class Machine(Space):
    """A namespace with one cable, to the switch."""

    def __init__(self, switch, name, address):
        super().__init__(name)
        self.switch, self.address, self.cable = switch, address, name
        switch.run("ip", "link", "add", "name", self.cable, "type", "veth", "peer",
                   "name", "eth0", "netns", str(self.pid))
        switch.run("ip", "link", "set", self.cable, "master", "bridge", "up")
        self.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def cut(self):
        """Pull the cable: nobody is told anything."""
        self.switch.run("ip", "link", "set", self.cable, "down")


class Switch(Space):
    def __init__(self):
        super().__init__("switch")
        self.run("ip", "link", "add", "name", "bridge", "type", "bridge")
        self.run("ip", "link", "set", "bridge", "up")


class Host(Machine):
    """A machine with a pool. `through`: see Pool."""

    def __init__(self, switch, number, endpoint, settings, through=None):
        super().__init__(switch, f"host{number}", HOSTS[number - 1])
        self.pool = Pool(
            {"process": {"path": "/process", "multiply": 1, "downstream":
                         f"http://{DOWNSTREAM}:{DOWNSTREAM_PORT}/process",
                         **endpoint}},
            prefix=self.inside(), through=through,
            listen=f"{self.address}:{PORT}", allow=" ".join(FRONTS),
            status_listen=f"{self.address}:{STATUS_PORT}",
            **{"log_level": "info", "stop_delay": "2s", **settings})


class Downstream:
    """tests/lib/hosts_downstream.py on a machine of its own."""

    def __init__(self, switch, delay):
        self.machine = Machine(switch, "downstream", DOWNSTREAM)
        self.path = kit.fresh_path("posts")
        read_end, self.orders = os.pipe()
        self.process = kit.Process("downstream", self.machine.inside(
            sys.executable, LIB / "hosts_downstream.py", DOWNSTREAM,
            DOWNSTREAM_PORT, delay, self.path), stdin=read_end)
        os.close(read_end)
        kit.until("the downstream listens", self.path.exists)

    def slow(self, what, delay):
        """Answers to a host, or those to a sum, take so many seconds."""
        key = getattr(what, "address", what)
        os.write(self.orders, f"slow {key} {delay}\n".encode())

    def posts(self, total):
        """The hosts that have posted a sum, in order."""
        return [peer for what, _at, one, peer in self.events()
                if (what, one) == ("post", total)]

    def events(self):
        """[(what, time, sum, peer)]"""
        return [(what, float(at), int(total), peer) for what, at, total, peer in
                map(str.split, whole_lines(self.path))]


def whole_lines(path):
    text = path.read_text("ascii") if path.exists() else ""
    return text[:text.rfind("\n") + 1].splitlines()


# --- The fronts. ---

class Front:
    """A web server with its file of conf/, which `changes` change."""

    name = program = file = None

    def __init__(self, switch, number=1, changes=(), count=3):
        self.program, self.count = kit.find_server(self.name), count
        self.machine = Machine(switch, f"front{number}", FRONTS[number - 1])
        self.address = self.machine.address
        self.directory = kit.fresh_path(self.name)
        self.directory.mkdir()
        self.log_path = self.directory / "error.log"
        self.log_path.touch()
        self.log_path.chmod(0o666)
        text = (kit.CONF / self.file).read_text("utf-8")
        for was, now in changes:
            tap.contains(text, was, f"conf/{self.file}")
            text = text.replace(was, now)
        self.shipped = self.directory / "shipped"
        self.shipped.write_text(text)
        self.start()

    def start(self):
        self.process = kit.Process(
            self.name, self.machine.inside(*self.command()),
            log_path=self.log_path)
        kit.until(f"{self.name} listens", self.listens)

    def kill(self):
        kit.kill_group(self.process.pid)
        self.process.wait()

    def listens(self):
        tap.check(self.process.status() is None, f"{self.name} has ended")
        return self.machine.run("ss", "--listening", "--tcp", "--numeric",
                                "--no-header", "sport = :80") != ""

    def command(self):
        raise NotImplementedError

    def tries(self, host):
        """When each request that was tried at a host began (time.time())."""
        raise NotImplementedError


class Nginx(Front):
    name, file = "nginx", "nginx/tallyd-hosts.conf"

    def command(self):
        self.access_log = self.directory / "access.log"
        self.shipped.write_text(self.shipped.read_text().replace(
            "/etc/nginx/tallyd.conf", f"{kit.CONF}/nginx/tallyd.conf"))
        return fronts.nginx_command(
            self.program, self.directory, self.log_path, f"""
    log_format tries "$msec $request_time $upstream_addr";
    access_log {self.access_log} tries;
    include {self.shipped};
""", level="notice", processes=2, connections=2048)

    def wait_until_ready(self):
        """It has no checks."""

    def leaves(self, lost, load):
        """Until it does not use these hosts any more, but for one request now and
        then."""
        load.goes_on(1)
        began, span = time.time(), time.monotonic()
        load.goes_on(1)
        span = time.monotonic() - span
        for host in lost:
            late = sum(at > began for at in self.tries(host))
            tap.check(late <= 2 + span / 2, f"{late} tries in {span:.1f} s")

    def tries(self, host):
        for line in whole_lines(self.access_log):
            ended, took, addresses = line.split(" ", 2)
            if f"{host.address}:" in addresses:
                yield float(ended) - float(took)


class Haproxy(Front):
    name, file = "haproxy", "haproxy/tallyd-hosts.cfg"
    frontend = ""  # a line of it

    def command(self):
        self.stats_path = self.directory / "stats"
        path = self.directory / "haproxy.cfg"
        path.write_text(f"""
global
    log stderr format raw local0
    stats socket {self.stats_path} mode 600 level admin
defaults
    mode http
    log global
    option log-health-checks
    timeout client 60s
    timeout http-request 60s
    log-format "request %Ts.%ms %s %rc %ST"
frontend front
    bind :80
    {self.frontend}
    use_backend tallyd-hosts if {{ path /process }}
""")
        return [self.program, "-db", "-f", path, "-f", self.shipped]

    def servers(self):
        """{host1: {field: value}} of `show stat`."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.stats_path))
            link.sendall(b"show stat\n")
            with link.makefile(encoding="utf-8") as lines:
                rows = csv.DictReader(lines.read().lstrip("# ").splitlines())
        return {row["svname"]: row for row in rows
                if row["svname"].startswith("host")}

    def wait_until_ready(self):
        """All hosts that are there have passed their checks."""
        kit.until("HAProxy has its socket", self.stats_path.exists)
        kit.until("HAProxy has all hosts up", lambda: all(
            row["status"] == "UP" and row["check_status"] == "L7OK"
            for row in list(self.servers().values())[:self.count]), limit=30)

    def leaves(self, lost, load):
        """Until it does not use these hosts any more."""
        def are_down():
            servers = self.servers()
            return all(servers[host.cable]["status"] == "DOWN"
                       for host in lost)
        kit.until("HAProxy has the hosts down", are_down, limit=30)
        began = time.time()
        load.goes_on(1)
        for host in lost:
            late = sum(at > began for at in self.tries(host))
            tap.equal(late, 0, "tries after the host was marked down")

    def tries(self, host):
        """The first of those that were sent again, and all of its own."""
        for line in self.log_path.read_text("utf-8", "replace").splitlines():
            part = line.split()
            if part and part[0] == "request" and (
                    part[2] == host.cable or part[3].strip("+") != "0"):
                yield float(part[1])


class Keepalived:
    """conf/keepalived/keepalived.conf beside a front."""

    def __init__(self, front, priority):
        self.front = front
        text = (kit.CONF / "keepalived/keepalived.conf").read_text("utf-8")
        # A machine that stands still for a moment is no front that is lost.
        for was, now in (("priority          150",
                          f"priority          {priority}"),
                         ("advert_int        0.2", "advert_int        1")):
            tap.contains(text, was, "keepalived.conf")
            text = text.replace(was, now)
        path = front.directory / "keepalived.conf"
        path.write_text(text)
        pids = [f"--{name}={front.directory}/{name}"
                for name in ("pid", "vrrp_pid")]
        self.process = kit.Process("keepalived", front.machine.inside(
            kit.find_server("keepalived"), "--dont-fork", "--log-console",
            "--log-detail", "--vrrp", *pids, f"--use-file={path}"))

    def has_address(self):
        return f"{SHARED}/" in self.front.machine.run(
            "ip", "-4", "address", "show", "dev", "eth0")

    def wait_for_address(self):
        kit.until(f"{self.front.machine.cable} has the address",
                  self.has_address, limit=30, beat=0.05)


# --- Load and account. ---

class Load:
    """tests/lib/hosts_load.py on a machine of its own, from now on."""

    def __init__(self, switch, address, rate, *options):
        self.rate = rate
        self.machine = Machine(switch, "client", CLIENT)
        self.path = kit.fresh_path("requests")
        read_end, self.orders = os.pipe()
        self.process = kit.Process("load", self.machine.inside(
            sys.executable, LIB / "hosts_load.py", address, 80, rate,
            self.path, *options), stdin=read_end)
        os.close(read_end)

    def ended(self):
        return len(whole_lines(self.path))

    def goes_on(self, seconds):
        """Until as many more have ended as are sent in these seconds."""
        wanted = self.ended() + int(seconds * self.rate)
        kit.until("requests go on", lambda: self.ended() >= wanted, limit=60,
                  beat=0.05)

    def stop(self, patience=60):
        """Send no more, wait for what is in hand: [Request]."""
        os.write(self.orders, f"stop {patience}\n".encode())
        os.close(self.orders)
        tap.equal(self.process.wait(patience + 30), 0, "the load's status")
        return [Request(line) for line in whole_lines(self.path)]


class Request:
    def __init__(self, line):
        number, sent, ended, status, self.why = line.split()
        self.number, self.status = int(number), int(status)
        self.sent, self.ended = float(sent), float(ended)

    def __repr__(self):
        return (f"{self.number} {self.sent:.3f}..{self.ended:.3f} "
                f"{self.status} {self.why}")


class Account:
    """What became of each request: `failed` are those without a 200, `doubled`
    numbers that were posted more than once, `unposted` those that were answered
    200 and not posted."""

    def __init__(self, requests, events):
        self.requests = requests
        self.posts = {}  # number: [(time, peer)]
        for what, at, total, peer in events:
            if what == "post":
                self.posts.setdefault(total, []).append((at, peer))
        self.failed = [one for one in requests if one.status != 200]
        self.doubled = [number for number, posts in self.posts.items()
                        if len(posts) > 1]
        self.unposted = [one.number for one in requests if one.status == 200
                         and one.number not in self.posts]

    def failed_posted(self):
        return [one for one in self.failed if one.number in self.posts]

    def outside(self, event):
        """Failed requests that were not in hand at an event."""
        return [one for one in self.failed if not
                (one.sent <= event.after and one.ended >= event.before)]

    def in_hand(self, event):
        return [one for one in self.requests
                if one.sent <= event.after and one.ended >= event.before]

    def cell(self):
        """As the table of doc/HOSTS.md has it."""
        return (f"{len(self.failed)} ({len(self.failed_posted())}) / "
                f"{len(self.doubled)}")

    def check(self, failed_most=None):
        """What holds whatever happens to a host."""
        tap.equal(self.doubled, [], "posted twice")
        tap.equal(self.unposted, [], "answered 200, and not posted")
        if failed_most is not None:
            tap.check(len(self.failed) <= failed_most, f"{len(self.failed)} "
                      f"failed, not {failed_most}: {self.failed[:10]}")


class Event:
    """Done by a function; `before` and `after`: when, as time.monotonic()."""

    def __init__(self, function, *arguments):
        self.before, self.wall = time.monotonic(), time.time()
        function(*arguments)
        self.after = time.monotonic()


class Rig:
    """Three hosts, a downstream that takes `delay` seconds, and a front.
    `settings` are those of each pool, `first` more of the first host's,
    `endpoint` keys of the endpoint."""

    def __init__(self, front=None, workers=4, delay=0.05, count=3, endpoint=None,
                 first=None, changes=(), through=None, **settings):
        need("ss", *([front.name] if front else []))
        self.switch = Switch()
        self.down = Downstream(self.switch, delay)
        self.hosts = [Host(self.switch, number, endpoint or {},
                           {"workers": workers, **settings,
                            **(first if first and number == 1 else {})},
                           through)
                      for number in range(1, count + 1)]
        for host in self.hosts:
            host.pool.wait_for_workers()
        self.front = self.add_front(front, 1, changes) if front else None

    def add_front(self, front, number, changes=()):
        added = front(self.switch, number, changes, len(self.hosts))
        added.wait_until_ready()
        return added

    def load(self, rate, *options, address=None):
        return Load(self.switch, address or self.front.address, rate, *options)

    def account(self, load, patience=60, besides=()):
        """`besides`: sums that are not of this load."""
        return Account(load.stop(patience), [
            event for event in self.down.events() if event[2] not in besides])



def kill(host):
    """All processes of its pool at once. Until the last one has gone, the kernel
    accepts connections for them."""
    pids = [host.pool.pid, *host.pool.workers()]
    kit.kill_group(host.pool.pid)
    kit.until("the pool is gone", lambda: not any(map(procfs.is_alive, pids)))

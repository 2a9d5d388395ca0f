"""A soak: random clients through nginx and past it, a downstream that stalls
and cuts, workers that are killed, and an account of all of it."""

import json
import os
import pathlib
import random
import threading
import time

import customers
import fronts
import kills
import kit
import ledger
import procfs
import tap
from downstream import Answer, Downstream

WORKERS = 8
KEPT = 16  # connections nginx keeps: twice the workers


class Nginx(fronts.NginxKeepalive):
    upstream = f"keepalive {KEPT};"


class Stage:
    """Everything that runs. `spare`: workers that are never killed, so that
    what grows has time to."""

    def __init__(self, browsers=24, proxies=8, kill_seconds=0.5, spare=4,
                 seed=1):
        # What a worker opens for good: the connection to the downstream, and a
        # copy of what is or was at each place that it has served; more places
        # than clients are in use for a moment, when some have just left.
        self.worker_files = 1 + 2 * (browsers + proxies)
        self.book = ledger.Ledger()
        self.over = threading.Event()  # for the clients
        self.calm = threading.Event()  # for the downstream
        self.down = Downstream(self.answer)
        self.front = Nginx({"main": {
            "downstream": self.down.url, "max_body": customers.MAX_BODY,
            "timeout": customers.timeout_setting()}},
            workers=WORKERS, log_level="info")
        self.pool = self.front.pool
        self.pool.wait_for_workers()
        self.own_links = self.count_own_links()
        self.killer = kills.Killer(self.pool.pid, kill_seconds, seed, spare)
        self.people = [
            customers.Browser(self.front, self.book, self.over,
                              random.Random(seed * 1000 + n))
            for n in range(browsers)] + [
            customers.Proxy(self.pool, self.book, self.over,
                            random.Random(seed * 2000 + n))
            for n in range(proxies)]
        for one in self.people:
            one.start()

    def answer(self, request, _link):
        name = request.headers["x-request-id"]
        self.book.posted(name, json.loads(request.body)["sum"])
        wish = name.partition("-")[2]
        if wish == "downstream_timeout":
            self.calm.wait(kit.wait_limit(2))
            return None
        if wish == "downstream_broken":
            return None
        if wish == "downstream_status":
            return Answer(500, b"no")
        time.sleep(min(random.expovariate(200), 0.1))
        return Answer()

    # --- Looking at it. ---

    def nginx_worker(self):
        return procfs.children_of(self.front.process.pid)[0]

    def count_own_links(self):
        """The unix sockets of nginx's worker that lead to its master. Those of
        a worker that has only just started are not its last."""
        name = self.book.begin(ledger.OK, 0)
        reply = self.front.post("/", b'{"items":[]}', {"X-Request-ID": name})
        self.book.answered(name, reply.status, None)
        kit.until("nginx keeps one connection",
                  lambda: self.pool.status()["connections"] == 1)
        return len(self.nginx_links()) - 1

    def nginx_links(self):
        """The unix sockets of nginx's worker: connections to the pool, and some
        to its master."""
        return [one for one in descriptors(self.nginx_worker())
                if one in unix_sockets()]

    def sample(self):
        """What a plot needs of this moment."""
        self.down.take()  # counted already
        spared = sorted(self.killer.spared)
        nginx = self.nginx_worker()
        return {
            "connections": self.pool.status()["connections"],
            "supervisor_fds": len(descriptors(self.pool.pid)),
            "worker_fds": max(len(descriptors(pid)) for pid in spared),
            "nginx_fds": len(descriptors(nginx)),
            "supervisor_rss_kb": rss_kb(self.pool.pid),
            "worker_rss_kb": max(rss_kb(pid) for pid in spared),
            "nginx_rss_kb": rss_kb(nginx)}

    # --- Ending it. ---

    def finish(self, before):
        """Stop everything in order; gives what was counted, and every fault in
        words. `before`: a sample of the start."""
        self.killer.stop()
        self.over.set()
        for one in self.people:
            one.join(kit.wait_limit(70))
        self.calm.set()
        faults = [f"stuck: {one}" for one in self.people if one.is_alive()]
        self.pool.wait_for_workers()
        counts = self.settle(faults)
        after = self.sample()
        if after["supervisor_fds"] != before["supervisor_fds"]:
            faults.append(f"descriptors of the supervisor: {before} {after}")
        if after["worker_fds"] > before["worker_fds"] + self.worker_files:
            faults.append(f"descriptors of a worker: {before} {after}")
        faults += self.book.check()
        if self.book.count(ledger.LOST) > self.killer.serving:
            faults.append(f"{self.book.count(ledger.LOST)} requests lost, "
                          f"{self.killer.serving} workers killed at work")
        self.front.stop()
        kit.until("the downstream's connections are closed",
                  lambda: not self.down.open)
        self.down.close()
        return counts, faults

    def settle(self, faults):
        """Nobody asks any more: what is open is what nginx keeps."""
        counts = {}

        def settled():
            counts.update(
                conn_pool=self.pool.status()["connections"],
                nginx=len(self.nginx_links()) - self.own_links,
                downstream=len(self.down.open))
            return (counts["conn_pool"] == counts["nginx"] <= KEPT
                    and counts["downstream"] <= WORKERS)
        try:
            kit.until("no connection is stuck", settled)
        except tap.Failure as failure:
            faults.append(f"{failure}: {counts}")
        return counts


def descriptors(pid):
    """What each descriptor of a process is; a process that has gone has
    none."""
    found = []
    try:
        for one in os.listdir(f"/proc/{pid}/fd"):
            found.append(os.readlink(f"/proc/{pid}/fd/{one}"))
    except OSError:
        return found
    return found


def unix_sockets():
    """Every unix socket of the machine, named as in /proc/PID/fd."""
    lines = pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
    return {f"socket:[{line.split()[6]}]" for line in lines}


def rss_kb(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines()
                 if line.startswith("VmRSS:")), 0)

#!/usr/bin/env python3
"""The pod of conf/kubernetes/base without a cluster: nginx and tallyd with the
files that it gives them, told to stop as a kubelet does, under load."""

import http.client
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import fronts
import kit
import tap
import web
from clients import Clients
from downstream import Downstream
from pool import SAMPLE

BASE = kit.CONF / "kubernetes/base"


def settings_file():
    """tallyd.conf of the ConfigMap."""
    text = (BASE / "settings.yaml").read_text()
    block = text.partition("  tallyd.conf: |\n")[2]
    path = kit.fresh_path("tallyd.conf")
    path.write_text(re.sub(r"^    ", "", block, flags=re.M))
    return path


class Pod:
    """Both containers. What is elsewhere on this machine comes to tallyd by its
    environment."""

    def __init__(self, down):
        self.port = kit.free_port()
        self.status = kit.fresh_path("status")
        socket = kit.fresh_path("tallyd.sock")
        self.tallyd = kit.Process(
            "tallyd", kit.tallyd("-c", settings_file()),
            env={"TALLYD_POOL_LISTEN": str(socket),
                 "TALLYD_POOL_SOCKET_MODE": "0666",
                 "TALLYD_POOL_SCOREBOARD": str(kit.fresh_path("board")),
                 "TALLYD_POOL_STATUS_LISTEN": str(self.status),
                 "TALLYD_POOL_STOP_DELAY": "5s",
                 "TALLYD_POOL_DRAIN_TIMEOUT": "60s",
                 "TALLYD_ENDPOINT_PROCESS_DOWNSTREAM": down.url})
        self.tallyd.wait_for_log("serving on")
        self.nginx = kit.Process("nginx", self.nginx_command(socket))
        kit.until("nginx serves", self.post_once)

    def nginx_command(self, socket):
        directory = kit.fresh_path("nginx")
        directory.mkdir()
        directory.chmod(0o777)
        for path in BASE.glob("*.conf"):
            (directory / path.name).write_text(
                path.read_text().replace("/tmp/", f"{directory}/")
                .replace("/etc/tallyd-nginx", str(directory))
                .replace("unix:/run/tallyd/tallyd.sock", f"unix:{socket}")
                .replace("listen 8080;", f"listen {kit.HOST}:{self.port};")
                .replace("/dev/stdout", "off"))
        user = f"user {fronts.unprivileged_user()}; " if fronts.ROOT else ""
        return [kit.find_server("nginx"), "-e", "stderr", "-c",
                directory / "nginx.conf", "-g", user + "daemon off;"]

    def post(self):
        connection = http.client.HTTPConnection(kit.HOST, self.port,
                                                timeout=kit.wait_limit(20))
        connection.request("POST", "/process", SAMPLE)
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, body

    def post_once(self):
        try:
            return self.post()[0] == 200
        except OSError:
            return False

    def is_ready(self):
        return web.ask(str(self.status), "/readyz",
                       kit.wait_limit(10)).status == 200


class Posters(Clients):
    """They post until they are told that the pod has left the endpoints."""

    def __init__(self, pod, count):
        self.pod = pod
        super().__init__(count)

    def _client(self, _number):
        while not self.over.is_set():
            try:
                self.note_answer(self.pod.post())
            except (OSError, http.client.HTTPException) as error:
                self.note_lost(error)


@tap.test
def a_pod_that_stops_loses_no_request():
    """SIGTERM to tallyd, the endpoints lose the pod, then SIGQUIT to nginx, as
    its preStop has it: every request is answered"""
    kit.need_server("nginx")
    with Downstream() as down:
        pod = Pod(down)
        tap.equal(pod.post(), (200, b'{"ok":true}'), "the reply")
        clients = Posters(pod, 4)
        clients.wait_for(50)
        pod.tallyd.send(signal.SIGTERM)
        kit.until("/readyz says 503", lambda: not pod.is_ready())
        clients.wait_for(8)
        clients.stop()
        pod.nginx.send(signal.SIGQUIT)
        tap.equal(pod.nginx.wait(), 0, "the exit status of nginx")
        tap.equal(pod.tallyd.wait(), 0, "the exit status of tallyd")
        tap.equal((list(clients.answers), clients.lost),
                  ([(200, b'{"ok":true}')], []), "the answers, and those lost")
        posts = len(down.requests)
        tap.check(posts >= clients.served(), f"{posts} posts")


sys.exit(kit.run())

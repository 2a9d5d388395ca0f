"""The systems that are compared, each doing the same work behind nginx.

A peer is a function (stage, downstream URL or None, front port) that starts
the system and gives nginx's server block for it."""

import shutil
import subprocess

from stage import (FASTCGI_SERVER, HTTP_SERVER, TOP, UWSGI_SERVER,
                   free_port)

TALLYD_CONF = """\
[pool]
listen     = {directory}/{name}.sock
workers    = {workers}
scoreboard = {directory}/{name}.scoreboard
log_level  = warn
sandbox    = {sandbox}

[endpoint main]
max_body   = 128m
downstream = {downstream}
downstream_client = {client}
timeout    = 60s
"""


def fastcgi_block(stage, name, front, keep, script="none"):
    return FASTCGI_SERVER.format(
        name=name, directory=stage.directory, front=front, script=script,
        keep="on" if keep else "off",
        keepalive="keepalive 256; keepalive_requests 100000000;"
        if keep else "")


def start_tallyd(stage, name, downstream, sandbox="auto", client="auto"):
    config = stage.directory / f"{name}.conf"
    config.write_text(TALLYD_CONF.format(
        directory=stage.directory, name=name, workers=stage.workers,
        downstream=downstream or "", sandbox=sandbox, client=client))
    stage.start(name, [stage.build / "src/tallyd", "-c", config])
    stage.wait_for(name, str(stage.directory / f"{name}.sock"))


def tallyd(stage, downstream, front):
    start_tallyd(stage, "tallyd", downstream)
    return fastcgi_block(stage, "tallyd", front, True)


def tallyd_close(stage, downstream, front):
    start_tallyd(stage, "tallyd-close", downstream)
    return fastcgi_block(stage, "tallyd-close", front, False)


def tallyd_bare(stage, downstream, front):
    start_tallyd(stage, "tallyd-bare", downstream, sandbox="off")
    return fastcgi_block(stage, "tallyd-bare", front, True)


def tallyd_libcurl(stage, downstream, front):
    start_tallyd(stage, "tallyd-libcurl", downstream, client="libcurl")
    return fastcgi_block(stage, "tallyd-libcurl", front, True)


def node(stage, downstream, front):
    port = free_port()
    stage.start("node", ["node", TOP / "tests/reference/node/handler.js", port,
                         *([downstream] if downstream else [])])
    stage.wait_for("node", ("127.0.0.1", port))
    return HTTP_SERVER.format(name="node", port=port, front=front)


def hyper(stage, downstream, front):
    port = free_port()
    stage.start("hyper", [build_hyper(stage.build), port,
                          *([downstream] if downstream else [])])
    stage.wait_for("hyper", ("127.0.0.1", port))
    return HTTP_SERVER.format(name="hyper", port=port, front=front)


def build_hyper(build):
    """Give the program; the first time it takes a minute."""
    done = subprocess.run([TOP / "tests/reference/hyper/build", build],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def php(stage, downstream, front):
    socket = stage.directory / "php.sock"
    config = stage.directory / "php-fpm.conf"
    config.write_text(
        f"[global]\nerror_log = {stage.directory}/php-fpm.log\n"
        f"daemonize = no\n[www]\nlisten = {socket}\nlisten.mode = 0666\n"
        f"pm = static\npm.max_children = {stage.workers}\n"
        f"user = root\ngroup = root\nclear_env = no\n"
        "php_admin_value[post_max_size] = 128M\n"
        "php_admin_value[memory_limit] = 1G\n")
    binary = shutil.which("php-fpm8.2", path="/usr/sbin:/usr/bin")
    stage.start("php", [binary, "-F", "-R", "-y", config],
                env={"DOWNSTREAM": downstream or ""})
    stage.wait_for("php", str(socket))
    return fastcgi_block(stage, "php", front, False,
                         TOP / "tests/reference/php/handler.php")


def uwsgi(stage, downstream, front):
    socket = stage.directory / "uwsgi.sock"
    stage.start("uwsgi", ["uwsgi_python3", "--master", "--need-app",
                          "--processes", stage.workers, "--thunder-lock",
                          "--uwsgi-socket", socket, "--chmod-socket=666",
                          "--listen", "1024", "--disable-logging",
                          "--die-on-term", "--wsgi-file",
                          TOP / "tests/reference/uwsgi/handler.py"],
                env={"DOWNSTREAM": downstream or ""})
    stage.wait_for("uwsgi", str(socket))
    return UWSGI_SERVER.format(socket=socket, front=front)


def libfcgi(stage, downstream, front):
    socket = stage.directory / "libfcgi.sock"
    stage.start("libfcgi", ["spawn-fcgi", "-n", "-s", socket, "-b", "1024",
                            "-M", "0666", "--",
                            stage.build / "bench/libfcgi_pool",
                            stage.workers, downstream or ""])
    stage.wait_for("libfcgi", str(socket))
    return fastcgi_block(stage, "libfcgi", front, False)


PEERS = {"tallyd": tallyd, "tallyd-close": tallyd_close,
         "tallyd-bare": tallyd_bare, "tallyd-libcurl": tallyd_libcurl,
         "hyper": hyper,
         "node": node, "php": php, "uwsgi": uwsgi, "libfcgi": libfcgi}


def available(name, build):
    """Why a peer cannot run here, or None."""
    missing = {
        "node": None if shutil.which("node") else "node is not installed",
        "hyper": None if shutil.which("cargo") else "cargo is not installed",
        "php": None if shutil.which("php-fpm8.2", path="/usr/sbin:/usr/bin")
        else "php8.2-fpm is not installed",
        "uwsgi": None if shutil.which("uwsgi_python3")
        else "uwsgi-plugin-python3 is not installed",
        "libfcgi": None if shutil.which("spawn-fcgi")
        and (build / "bench/libfcgi_pool").exists()
        else "spawn-fcgi is not installed",
    }
    return missing.get(name)

"""The systems that are compared, each doing the same work behind nginx.

A peer is a function (stage, downstream URL or None, front port) that starts
the system and gives nginx's server block for it."""

import glob
import os
import shutil
import subprocess

import tools
from stage import (FASTCGI_SERVER, HTTP_SERVER, LUA_SERVER, TOP, UWSGI_SERVER,
                   free_port)

REFERENCE = TOP / "tests/reference"
KEPT = "keepalive 1024; keepalive_requests 100000000;"
LUA_MODULES = ["/usr/lib/nginx/modules/ndk_http_module.so",
               "/usr/lib/nginx/modules/ngx_http_lua_module.so"]
LUA_JSON = "/usr/lib/*/lua/5.1/cjson.so"
GO_PATH = "/usr/share/gocode"

TALLYD_CONF = """\
[pool]
listen     = {directory}/{name}.sock
scoreboard = {directory}/{name}.scoreboard
log_level  = warn
{pool}

[endpoint main]
max_body   = 128m
downstream = {downstream}
timeout    = 60s
{endpoint}
"""


# --- tallyd. ---

def fastcgi_block(stage, name, front, keep, script="none"):
    return FASTCGI_SERVER.format(
        name=name, directory=stage.directory, front=front, script=script,
        keep="on" if keep else "off", keepalive=KEPT if keep else "")


def start_tallyd(stage, name, downstream, pool, endpoint):
    config = stage.directory / f"{name}.conf"
    config.write_text(TALLYD_CONF.format(
        directory=stage.directory, name=name, downstream=downstream or "",
        pool=pool, endpoint=endpoint))
    stage.start(name, [stage.build / "src/tallyd", "-c", config])
    stage.wait_for(name, str(stage.directory / f"{name}.sock"))


def tallyd(name, pool="workers = {workers}", endpoint="", keep=True):
    """The peer with some settings; {workers} is the number asked for."""
    def start(stage, downstream, front):
        start_tallyd(stage, name, downstream,
                     pool.format(workers=stage.workers), endpoint)
        return fastcgi_block(stage, name, front, keep)
    return start


# --- Those that speak HTTP. ---

def http_peer(name, command):
    """`command(stage)` takes PORT and DOWNSTREAM_URL behind it."""
    def start(stage, downstream, front):
        port = free_port()
        stage.start(name, [*command(stage), port,
                           *([downstream] if downstream else [])])
        stage.wait_for(name, ("127.0.0.1", port))
        return HTTP_SERVER.format(name=name, port=port, front=front, kept=KEPT)
    return start


def build_hyper(build):
    """Give the program; the first time it takes a minute."""
    done = subprocess.run([REFERENCE / "hyper/build", build],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def build_h2o(build):
    source = REFERENCE / "h2o/service.cc"
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libh2o-evloop", "simdjson"],
        capture_output=True, text=True, check=True).stdout.split()
    tools.compile_program(build / "bench/h2o", [
        "g++", "-std=c++17", "-O3", "-DH2O_USE_LIBUV=0",
        source, *flags, "-lssl", "-lcrypto", "-lz", "-pthread"], [source])
    return build / "bench/h2o"


def build_fasthttp(build):
    source = REFERENCE / "fasthttp/main.go"
    tools.compile_program(
        build / "bench/fasthttp", ["go", "build"], [source], [source], {
            "GO111MODULE": "off", "GOPATH": GO_PATH, "GOFLAGS": "",
            "GOCACHE": str((build / "bench/go-cache").resolve())})
    return build / "bench/fasthttp"


# --- The others. ---

def nginx_lua(stage, downstream, front):
    """It is the nginx that all peers stand behind."""
    stage.nginx_modules += LUA_MODULES
    authority = (downstream or "http://127.0.0.1:1/").split("/")[2]
    return LUA_SERVER.format(front=front, authority=authority, kept=KEPT,
                             downstream=downstream or "",
                             handler=REFERENCE / "nginx-lua/handler.lua")


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
                         REFERENCE / "php/handler.php")


def uwsgi(stage, downstream, front):
    socket = stage.directory / "uwsgi.sock"
    stage.start("uwsgi", ["uwsgi_python3", "--master", "--need-app",
                          "--processes", stage.workers, "--thunder-lock",
                          "--uwsgi-socket", socket, "--chmod-socket=666",
                          "--listen", "1024", "--disable-logging",
                          "--die-on-term", "--wsgi-file",
                          REFERENCE / "uwsgi/handler.py"],
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


PEERS = {
    "tallyd": tallyd("tallyd"),
    "tallyd-close": tallyd("tallyd-close", keep=False),
    "tallyd-default": tallyd("tallyd-default", pool=""),
    "tallyd-bare": tallyd("tallyd-bare",
                          pool="workers = {workers}\nsandbox = off"),
    # It looks for requests that wait, 20 times a second while one is busy.
    "tallyd-queue": tallyd("tallyd-queue", pool="workers = {workers}\n"
                           "queue_timeout = 200ms"),
    "tallyd-libcurl": tallyd("tallyd-libcurl",
                             endpoint="downstream_client = libcurl"),
    "hyper": http_peer("hyper", lambda stage: [build_hyper(stage.build)]),
    "h2o": http_peer("h2o", lambda stage: [build_h2o(stage.build)]),
    "fasthttp": http_peer("fasthttp",
                          lambda stage: [build_fasthttp(stage.build)]),
    "nginx-lua": nginx_lua,
    "node-cluster": http_peer(
        "node-cluster", lambda _stage: ["node", REFERENCE / "node/cluster.js"]),
    "node": http_peer(
        "node", lambda _stage: ["node", REFERENCE / "node/handler.js"]),
    "php": php, "uwsgi": uwsgi, "libfcgi": libfcgi}

BUILDS = {"hyper": build_hyper, "h2o": build_h2o, "fasthttp": build_fasthttp}


def has_go():
    return shutil.which("go") and all(
        os.path.isdir(f"{GO_PATH}/src/github.com/valyala/{name}")
        for name in ("fasthttp", "fastjson"))


def has_lua():
    return glob.glob(LUA_JSON) and all(map(os.path.exists, LUA_MODULES))


def has_library(*names):
    return subprocess.run(["pkg-config", "--exists", *names],
                          check=False).returncode == 0


def missing(name):
    """What of Debian a peer lacks here, or None."""
    needs = {
        "node": ("nodejs", lambda: shutil.which("node")),
        "node-cluster": ("nodejs", lambda: shutil.which("node")),
        "hyper": ("cargo, librust-hyper-dev", lambda: shutil.which("cargo")),
        "h2o": ("g++, libh2o-evloop-dev, libsimdjson-dev, libssl-dev",
                lambda: shutil.which("g++")
                and has_library("libh2o-evloop", "simdjson", "libssl")),
        "fasthttp": ("golang-go, golang-github-valyala-fasthttp-dev, "
                     "golang-github-valyala-fastjson-dev", has_go),
        "nginx-lua": ("libnginx-mod-http-lua, lua-cjson", has_lua),
        "php": ("php8.2-fpm", lambda: shutil.which(
            "php-fpm8.2", path="/usr/sbin:/usr/bin")),
        "uwsgi": ("uwsgi-plugin-python3",
                  lambda: shutil.which("uwsgi_python3")),
        "libfcgi": ("spawn-fcgi", lambda: shutil.which("spawn-fcgi")),
    }
    package, there = needs.get(name, (None, lambda: True))
    return None if there() else package


def prepared(names, build):
    """Those that can run here, built; says why the others cannot."""
    found = []
    for name in names:
        lacks = missing(name)
        if lacks:
            print(f"bench: without {name}: needs {lacks}", flush=True)
            continue
        if name in BUILDS:
            BUILDS[name](build)
        found.append(name)
    return found

#!/usr/bin/env python3
"""tallyctl doctor: everything is well, and then each thing that is not, told in
one line with the cure."""

import datetime
import os
import pathlib
import pwd
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from pool import Pool, run_tallyctl

# The workers' user; who runs the test as somebody else stands for it.
WEB = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
POOL = {"user": "daemon"} if os.geteuid() == 0 else {}

NGINX = """
events {{ }}
http {{
    # a brace in a comment: }}
    log_format x '"{{" ; }}';
    {http}
    upstream tallyd {{
        server unix:{socket};
        {upstream}
    }}
    server {{
        listen 8000;
        location ~ "^/a{{2}}$" {{ fastcgi_pass unix:/run/php.sock; }}
        location / {{
            include {params};
            {location}
            fastcgi_pass {target};
        }}
    }}
}}
"""


def doctor(pool, *more, wanted=0, user=WEB):
    """The lines that it prints: [(ok or wrong, about what, what)]."""
    status, out, errors = run_tallyctl("-c", pool.config, "doctor", "--user",
                                       user, *more)
    tap.equal(errors, "", "standard error")
    lines = [line.split(None, 2) for line in out.splitlines()]
    tap.check({line[0] for line in lines} <= {"ok", "wrong"}, out)
    tap.equal(status, wanted, f"the exit status: {out}")
    tap.equal("wrong" in {line[0] for line in lines}, bool(wanted), out)
    return lines


def finds(pool, about, *parts, more=(), user=WEB):
    """One thing is wrong, and the line has all of `parts`."""
    wrong = [line for line in doctor(pool, *more, wanted=1, user=user)
             if line[0] == "wrong"]
    tap.equal([line[1] for line in wrong], [about], f"what is wrong: {wrong}")
    for part in parts:
        tap.contains(wrong[0][2], part, "the line")


def settings(pool, change, *changes):
    """A copy of the pool's settings, with lines changed."""
    path = kit.fresh_path("tallyd.conf")
    text = pool.config.read_text()
    for was, now in (change, *changes):
        tap.contains(text, was, "the settings")
        text = text.replace(was, now)
    path.write_text(text)
    return path


class Other:
    """The same pool with other settings, as an administrator changes them."""

    def __init__(self, pool, *changes):
        self.config = settings(pool, *changes)


@tap.test
def all_is_well():
    """a pool with a downstream: all lines are ok"""
    with Downstream() as down, Pool({"main": {"downstream": down.url}},
                                    max_connections=100, **POOL) as pool:
        lines = doctor(pool)
        for about in "settings", "pool", "socket", "user", "files", "backlog", \
                "sandbox", "downstream":
            tap.check(["ok", about] in [line[:2] for line in lines],
                      f"{about}: {lines}")
        tap.equal(down.take(), [], "what was posted")


@tap.test
def settings_that_are_wrong():
    pool = Pool(start=False, workers="many")
    finds(pool, "settings", f"{pool.config}:", "[pool] workers = many: must be")


@tap.test
def a_pool_that_does_not_run():
    """with what would stop its start"""
    pool = Pool(start=False, max_connections=100, pid_file="/no/such/pid",
                **POOL)
    lines = [line for line in doctor(pool, wanted=1) if line[0] == "wrong"]
    tap.equal([line[1] for line in lines], ["pool", "start", "socket"], lines)
    tap.contains(lines[1][2], "[pool] pid_file = /no/such/pid: No such", "why")
    tap.contains(lines[2][2], "No such file or directory; start the pool", "why")


@tap.test
def a_socket_that_the_web_server_cannot_use():
    """its mode, and a directory on the way"""
    if os.geteuid() != 0:
        raise tap.Skip("needs root: another user than who made the socket")
    with Pool(socket_mode="0660", max_connections=100, **POOL) as pool:
        finds(pool, "socket", f"user {WEB} cannot write to {pool.socket}: "
              f"{pool.socket}: Permission denied", "set socket_group")
    closed = kit.fresh_path("closed")
    closed.mkdir()
    with Pool(listen=closed / "s", max_connections=100, **POOL) as pool:
        closed.chmod(0o700)
        finds(pool, "socket", f"{closed}: Permission denied", "chmod o+x")
    with Pool(max_connections=100, **POOL) as pool:
        finds(pool, "socket", "there is no user no-such-user", "--user",
              user="no-such-user")


@tap.test
def an_address_where_nobody_listens():
    with Pool(max_connections=100, **POOL) as pool:
        finds(Other(pool, (f"listen = {pool.socket}",
                           f"listen = {kit.HOST}:{kit.free_port()}")),
              "socket", "Connection refused; start tallyd")


@tap.test
def limits_that_are_too_low():
    """of open files, and of the kernel's queue"""
    with Pool(max_connections=100, prefix=("prlimit", "--nofile=300:300"),
              **POOL) as pool:
        finds(pool, "files", "300 may be open, max_connections = 100 needs",
              "LimitNOFILE=")
    most = int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text())
    if most < 65535:
        with Pool(max_connections=100, backlog=most + 1, **POOL) as pool:
            finds(pool, "backlog", f"backlog = {most + 1} is cut to {most}",
                  f"sysctl net.core.somaxconn={most + 1}")


@tap.test
def a_pool_that_is_root():
    if os.geteuid() != 0:
        raise tap.Skip("needs root")
    with Pool(max_connections=100) as pool:
        finds(pool, "user", "runs as root", "set user")


@tap.test
def a_downstream_that_is_gone():
    """nobody listens; a name that nobody knows"""
    for url, part in (
            (f"http://{kit.HOST}:{kit.free_port()}/x", "connect"),
            ("http://no-such-host.invalid/x", "no-such-host.invalid")):
        with Pool({"main": {"downstream": url, "connect_timeout": "5s"}},
                  max_connections=100, **POOL) as pool:
            finds(pool, "downstream", f"[endpoint main]: {url}: ", part)


def make_certificate(days):
    """A certificate that is valid until so many days from now, and its key."""
    path = kit.fresh_path("pem")
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        days=days)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
         "/CN=x", "-keyout", f"{path}.key", "-out", f"{path}.csr"],
        check=True, capture_output=True)
    subprocess.run(
        ["openssl", "x509", "-in", f"{path}.csr", "-signkey", f"{path}.key",
         "-days", str(days), "-out", path], check=True, capture_output=True)
    pathlib.Path(f"{path}.key").chmod(0o644)
    return path, until.strftime("%Y-%m-%d")


@tap.test
def certificates_that_end():
    """one that is good, one that ends soon, one of a bundle, no certificate"""
    with Downstream() as down:
        good, until = make_certificate(100)
        soon, day = make_certificate(5)
        bundle = kit.fresh_path("bundle")
        bundle.write_text(soon.read_text() + good.read_text())
        other = kit.fresh_path("other")
        other.write_text("letters to mother")
        keys = {"downstream": down.url, "downstream_cert": good,
                "downstream_key": f"{good}.key"}
        for more, part in (({}, f"downstream_cert = {good}: until {until}"),
                           ({"downstream_ca": bundle},
                            f"downstream_ca = {bundle}: until {until}")):
            with Pool({"main": {**keys, **more}}, max_connections=100,
                      **POOL) as pool:
                tap.check(["ok", "tls", part] in doctor(pool), part)
        for more, part in (
                ({"downstream_cert": soon, "downstream_key": f"{soon}.key"},
                 f"downstream_cert = {soon}: expires on {day}; renew it"),
                ({"downstream_ca": other}, "no certificate (PEM) in it")):
            with Pool({"main": {**keys, **more}}, max_connections=100,
                      **POOL) as pool:
                finds(pool, "tls", part)


def nginx_file(pool, http="", upstream="keepalive 32;",
               location="fastcgi_keep_conn on;", target="tallyd",
               params="fastcgi_param QUEUED_AT $msec; "
                      "fastcgi_param REQUEST_METHOD ${request_method};"):
    folder = kit.fresh_path("nginx")
    folder.mkdir()
    (folder / "params").write_text(params)
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(
        socket=pool.socket, http=http, upstream=upstream, location=location,
        target=target, params="params"))
    return path


@tap.test
def settings_of_nginx():
    """the pool's address, bodies, kept connections, waits"""
    with Pool({"main": {"max_body": "4m"}}, max_connections=100,
              **POOL) as pool:
        large = "client_max_body_size 5m;"
        for keys in ({"http": large}, {"http": large + "a \0 b;"},
                     {"location": large + "fastcgi_keep_conn on;"},
                     {"http": large, "upstream": "keepalive 4294967296;"},
                     {"http": "client_max_body_size 0; fastcgi_keep_conn on;",
                      "location": ""},
                     {"http": large, "target": f"unix:{pool.socket}",
                      "location": ""}):
            lines = doctor(pool, "--nginx", nginx_file(pool, **keys))
            tap.equal(len([line for line in lines if line[1] == "nginx"]), 3,
                      f"lines: {lines}")
        for keys, parts in (
                ({}, ("location /: client_max_body_size is 1048576 bytes",
                      "set client_max_body_size 5m")),
                ({"http": "client_max_body_size 4000k;"}, ("is 4096000 ",)),
                ({"http": large, "location": ""}, ("fastcgi_keep_conn on",)),
                ({"http": large, "upstream": ""}, ("keepalive 32",)),
                ({"http": large + "fastcgi_param QUEUED_AT $msec;",
                  "params": "fastcgi_param X y;"},
                 ("add fastcgi_param QUEUED_AT $msec",)),
                ({"http": large, "target": "127.0.0.1:9"},
                 (f"leads to listen = {pool.socket}, but one to 127.0.0.1:9",)),
                ({"http": "include nginx.conf;" * 9},
                 ("includes without end",)),
                ({"http": "}"}, ("nginx.conf:", "} without {"))):
            finds(pool, "nginx", *parts,
                  more=("--nginx", nginx_file(pool, **keys)))
        finds(pool, "nginx", "/no/such/file:0: No such file",
              more=("--nginx", "/no/such/file"))


@tap.test
def the_settings_of_the_tree():
    """conf/nginx/tallyd.conf as it is installed fits the defaults"""
    with Pool(max_connections=100, **POOL) as pool:
        folder = kit.fresh_path("nginx")
        folder.mkdir()
        path = folder / "site.conf"
        path.write_text(f"""server {{ location = /process {{
            include {kit.CONF}/nginx/tallyd.conf;
            fastcgi_pass unix:{pool.socket};
        }} }}""")
        doctor(pool, "--nginx", path)


@tap.test
def it_leaves_the_pool_alone():
    with Downstream() as down, socket.create_server((kit.HOST, 0)) as tcp, \
            Pool({"main": {"downstream": down.url}}, max_connections=100,
                 listen=f"{kit.HOST}:{kit.free_port()}", **POOL) as pool:
        tcp.listen()
        doctor(pool)
        tap.equal(pool.warnings(), [], "warnings of the pool")
        tap.equal(pool.post(b'{"items":[{"value":1}]}').status, 200, "a request")


sys.exit(kit.run())

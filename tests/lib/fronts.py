"""The web servers, each running its file of conf/ as it is shipped.

What surrounds that file here (a port, a log, a user) is what a distribution's
own configuration does elsewhere."""

import contextlib
import http.client
import json
import os
import pwd
import shlex
import shutil
import socket
import subprocess

import kit
import tap
from pool import POOL_DEFAULTS, Pool, write_settings

ROOT = os.geteuid() == 0


def unprivileged_user():
    """Who web servers started by root run as, as on a Debian system."""
    for name in ("www-data", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise tap.Skip("neither www-data nor nobody exists")


class SeveralLines(dict):
    """Headers; one whose value is a list has a line for each of it."""

    def items(self):
        for name, value in super().items():
            for one in value if isinstance(value, list) else [value]:
                yield name, one


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value
                        for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise tap.Failure(f"status {self.status}, the body is not JSON: "
                              f"{tap.shorten(self.body)}") from None


class Front:
    """A web server before a pool with these endpoints. `program` is None where
    it is not installed."""

    name = program = None
    keeps = False  # connections to the pool stay open
    chunked_limit = None  # why it refuses large chunked bodies by itself

    def __init__(self, endpoints, **settings):
        reason = self.missing()
        if reason:
            raise tap.Skip(reason)
        self.port = kit.free_port()
        self.directory = kit.fresh_path(self.name)
        self.directory.mkdir()
        self.log_path = self.directory / "error.log"
        self.log_path.touch()
        self.log_path.chmod(0o666)  # some open it after they gave up root
        self.start_pool(endpoints, settings)
        self.process = kit.Process(self.name, self.command(), env=self.env(),
                                   log_path=self.log_path)
        kit.until(f"{self.name} listens on port {self.port}", self._listens)

    # --- What differs between them. ---

    @classmethod
    def missing(cls):
        """Why it cannot run here, or None."""
        cls.program = kit.find_server(cls.name)
        return None if cls.program else f"{cls.name} is not installed"

    def start_pool(self, endpoints, settings):
        self.pool = Pool(endpoints, **settings)

    def command(self):
        raise NotImplementedError

    def env(self):
        return None

    def tallyd_log(self):
        return self.pool.log()

    # --- What does not. ---

    def _listens(self):
        status = self.process.status()
        if status is not None:
            raise tap.Failure(f"{self.name} ended with {status}")
        with socket.socket() as probe:
            return probe.connect_ex((kit.HOST, self.port)) == 0

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def open_directory(self, name):
        """One that the server's user may write to."""
        path = self.directory / name
        path.mkdir()
        path.chmod(0o777)
        return path

    def connect(self, limit=20):
        return http.client.HTTPConnection(kit.HOST, self.port,
                                          timeout=kit.wait_limit(limit))

    def request(self, method, path, body=None, headers=None, chunked=False):
        """One request over a connection of its own. `chunked`: `body` is a
        list of chunks, and no Content-Length is sent. A header whose value is
        a list is sent once for each."""
        link = self.connect()
        headers = {"Content-Type": "application/json", **(headers or {})}
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        try:
            # A server may answer before it has taken the whole body.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                link.request(method, path, body, SeveralLines(headers),
                             encode_chunked=chunked)
            return Reply(link.getresponse())
        finally:
            link.close()

    def post(self, path, body, headers=None, **more):
        return self.request("POST", path, body, headers, **more)

    def share(self):
        """Let it and its pool serve all tests of the file."""
        kit.share(self.process)
        if self.pool:
            kit.share(self.pool.process)
        return self

    def stop(self):
        status = self.process.stop()
        if self.pool:
            self.pool.stop()
        return status


class CurlReply:
    """What `curl --include` printed."""

    def __init__(self, printed):
        head, _, self.body = printed.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.version, self.status = first.split()[0], int(first.split()[1])
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.lower(): value.strip()
                        for name, _, value in pairs}

    json = Reply.json


class OverHttp2:
    """Mixed into a front: the requests come over HTTP/2, without TLS. A body
    that HTTP/1.1 sends chunked has no Content-Length then."""

    @classmethod
    def missing(cls):
        if not shutil.which("curl"):
            return "curl is not installed"
        return super().missing()

    def request(self, method, path, body=None, headers=None, chunked=False):
        headers = {"Content-Type": "application/json", "Expect": None,
                   **(headers or {})}
        command = ["curl", "--silent", "--show-error", "--include",
                   "--path-as-is", "--http2-prior-knowledge",
                   "--max-time", str(kit.wait_limit(20))]
        for name, value in SeveralLines(headers).items():
            command += ["--header", f"{name}:" if value is None
                        else f"{name}: {value}"]
        command += ["--head"] if method == "HEAD" else ["--request", method]
        if chunked:
            body = b"".join(body)
            command += ["--upload-file", "-"]
        elif body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run(
            [*command, f"http://{kit.HOST}:{self.port}{path}"],
            input=body or b"", capture_output=True, check=False)
        if done.returncode != 0:
            raise tap.Failure(f"curl ended with {done.returncode}: "
                              f"{done.stderr.decode()}")
        reply = CurlReply(done.stdout)
        tap.equal(reply.version, "HTTP/2", "the version of HTTP")
        return reply


def nginx_command(program, directory, log_path, http, level="info", processes=1,
                  connections=256):
    """What runs an nginx that has this in its block http, and keeps all its
    files in the directory."""
    user = f"user {unprivileged_user()};" if ROOT else ""
    places = "".join(
        f"    {name}_temp_path {directory}/{name};\n" for name in
        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = directory / "nginx.conf"
    path.write_text(f"""{user}
daemon off;
worker_processes {processes};
pid {directory}/nginx.pid;
error_log {log_path} {level};
events {{ worker_connections {connections}; }}
http {{
{places}{http}}}
""")
    return [program, "-p", directory, "-e", log_path, "-c", path]


class Nginx(Front):
    name = "nginx"
    to_pool = "fastcgi_pass tallyd;"
    upstream = ""

    def command(self):
        return nginx_command(self.program, self.directory, self.log_path, f"""
    access_log off;
    server {{
        listen {kit.HOST}:{self.port};
        location / {{
            include {kit.CONF}/nginx/tallyd.conf;
            {self.to_pool}
        }}
    }}
    upstream tallyd {{
        server unix:{self.pool.socket};
        {self.upstream}
    }}
""")


class NginxKeepalive(Nginx):
    """With connections kept open, as the head of its file says."""

    keeps = True
    to_pool = "fastcgi_pass tallyd; fastcgi_keep_conn on;"
    upstream = "keepalive 8;"


class Apache(Front):
    name = "apache2"
    modules = ()
    file = None

    @classmethod
    def missing(cls):
        cls.program = kit.find_server("apache2") or kit.find_server("httpd")
        if cls.program is None:
            return "Apache is not installed"
        absent = [name for name in cls.modules if cls.module(name) is None]
        return f"Apache has no {' and no '.join(absent)}" if absent else None

    @staticmethod
    def module(name):
        for place in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules",
                      "/usr/libexec/apache2"):
            if os.path.exists(f"{place}/mod_{name}.so"):
                return f"{place}/mod_{name}.so"
        return None

    def surroundings(self):
        user = unprivileged_user() if ROOT else None
        lines = [f"ServerRoot {self.directory}",
                 f"DefaultRuntimeDir {self.directory}",
                 "PidFile apache2.pid", f"ErrorLog {self.log_path}",
                 "ServerName localhost", f"Listen {kit.HOST}:{self.port}",
                 f"DocumentRoot {self.open_directory('empty')}",
                 "LogLevel info", "GracefulShutdownTimeout 1"]
        if user:
            group = pwd.getpwnam(user).pw_gid
            lines += [f"User {user}", f"Group #{group}"]
        lines += [f"LoadModule {name}_module {self.module(name)}"
                  for name in ("mpm_event", "authz_core", *self.modules)
                  if self.module(name)]
        return "\n".join(lines) + "\n"

    def defines(self):
        raise NotImplementedError

    def command(self):
        path = self.write("apache2.conf", self.surroundings()
                          + f"Include {kit.CONF}/apache/{self.file}\n")
        definitions = [word for name, value in self.defines().items()
                       for word in ("-C", f'Define {name} "{value}"')]
        return [self.program, "-D", "FOREGROUND", *definitions, "-f", path]


class ApacheProxy(Apache):
    keeps = True
    modules = ("env", "proxy", "proxy_fcgi")
    file = "tallyd-proxy.conf"

    def surroundings(self):
        # A child of Apache whose threads are all busy closes its clients' kept
        # connections (mpm_event), so that they find another child.
        return super().surroundings() + (
            "StartServers 1\nServerLimit 1\nThreadLimit 128\n"
            "ThreadsPerChild 128\nMaxRequestWorkers 128\n")

    def defines(self):
        return {"TALLYD_SOCKET": self.pool.socket}


class ApacheFcgid(Apache):
    """Starts the workers itself, so there is no pool."""

    modules = ("fcgid",)
    file = "tallyd-fcgid.conf"
    pool = None

    def start_pool(self, endpoints, settings):
        self.config = self.directory / "tallyd.conf"
        keep = ("log_level", "socket_mode")
        write_settings(self.config, {
            **{key: POOL_DEFAULTS[key] for key in keep}, **settings},
            endpoints)

    def surroundings(self):
        return super().surroundings() + (
            f"FcgidIPCDir {self.open_directory('fcgid')}\n"
            f"FcgidProcessTableFile {self.directory}/fcgid-table\n")

    def defines(self):
        # Apache's user may be kept out of the place where tallyd was built.
        program = self.directory / "tallyd"
        shutil.copy(kit.tallyd()[-1], program)
        wrapper = list(kit.WRAPPER)
        if wrapper:
            wrapper[0] = shutil.which(wrapper[0])
        return {"TALLYD": shlex.join([*wrapper, str(program)]),
                "TALLYD_CONF": self.config}

    def tallyd_log(self):
        return self.process.log()


class Lighttpd(Front):
    name = "lighttpd"

    def command(self):
        user = (f'server.username = "{unprivileged_user()}"\n' if ROOT else "")
        path = self.write("lighttpd.conf", f"""{user}
server.bind = "{kit.HOST}"
server.port = {self.port}
server.document-root = "{self.open_directory('empty')}"
server.upload-dirs = ( "{self.open_directory('uploads')}" )
server.errorlog = "{self.log_path}"
var.tallyd_path = "/"
var.tallyd_socket = "{self.pool.socket}"
include "{kit.CONF}/lighttpd/tallyd.conf"
""")
        return [self.program, "-D", "-f", path]


class Haproxy(Front):
    name = "haproxy"
    keeps = True
    chunked_limit = "HAProxy takes chunked bodies of up to one buffer"
    protocol = ""

    def env(self):
        ping = self.pool.settings.get("ping_path")
        return {"TALLYD_SOCKET": str(self.pool.socket),
                **({"TALLYD_PING_PATH": ping} if ping else {})}

    def command(self):
        path = self.write("haproxy.cfg", f"""
global
    log stderr format raw local0
defaults
    mode http
    log global
    option httplog
    option log-health-checks
    timeout client 30s
    timeout http-request 30s
frontend front
    bind {kit.HOST}:{self.port} {self.protocol}
    use_backend tallyd
""")
        return [self.program, "-db", "-f", path, "-f",
                kit.CONF / "haproxy/tallyd.cfg"]


class HaproxyHttp2(OverHttp2, Haproxy):
    protocol = "proto h2"


class Caddy(Front):
    name = "caddy"

    def env(self):
        return {"HOME": str(self.directory),
                "TALLYD_SOCKET": str(self.pool.socket)}

    def command(self):
        path = self.write("Caddyfile", f"""{{
    admin off
    auto_https off
    servers {{
        protocols h1 h2c
    }}
}}
import {kit.CONF}/caddy/tallyd.caddy
http://{kit.HOST}:{self.port} {{
    import tallyd /*
}}
""")
        return [self.program, "run", "--adapter", "caddyfile", "--config",
                path]


class CaddyHttp2(OverHttp2, Caddy):
    pass

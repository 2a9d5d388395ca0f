"""What runs during a benchmark: one nginx, a downstream, and the peers."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60

NGINX = """\
daemon off;
{modules}
worker_processes 1;
pid {directory}/nginx-{name}.pid;
error_log {directory}/nginx-{name}.log;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_buffer_size 32m;
    client_max_body_size 128m;
    client_body_temp_path {directory}/body-{name};
    proxy_temp_path       {directory}/proxy-{name};
    fastcgi_temp_path     {directory}/fastcgi-{name};
    uwsgi_temp_path       {directory}/uwsgi-{name};
    scgi_temp_path        {directory}/scgi-{name};
{servers}
}}
"""

HTTP_SERVER = """\
    upstream {name} {{
        server 127.0.0.1:{port};
        {kept}
    }}
    server {{
        listen 127.0.0.1:{front} backlog=4096;
        location / {{
            proxy_pass http://{name};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
"""

FASTCGI_SERVER = """\
    upstream {name} {{
        server unix:{directory}/{name}.sock;
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{front} backlog=4096;
        location / {{
            fastcgi_pass {name};
            fastcgi_keep_conn {keep};
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param SCRIPT_NAME    $fastcgi_script_name;
            fastcgi_param SCRIPT_FILENAME {script};
            fastcgi_param CONTENT_TYPE   $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
        }}
    }}
"""

LUA_SERVER = """\
    upstream lua-downstream {{
        server {authority};
        {kept}
    }}
    server {{
        listen 127.0.0.1:{front} backlog=4096;
        set $downstream "{downstream}";
        location / {{ content_by_lua_file {handler}; }}
        location = /post {{
            internal;
            proxy_pass http://lua-downstream/process;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
"""

UWSGI_SERVER = """\
    server {{
        listen 127.0.0.1:{front} backlog=4096;
        location / {{
            uwsgi_pass  unix:{socket};
            uwsgi_param REQUEST_METHOD $request_method;
            uwsgi_param PATH_INFO      $document_uri;
            uwsgi_param CONTENT_TYPE   $content_type;
            uwsgi_param CONTENT_LENGTH $content_length;
        }}
    }}
"""


_given = set()


def free_port():
    """One that has not been given before: what is not yet listened on is free
    to the kernel."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


class Stage:
    """Started programs, by name; all are ended at the end."""

    def __init__(self, build, directory, workers):
        self.build = build
        self.directory = directory
        self.workers = workers
        self.nginx_modules = []  # of the next one that is started
        self.running = {}

    def start(self, name, command, env=None):
        log = (self.directory / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, **(env or {})})
        log.close()
        return self.running[name].pid

    def wait_for(self, name, address):
        """Until something accepts at a port or a path."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.running[name].poll() is not None:
                break
            kind = socket.AF_INET if isinstance(address, tuple) \
                else socket.AF_UNIX
            with socket.socket(kind) as one:
                if one.connect_ex(address) == 0:
                    return
            time.sleep(0.02)
        log = (self.directory / f"{name}.log").read_text("utf-8", "replace")
        raise SystemExit(f"bench: {name} does not answer:\n{log[-2000:]}")

    def start_nginx(self, name, servers, ports):
        config = self.directory / f"nginx-{name}.conf"
        modules = "\n".join(f"load_module {path};"
                            for path in self.nginx_modules)
        self.nginx_modules = []
        config.write_text(NGINX.format(
            directory=self.directory, name=name, modules=modules,
            servers="\n".join(servers)))
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        self.start(f"nginx-{name}", ["nginx", "-p", self.directory, "-c",
                                     config, "-e", self.directory /
                                     f"nginx-{name}.log", *user])
        for port in ports:
            self.wait_for(f"nginx-{name}", ("127.0.0.1", port))

    @staticmethod
    def downstream_url(port):
        return f"http://127.0.0.1:{port}/process"

    def start_downstream(self, kind, port=None):
        """None, "fast" (nginx, 204), or milliseconds of delay; its URL."""
        if kind == "none":
            return None
        port = port or free_port()
        if kind == "fast":
            self.start_nginx("downstream", [
                "    server {\n"
                f"        listen 127.0.0.1:{port} backlog=4096;\n"
                "        location / { return 204; }\n    }\n"], [port])
            self.running["downstream"] = self.running.pop("nginx-downstream")
        else:
            self.start("downstream", [self.build / "bench/delay_downstream",
                                      port, kind])
            self.wait_for("downstream", ("127.0.0.1", port))
        return self.downstream_url(port)

    def pid(self, name):
        process = self.running.get(name)
        return None if process is None else process.pid

    def close(self):
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # What it has forked and left, such as the libfcgi pool.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.running.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.close()

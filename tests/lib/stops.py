"""Two pools behind one web server, which are stopped and started in turn while
clients send requests."""

import os
import signal

import fronts
import kit
import tap
from crowd import Crowd
from pool import Pool, run_tallyctl

# How many stops each test makes; 100 for a proof.
STOPS = int(os.environ.pop("TALLYD_STOPS", "3"))


def endpoint_settings(tcp):
    return {"listen": f"{kit.HOST}:{kit.free_port()}"} if tcp else {}


class Pair:
    """Mixed into a Front: `self.pools` instead of one pool. `tcp`: where they
    listen."""

    tcp = False

    def start_pool(self, endpoints, settings):
        self.pools = [Pool(endpoints, **settings, **endpoint_settings(self.tcp),
                           **self.more_settings()) for _ in range(2)]
        self.pool = None

    def more_settings(self):
        return {}

    def stop(self):
        super().stop()
        for pool in self.pools:
            pool.stop()


def nginx_address(pool):
    if isinstance(pool.address, tuple):
        return "{}:{}".format(*pool.address)
    return f"unix:{pool.socket}"


class Nginx(Pair, fronts.Nginx):
    """Goes to the next pool when one cannot be reached, and never leaves one
    out for that."""

    keep = False

    def command(self):
        shipped = (kit.CONF / "nginx/tallyd.conf").read_text("utf-8")
        location = self.write("tallyd.conf", shipped.replace(
            "fastcgi_next_upstream off", "fastcgi_next_upstream error").replace(
            "fastcgi_connect_timeout 2s", "fastcgi_connect_timeout 60s"))
        servers = "".join(f"        server {nginx_address(pool)} max_fails=0;\n"
                          for pool in self.pools)
        return fronts.nginx_command(
            self.program, self.directory, self.log_path, f"""
    access_log off;
    server {{
        listen {kit.HOST}:{self.port};
        location / {{
            include {location};
            {"fastcgi_keep_conn on;" if self.keep else ""}
            fastcgi_pass pools;
        }}
    }}
    upstream pools {{
{servers}
        {"keepalive 64;" if self.keep else ""}
    }}
""", connections=1024)


CHECK = 0.1  # seconds between two checks of HAProxy


class Haproxy(Pair, fronts.Haproxy):
    """Checks /readyz of each pool. `keep`: connections to the pools stay open,
    and `stop_delay` is longer than the check. Else HAProxy goes to the other
    pool when one cannot be reached."""

    keep = False

    def env(self):
        return None

    def more_settings(self):
        # Until then HAProxy has to notice, which may stand still for a while.
        delay = {"stop_delay": f"{int(kit.seconds(3000))}ms"}
        return {"status_listen": f"{kit.HOST}:{kit.free_port()}",
                **(delay if self.keep else {})}

    def command(self):
        shipped = (kit.CONF / "haproxy/tallyd.cfg").read_text("utf-8")
        text, found, _rest = shipped.partition("    server pool ")
        tap.check(found, "conf/haproxy/tallyd.cfg has no such server any more")
        if not self.keep:
            text = text.replace("option keep-conn", "no option keep-conn")
            text = text.replace("retries 0\n    no option redispatch",
                                "retries 3\n    option redispatch 1")
            text = text.replace("timeout connect 2s", "timeout connect 60s")
        for number, pool in enumerate(self.pools):
            place = (f"{pool.address[0]}:{pool.address[1]}" if self.tcp
                     else f"unix@{pool.socket}")
            text += (f"    server pool{number} {place} proto fcgi "
                     f"check check-proto h1 addr {pool.pages[0]} "
                     f"port {pool.pages[1]} inter {int(CHECK * 1000)}ms "
                     "fall 1 rise 1\n")
        # A machine that is busy is no failed check.
        text = text.replace("    mode http\n", "    mode http\n"
                            "    option httpchk GET /readyz\n"
                            "    timeout check 60s\n", 1)
        path = self.write("haproxy.cfg", f"""
global
    log stderr format raw local0
defaults
    mode http
    log global
    option httplog
    timeout client 60s
    timeout http-request 60s
frontend front
    bind {kit.HOST}:{self.port}
    use_backend tallyd
""" + text)
        return [self.program, "-db", "-f", path]


def wait_until_used(pool, clients):
    """Until it has answered a request of each client, more or less."""
    def look():
        status, out, _errors = run_tallyctl("-c", pool.config, "status",
                                            "--json")
        return status == 0 and pool.count("ok") >= clients
    kit.until("the pool gets requests", look, 30)


def stop_in_turn(front, clients, stops):
    """What the crowd got: (answers, broken)."""
    for pool in front.pools:
        pool.wait_for_workers()
    crowd = Crowd(front, clients)
    for turn in range(stops):
        pool = front.pools[turn % 2]
        for one in front.pools:
            wait_until_used(one, clients)
        pool.stop(signal.SIGTERM, limit=60)
        pool.start()
        pool.wait_for_workers()
    answers = crowd.stop()
    return answers, crowd.lost


def no_request_fails(front_class, clients, stops, **settings):
    front = front_class({"sum": {}}, workers=4, log_level="info", **settings)
    answers, broken = stop_in_turn(front, clients, stops)
    front.stop()
    tap.note(f"{stops} stops, {clients} clients: {dict(answers)}, "
             f"{len(broken)} broken")
    tap.equal(list(answers), [(200, b'{"sum":42}')], "the answers")
    tap.equal(broken, [], "broken connections")

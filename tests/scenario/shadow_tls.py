#!/usr/bin/env python3
"""[shadow] url behind TLS, as a real nginx speaks it, or on a unix socket: whom
the shadow trusts, what it shows, and that no request notices either."""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from authority import Authority, is_missing
from downstream import Answer, Downstream
from fronts import nginx_command
from pool import SAMPLE, Pool, run_tallyd, write_settings
from reloads import reload

SUM = b'{"sum":42}'


class OldHandler:
    """nginx over TLS, which answers each POST with the sum of the sample."""

    def __init__(self, pair, clients=None):
        self.port = kit.free_port()
        self.url = f"https://{kit.HOST}:{self.port}"
        directory = kit.fresh_path("nginx")
        directory.mkdir()
        self.log_path = directory / "error.log"
        self.seen = directory / "access.log"
        for path in (self.log_path, self.seen):
            path.touch()
            path.chmod(0o666)
        verify = (f"ssl_client_certificate {clients.cert};\n"
                  "        ssl_verify_client on;") if clients else ""
        command = nginx_command(
            kit.find_server("nginx"), directory, self.log_path, f"""
    log_format short '$status $connection_requests $ssl_client_verify';
    access_log {self.seen} short;
    server {{
        listen {kit.HOST}:{self.port} ssl;
        ssl_certificate {pair[0]};
        ssl_certificate_key {pair[1]};
        {verify}
        location / {{ return 200 '{SUM.decode()}'; }}
    }}
""")
        self.process = kit.Process("nginx", command, log_path=self.log_path)
        kit.until("nginx listens", self._listens)

    def _listens(self):
        tap.check(self.process.status() is None, "nginx has ended")
        with socket.socket() as probe:
            return probe.connect_ex((kit.HOST, self.port)) == 0

    def requests(self):
        """[status, its number on the connection, of the certificate] of each"""
        return [line.split() for line in self.seen.read_text().splitlines()]

    def wait_for(self, count):
        """The same once there are so many: nginx logs when it has answered."""
        return kit.until(f"{count} requests are logged", lambda: [
            seen for seen in [self.requests()] if len(seen) >= count])[0]


def shadowed(url, **more):
    """One process, so that a kept connection is used again. Handshakes take
    long on a busy machine."""
    return Pool({"main": {}}, workers=1,
                shadow={"url": url, "share": 1, "processes": 1,
                        "connect_timeout": "60s", "timeout": "60s",
                        "url_idle": "1h", **more})


def expect_verdicts(pool, **wanted):
    """Each request is answered; then the shadow has these verdicts."""
    for _ in range(sum(wanted.values())):
        tap.equal(pool.post(SAMPLE).body, SUM, "the reply")
    kit.until(f"verdicts {wanted}", lambda: {
        kind: count for kind, count in
        pool.status()["shadow"]["kinds"].items() if count} == wanted, 60)


def expect_untrusted(old, **more):
    with shadowed(old.url, **more) as pool:
        expect_verdicts(pool, unreached=2)
        tap.equal([status for status, *_rest in old.requests()
                   if status == "200"], [], "what the old handler has answered")


@tap.test
def a_private_authority_is_trusted_when_it_is_named():
    ours = Authority("ours")
    old = OldHandler(ours.issue("old", kit.HOST))
    with shadowed(old.url, url_ca=ours.cert) as pool:
        expect_verdicts(pool, equal=3)
        tap.equal([line[:2] for line in old.wait_for(3)],
                  [["200", "1"], ["200", "2"], ["200", "3"]],
                  "over one connection")
    old.seen.write_text("")
    expect_untrusted(old)


@tap.test
def another_authority_is_not_trusted():
    ours, theirs = Authority("ours"), Authority("theirs")
    expect_untrusted(OldHandler(theirs.issue("old", kit.HOST)),
                     url_ca=ours.cert)


@tap.test
def another_name_is_not_trusted():
    ours = Authority("ours")
    expect_untrusted(OldHandler(ours.issue("elsewhere.example")),
                     url_ca=ours.cert)


@tap.test
def an_expired_certificate_is_not_trusted():
    ours = Authority("ours")
    expect_untrusted(OldHandler(ours.issue("old", kit.HOST, days=-1)),
                     url_ca=ours.cert)


@tap.test
def a_client_certificate_is_shown():
    ours = Authority("ours")
    old = OldHandler(ours.issue("old", kit.HOST), clients=ours)
    cert, key = ours.issue("tallyd")
    with shadowed(old.url, url_ca=ours.cert, url_cert=cert,
                  url_key=key) as pool:
        expect_verdicts(pool, equal=1)
        tap.equal(old.wait_for(1)[0][2], "SUCCESS", "what nginx says of it")
    with shadowed(old.url, url_ca=ours.cert) as pool:
        expect_verdicts(pool, status=1)  # nginx: 400, no certificate


@tap.test
def a_new_authority_is_trusted_after_a_reload():
    ours, theirs = Authority("ours"), Authority("theirs")
    old = OldHandler(theirs.issue("old", kit.HOST))
    ca = kit.fresh_path("ca.pem")
    ca.write_bytes(ours.cert.read_bytes())
    ca.chmod(0o644)
    with shadowed(old.url, url_ca=ca) as pool:
        expect_verdicts(pool, unreached=1)
        ca.write_bytes(theirs.cert.read_bytes())
        reload(pool)

        def is_trusted():
            tap.equal(pool.post(SAMPLE).body, SUM, "the reply")
            return pool.status()["shadow"]["kinds"]["equal"] > 0

        kit.until("the new process trusts it", is_trusted, 60)


@tap.test
def a_unix_socket_is_reached():
    with Downstream(Answer(body=SUM), unix=True) as old:
        with shadowed("http://old.example/base", url_socket=old.path) as pool:
            expect_verdicts(pool, equal=1)
            got = old.take()[0]
            tap.equal((got.target, got.headers["host"]),
                      ("/base/", "old.example"), "what it is asked")


@tap.test
def files_that_cannot_be_read_are_told_at_the_start():
    config = kit.fresh_path("tallyd.conf")
    for keys, part in (
            ({"url_ca": "/none.pem"}, "[shadow] url_ca = /none.pem"),
            ({"url_cert": "/none.pem", "url_key": "/none.key"},
             "[shadow] url_cert = /none.pem"),
            ({"url_cert": "/none.pem"}, "url_cert and url_key"),
            ({"url": "", "url_socket": "/run/old.sock"},
             "[shadow] url_socket: needs url"),
            ({"url": "https://host:99999/"}, "[shadow] url = https://host:99")):
        write_settings(config, {}, {"main": {}},
                       {"url": "https://localhost", **keys})
        status, _out, errors = run_tallyd("-t", "-c", config)
        tap.equal(status, 78, f"the exit status of {keys}")
        tap.contains(errors, part, "the message")


if is_missing() or not kit.find_server("nginx"):
    sys.exit(tap.skip_all("openssl or nginx is not installed"))
sys.exit(kit.run())

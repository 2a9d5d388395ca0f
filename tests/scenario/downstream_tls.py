#!/usr/bin/env python3
"""https downstreams: a private authority, client certificates, names."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from authority import Authority, is_missing, server_context
from downstream import Downstream
from pool import DOWNSTREAM_DEFAULTS, SAMPLE, Pool, run_tallyd, write_settings

OK = b'{"ok":true}'


def pool_for(down, **keys):
    return Pool({"post": {"downstream": down.url, **keys}}, workers=1)


def expect_refused(down, **keys):
    """No result reaches this downstream."""
    with pool_for(down, **keys) as pool:
        status = pool.post(SAMPLE).status
        tap.check(status in (502, 504), f"the status is {status}")
        bodies = [r.body for r in down.take() if r.method == "POST"]
        tap.equal(bodies, [], "what was posted")
        tap.equal(pool.count("downstream_posts"), 0, "downstream_posts")


@tap.test
def a_private_authority_is_trusted_when_it_is_named():
    ours = Authority("ours")
    context = server_context(ours.issue("server", kit.HOST))
    with Downstream(tls=context) as down:
        with pool_for(down, downstream_ca=ours.cert) as pool:
            for _turn in range(3):
                tap.equal(pool.post(SAMPLE).body, OK, "the reply")
            tap.equal(down.connections, 1, "connections")
        down.take()
        expect_refused(down)


@tap.test
def another_authority_is_not_trusted():
    ours, theirs = Authority("ours"), Authority("theirs")
    context = server_context(theirs.issue("server", kit.HOST))
    with Downstream(tls=context) as down:
        expect_refused(down, downstream_ca=ours.cert)


@tap.test
def another_name_is_not_trusted():
    ours = Authority("ours")
    context = server_context(ours.issue("elsewhere.example"))
    with Downstream(tls=context) as down:
        expect_refused(down, downstream_ca=ours.cert)


@tap.test
def a_client_certificate_is_shown():
    ours = Authority("ours")
    context = server_context(ours.issue("server", kit.HOST), clients=ours)
    cert, key = ours.issue("tallyd")
    with Downstream(tls=context) as down:
        with pool_for(down, downstream_ca=ours.cert, downstream_cert=cert,
                      downstream_key=key) as pool:
            tap.equal(pool.post(SAMPLE).body, OK, "the reply")
        down.take()
        with pool_for(down, downstream_ca=ours.cert) as pool:
            tap.equal(pool.post(SAMPLE).status, 502, "without one")
            if "downstream_client" not in DOWNSTREAM_DEFAULTS:
                # It tells what libcurl met first: the alert, after all was set
                # up or before, or the end of the connection behind the alert.
                words = [line for word in ("certificate required",
                                           "getpeername() failed",
                                           "Connection reset by peer")
                         for line in pool.log_lines("warn", word)]
                tap.equal(len(words), 1, "lines with libcurl's words")


@tap.test
def plain_http_is_not_taken_for_https():
    with Downstream() as down:
        down.url = down.url.replace("http:", "https:")
        # Each waits for the other to say more.
        expect_refused(down, timeout="1s")


@tap.test
def files_that_cannot_be_read_are_told_at_the_start():
    config = kit.fresh_path("tallyd.conf")
    for key in ("downstream_ca", "downstream_cert"):
        keys = {"downstream": "https://localhost/", key: "/none/such.pem"}
        if key == "downstream_cert":
            keys["downstream_key"] = "/none/such.key"
        write_settings(config, {}, {"main": keys})
        status, _out, errors = run_tallyd("-t", "-c", config)
        tap.equal(status, 78, "the exit status")
        tap.contains(errors, f"{key} = /none/such.pem", "the message")


@tap.test
def a_wrong_url_is_told_at_the_start():
    config = kit.fresh_path("tallyd.conf")
    for url in ("ftp://host/", "host/path", "http://", "http://a b/",
                "file:///etc/passwd", "http://host:99999/"):
        write_settings(config, {}, {"main": {"downstream": url}})
        status, _out, errors = run_tallyd("-t", "-c", config)
        tap.equal(status, 78, f"the exit status for {url}")
        tap.contains(errors, "downstream", "the message")


if is_missing():
    sys.exit(tap.skip_all("openssl is not installed"))
if __name__ == "__main__":
    sys.exit(kit.run())

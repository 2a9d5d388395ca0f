#!/usr/bin/env python3
"""What conf/haproxy/tallyd-hosts.cfg and conf/nginx/tallyd-hosts.conf leave out
posts results twice: this is seen, so the tests beside this one would see it, too.
And what clients do that repeat a request by themselves."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import kit
import tap

FIRST, SECOND = 20, 42


def doubles(front, was, now):
    """Host 1 is killed with requests in hand; some of them are posted twice."""
    rig = hosts.Rig(front, workers=24, changes=((was, now),))
    load = rig.load(800)
    load.goes_on(1)
    rig.down.slow(rig.hosts[0], 3600)
    kit.until("host 1 has requests in hand", lambda: len(
        rig.hosts[0].pool.workers("posting")) == 24)
    hosts.kill(rig.hosts[0])
    load.goes_on(1)
    account = rig.account(load)
    tap.note(f"failed (of which posted) / doubled: {account.cell()}")
    tap.check(account.doubled, "nothing was posted twice")
    tap.equal(account.unposted, [], "answered 200, and not posted")


@tap.test
def haproxy_with_all_retryable_errors():
    doubles(hosts.Haproxy, "retry-on conn-failure 503",
            "retry-on all-retryable-errors")


@tap.test
def nginx_with_non_idempotent():
    doubles(hosts.Nginx, "fastcgi_next_upstream    error timeout;",
            "fastcgi_next_upstream    error timeout non_idempotent;")


class HaproxyCloses(hosts.Haproxy):
    frontend = "option httpclose"


def curl_posts_twice(front):
    """One curl sends two requests over one connection, and the host that has the
    second one is killed: (the statuses, how often it is posted)."""
    rig = hosts.Rig(front)
    hosts.need("curl")
    rig.down.slow(SECOND, 3600)
    options = ["--silent", "--output", "/dev/null", "--write-out",
               "%{http_code} "]
    url = f"http://{rig.front.address}/process"

    def request(total):
        return [*options, "--data", '{"items":[{"value":%d}]}' % total, url]
    machine = hosts.Machine(rig.switch, "client", hosts.CLIENT)
    curl = kit.Process("curl", machine.inside("curl", *request(FIRST), "--next",
                                              *request(SECOND)))
    kit.until("it is posted", lambda: rig.down.posts(SECOND))
    rig.down.slow(SECOND, 0)
    hosts.kill(next(host for host in rig.hosts
                    if host.address == rig.down.posts(SECOND)[0]))
    tap.equal(curl.wait(), 0, "the status of curl")
    return curl.log().split(), len(rig.down.posts(SECOND))


@tap.test
def a_client_of_haproxy_that_repeats_by_itself():
    """HAProxy closes a kept connection of a client without a word, and curl sends
    the request again: it is posted twice"""
    tap.equal(curl_posts_twice(hosts.Haproxy), (["200", "200"], 2),
              "statuses, posts")


@tap.test
def a_client_of_haproxy_whose_connections_are_not_kept():
    """with httpclose it gets a 502 and the request is posted once"""
    tap.equal(curl_posts_twice(HaproxyCloses), (["200", "502"], 1),
              "statuses, posts")


@tap.test
def a_client_of_nginx():
    """it gets a 502 over the connection that is kept"""
    tap.equal(curl_posts_twice(hosts.Nginx), (["200", "502"], 1),
              "statuses, posts")


sys.exit(kit.run())

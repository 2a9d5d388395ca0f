#!/usr/bin/env python3
"""[shadow]: what of a request the old handler gets: path, query, headers."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Answer, Downstream
from pool import SAMPLE, Pool, run_tallyd, write_settings
from rollout import Front, OldHandler

EQUAL = Answer(body=b'{"sum":42}')


def shadowed(old, endpoint=None, **shadow):
    return Pool({"all": {"path": "/", **(endpoint or {})}}, workers=1,
                shadow={"url": old.url.removesuffix("/process"), "share": 1,
                        "processes": 1, **shadow})


def asked(pool, old, path="/", **params):
    """What the old handler gets for one request."""
    old.take()
    pool.post(SAMPLE, path=path, **params)
    return old.wait_for(1)[0]


@tap.test
def the_query_is_passed_on_as_it_came():
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        for query, wanted in (("", "/"), ("a=1&b=%20+c", "/?a=1&b=%20+c"),
                              ("a[]=1", "/?a%5B%5D=1"), ("%zz%", "/?%25zz%25"),
                              ("a b#c\r\nHost: evil",
                               "/?a%20b%23c%0D%0AHost:%20evil"),
                              ("x" * 2048, "/?" + "x" * 2048)):
            tap.equal(asked(pool, old, QUERY_STRING=query).target, wanted,
                      f"for {query[:40]!r}")


@tap.test
def what_is_too_long_is_not_asked_about():
    """a query, header or path that is too long is counted, and never cut"""
    with Downstream(EQUAL) as old, shadowed(old, headers="X-Long") as pool:
        for params in ({"QUERY_STRING": "x" * 2049}, {"HTTP_X_LONG": "x" * 2048},
                       {"path": "/" + "x" * 512}):
            tap.equal(pool.post(SAMPLE, **params).status, 200, "the status")
        tap.equal(asked(pool, old).target, "/", "the next one")
        pool.wait_for_count("shadow_sampled", 1)
        tap.equal((pool.count("shadow_skipped"), pool.count("shadow_sampled")),
                  (3, 1), "skipped and sampled")


@tap.test
def only_the_headers_that_are_named_are_passed_on():
    with Downstream(EQUAL) as old, shadowed(
            old, headers="X-Tenant Accept-Language") as pool:
        got = asked(pool, old, CONTENT_TYPE="application/json; charset=utf-8",
                    HTTP_X_TENANT="one", HTTP_COOKIE="a=b",
                    HTTP_AUTHORIZATION="Bearer x", HTTP_HOST="elsewhere",
                    HTTP_USER_AGENT="u", HTTP_X_REQUEST_ID="id-1")
        tap.equal({name for name in got.headers},
                  {"host", "content-type", "x-tenant", "x-request-id",
                   "traceparent", "tallyd-shadow", "content-length"}, "names")
        tap.equal((got.headers["x-tenant"], got.headers["content-type"],
                   got.headers["x-request-id"]),
                  ("one", "application/json; charset=utf-8", "id-1"), "values")
        tap.check(got.headers["host"] != "elsewhere", "the host is of url")


@tap.test
def a_type_that_was_not_told_is_json():
    with Downstream(EQUAL) as old, shadowed(old) as pool:
        tap.equal(asked(pool, old, CONTENT_TYPE="").headers["content-type"],
                  "application/json", "the type")


@tap.test
def authorization_is_passed_on_if_somebody_wants_it():
    with Downstream(EQUAL) as old, shadowed(
            old, headers="Authorization Cookie") as pool:
        got = asked(pool, old, HTTP_AUTHORIZATION="Bearer x")
        tap.equal(got.headers["authorization"], "Bearer x", "the header")
        tap.check("cookie" not in got.headers, "no cookie, none passed on")


@tap.test
def the_path_can_be_that_of_the_url():
    with Downstream(EQUAL) as old:
        base = old.url.removesuffix("/process")
        for url, wanted in ((base, "/?a=b"), (base + "/old/", "/old/?a=b"),
                            (base + "/old", "/old?a=b")):
            with shadowed(old, url=url, path="url") as pool:
                tap.equal(asked(pool, old, path="/new/path",
                                QUERY_STRING="a=b").target, wanted, url)


@tap.test
def nginx_gives_what_is_needed():
    """through nginx, as conf/rollout sets it up"""
    with Downstream(EQUAL) as old, shadowed(
            old, {"path": "/process"}, headers="X-Tenant") as pool:
        front = Front(OldHandler(), pool, step="100")
        status = front.ask_with("/process?a=%20b&c", SAMPLE, {
            "X-Tenant": "one", "Content-Type": "application/json"})
        tap.equal(status, 200, "the status")
        got = kit.until("it is asked", lambda: next(
            (r for r in list(old.requests) if r.body == SAMPLE), None))
        tap.equal((got.target, got.headers["x-tenant"],
                   got.headers["content-type"]),
                  ("/process?a=%20b&c", "one", "application/json"), "asked")


@tap.test
def headers_that_cannot_be_passed_on_are_told_at_the_start():
    config = kit.fresh_path("tallyd.conf")
    for names, part in (("Host", "[shadow] headers: Host: a copy has its own"),
                        ("X-A,X-B", "not the name of a header")):
        write_settings(config, {}, {"main": {}},
                       {"url": "http://localhost", "headers": names})
        status, _out, errors = run_tallyd("-t", "-c", config)
        tap.equal(status, 78, f"the exit status for {names}")
        tap.contains(errors, part, "the message")


sys.exit(kit.run())

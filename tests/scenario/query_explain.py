#!/usr/bin/env python3
"""tallyctl explain and tallyctl send --explain: how queries are understood, and
what the items of a body do."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from pool import Pool, run_tallyctl, run_tallyd, write_settings

CART = {"path": "/cart", "array": "$.order.lines",
        "where": '@.status == "paid" && @.quantity > 2',
        "missing": "skip", "result.total": "sum(@.price * @.quantity)",
        "result.lines": "count()", "copy.id": "$.order.id"}
LINES = [{"status": "paid", "quantity": 3, "price": 7},
         {"status": "open", "quantity": 9, "price": 1},
         {"status": "paid", "quantity": 4},
         {"status": "paid", "quantity": 5, "price": 4}]


def settings(**endpoints):
    config = kit.fresh_path("tallyd.conf")
    write_settings(config, {}, endpoints)
    return config


def explain(config, *names):
    status, out, errors = run_tallyctl("-c", config, "explain", *names)
    tap.equal((status, errors), (0, ""), "tallyctl explain")
    return out


def columns(text):
    """{what: [what is said of it]}, a line without a first column belonging to
    the one before."""
    found, what = {}, None
    for line in text.splitlines():
        what = line[:11].strip() or what
        found.setdefault(what, []).append(" ".join(line[11:].split()))
    return found


@tap.test
def a_query_is_taken_apart():
    said = columns(explain(settings(cart=CART, other={"path": "/x"}), "cart"))
    tap.equal(said["endpoint"], ["cart, path /cart"], "the endpoint")
    tap.equal(said["list"], ["$.order.lines"], "the list")
    tap.equal(said["paths"], ["@.status compared with a literal",
                              "@.quantity a number, compared with a literal",
                              "@.price a number", "$.order.id copied"],
              "the paths")
    tap.equal(said["where"], ['compare @.status == "paid"',
                              "compare @.quantity > 2", "and"], "where")
    tap.equal(said["copy"], ["id = $.order.id"], "the copy")


@tap.test
def the_example_is_a_body_that_counts():
    """The pool takes it, and says the same"""
    config = settings(cart=CART)
    said = columns(explain(config))
    body, wanted = said["example"][0].encode(), said["result"][-1].encode()
    tap.equal(json.loads(wanted)["lines"], 2, "items that count")
    with Pool({"cart": CART}) as pool:
        reply = pool.post(body, path="/cart")
        tap.equal((reply.status, reply.body), (200, wanted), "the pool")


@tap.test
def all_endpoints_are_explained():
    out = explain(settings(cart=CART, plain={"path": "/plain"},
                           lines={"path": "/lines", "format": "ndjson",
                                  "result.n": "count()"}))
    tap.equal(columns(out)["endpoint"],
              ["cart, path /cart", "plain, path /plain", "lines, path /lines"],
              "the endpoints")
    tap.contains(out, "the lines of the body", "the list of lines")
    status, _, errors = run_tallyctl("-c", settings(cart=CART), "explain", "no")
    tap.equal((status, errors),
              (1, "tallyctl: explain: there is no endpoint no\n"), "no such one")


def send(config, body):
    done = subprocess.run(
        [kit.TALLYCTL, "-c", config, "send", "--explain", "-"], check=False,
        input=body, capture_output=True, timeout=kit.wait_limit(20))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@tap.test
def what_each_item_contributes():
    config = settings(cart=CART)
    body = json.dumps({"order": {"id": 8, "lines": LINES}}).encode()
    tap.equal(send(config, body), (0, """\
item       /order/lines/0: counts: total 21, lines 1
item       /order/lines/1: dropped by where
item       /order/lines/2: skipped: a member is missing or null
item       /order/lines/3: counts: total 20, lines 1
result     {"id":8,"total":41,"lines":2}
""", ""), "a body")
    body = json.dumps({"order": {"lines": [{**LINES[0], "price": "x"},
                                           LINES[3]]}}).encode()
    tap.equal(send(config, body), (1, """\
item       /order/lines/0: refused
item       /order/lines/1: not looked at
refused    422 wrong_shape: /order/lines/0/price: not an integer that fits 64 bits
""", ""), "a body that is refused")
    tap.equal(send(config, b"{")[0], 1, "a body that is no JSON")


@tap.test
def notes_of_what_may_surprise():
    status, _, errors = run_tallyd("-t", "-c", settings(
        a={"array": "order.lines"}))
    tap.equal(status, 0, errors)
    tap.contains(errors, "[endpoint a] array = order.lines is a path, "
                         "$.order.lines; a member of that name is "
                         "$['order.lines']", "of a dotted array")


sys.exit(kit.run())

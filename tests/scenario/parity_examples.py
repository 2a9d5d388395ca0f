#!/usr/bin/env python3
"""doc/PARITY.md holds: each example is sent to tallyd and to the handler that
its table is about, and they differ exactly as stated; tallyctl replay gives the
difference the name it has there."""

import base64
import json
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from fronts import Nginx
from references import start_hyper, start_node
from replays import read_lines, replay

DOCUMENT = kit.TOP / "doc/PARITY.md"
CELL = re.compile(r"(\d+) `(.*)`")
ENDPOINTS = {numbers: {"path": f"/{numbers}", "numbers": numbers,
                       "max_body": "64k"} for numbers in ("int64", "double")}


def body_of(text):
    """The bytes that an example stands for."""
    text = re.sub(r"\[…(\d+)…\]",
                  lambda match: "[" * int(match[1]) + "]" * int(match[1]), text)
    text = re.sub(r'"…(\d+)…"', lambda match: f'"{"y" * int(match[1])}"', text)
    return re.sub(rb"\\x([0-9a-f]{2})",
                  lambda match: bytes.fromhex(match[1].decode()),
                  text.encode())


def read_table(who, numbers):
    """[(kind, body, (status, text) of ours, of theirs)] below a heading."""
    text = DOCUMENT.read_text("utf-8")
    start = text.index(f"\n## {who}, with `numbers = {numbers}`\n")
    part = text[start + 1:].split("\n## ")[0]
    rows = []
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            kind, body, ours, theirs = cells
            rows.append((kind.strip("`"), body_of(body.strip("`")),
                         CELL.fullmatch(ours).groups(),
                         CELL.fullmatch(theirs).groups()))
    return rows


def ask_ours(front, numbers, body):
    """(status, what the table says of it)"""
    reply = front.request("POST", f"/{numbers}", body)
    text = reply.body.decode()
    return str(reply.status), (text if reply.status == 200
                               else json.loads(text)["outcome"])


def check_table(who, numbers, start, kinds):
    theirs = start()
    front = Nginx(ENDPOINTS)
    rows = read_table(who, numbers)
    tap.equal({row[0] for row in rows}, kinds, "kinds in the table")
    for kind, body, our_cell, their_cell in rows:
        what = tap.shorten(body)
        tap.equal(ask_ours(front, numbers, body), our_cell, f"ours to {what}")
        status, text = theirs.ask(body)
        tap.equal((str(status), text.decode()), their_cell, f"theirs to {what}")
    cases, out = kit.fresh_path("cases.log"), kit.fresh_path("out.log")
    cases.write_text("".join(
        json.dumps({"body_base64": base64.b64encode(row[1]).decode()}) + "\n"
        for row in rows))
    result = replay(f"http://{kit.HOST}:{front.port}/{numbers}", theirs.url,
                    "--config", front.pool.config, "--endpoint", numbers,
                    "--out", out, cases)
    tap.equal([line["kind"] for line in read_lines(out)],
              [row[0] for row in rows], "kinds that replay gives")
    return result


@tap.test
def who_lacks_the_crates_is_told_the_packages():
    before = dict(os.environ)
    os.environ["CRATES_REGISTRY"] = "/nowhere"
    try:
        start_hyper()
        raise tap.Failure("it was built of nothing")
    except tap.Skip as reason:
        tap.contains(str(reason), "apt-get install", "the reason")
        tap.contains(str(reason), " librust-hyper-dev ", "the reason")
    finally:
        os.environ.clear()
        os.environ.update(before)


COMMON = {"wrong_shape", "invalid_utf8", "too_deep", "too_large", "error_shape"}


@tap.test
def javascript():
    """what JavaScript lets pass, with numbers = double"""
    check_table("JavaScript", "double", start_node, COMMON | {
        "coerced", "missing_field", "out_of_range"}).expect(0, mismatch=0)


@tap.test
def rust():
    """what a release build of Rust lets pass, with numbers = int64"""
    check_table("Rust", "int64", start_hyper, COMMON | {
        "wrapped", "minus_zero", "duplicate_member",
        "lone_surrogate"}).expect(0, mismatch=0)


@tap.test
def javascript_exact():
    """where exact integers differ from JavaScript"""
    check_table("JavaScript", "int64", start_node,
                {"precision", "not_integer"}).expect(1, contract=0, equal=0)


sys.exit(kit.run())

#!/usr/bin/env python3
"""doc/RECIPES.md as it is printed: each body goes through nginx to tallyd and to
the handler in JavaScript, which post the same; tests/reference/node makes that of
the settings, too."""

import gzip
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from downstream import Downstream
from fronts import Nginx
from pool import Pool, run_tallyd
from references import REFERENCE, start_node
from replays import read_lines, replay

DOCUMENT = kit.TOP / "doc/RECIPES.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.S)
LEAST = 13


def read_recipes():
    """[(title, body, handler, {key: value}, what is posted)]"""
    recipes = []
    for part in DOCUMENT.read_text("utf-8").split("\n## ")[1:]:
        (_, body), (_, handler), (_, settings), (_, posted) = BLOCK.findall(part)
        keys = dict(re.split(r"\s*=\s*", line, maxsplit=1)
                    for line in settings.splitlines())
        recipes.append((part.splitlines()[0], body.rstrip("\n").encode(),
                        handler, keys, posted.rstrip("\n").encode()))
    return recipes


RECIPES = read_recipes()


def path_of(number):
    return f"/recipe-{number}"


def type_of(path):
    """The header that tells the handler in JavaScript of lines."""
    lines = RECIPES[int(path.rsplit("-", 1)[1])][3].get("format") == "ndjson"
    return {"Content-Type": "application/x-ndjson"} if lines else {}


def module_of_handlers():
    path = kit.fresh_path("recipes.js")
    path.write_text("module.exports = {\n" + "".join(
        f"'{path_of(number)}': {handler},\n"
        for number, (_, _, handler, _, _) in enumerate(RECIPES)) + "};\n")
    return path


def endpoints(**more):
    return {f"recipe-{number}": {"path": path_of(number), **keys, **more}
            for number, (_, _, _, keys, _) in enumerate(RECIPES)}


def posted_by(downstream, ask):
    """The bodies posted for each recipe, in order."""
    for number, (title, body, _, _, _) in enumerate(RECIPES):
        tap.equal(ask(path_of(number), body), (200, b'{"ok":true}'), title)
    return [request.body for request in downstream.requests]


@tap.test
def the_recipes_post_what_they_say():
    tap.check(len(RECIPES) >= LEAST, f"{len(RECIPES)} recipes")
    wanted = [posted for _, _, _, _, posted in RECIPES]
    with Downstream() as ours, Downstream() as theirs:
        front = Nginx(endpoints(downstream=ours.url, verify=1))

        def ask(path, body):
            reply = front.request("POST", path, body)
            return reply.status, reply.body

        node = start_node(theirs.url, module_of_handlers())
        tap.equal(posted_by(ours, ask), wanted, "posted by tallyd")
        tap.equal(posted_by(theirs, lambda path, body: node.ask(
            body, path=path, headers=type_of(path))), wanted,
            "posted by the handlers in JavaScript")
        tap.equal(front.pool.count("mismatches"), 0, "mismatches")


@tap.test
def replay_finds_them_equal():
    """tallyctl replay finds them equal, and says so of a body that differs"""
    front = Nginx(endpoints())
    node = start_node(module=module_of_handlers())
    for number, (title, body, _, keys, _) in enumerate(RECIPES):
        if "format" in keys:
            continue  # the handler in JavaScript wants a type of its own
        cases, out = kit.fresh_path("cases.log"), kit.fresh_path("out.log")
        cases.write_text("".join(json.dumps({"body": text}) + "\n" for text in (
            body.decode(), body.decode() + "]")))
        replay(f"http://{kit.HOST}:{front.port}{path_of(number)}",
               node.url.replace("/process", path_of(number)), "--config",
               front.pool.config, "--endpoint", f"recipe-{number}", "--out", out,
               cases)
        tap.equal([line["kind"] for line in read_lines(out)], ["error_shape"],
                  title)


@tap.test
def the_shadow_finds_them_equal():
    """The shadow finds them equal, and knows a refusal by the contract"""
    node = start_node(module=module_of_handlers())
    documents = [(number, recipe[1]) for number, recipe in enumerate(RECIPES)
                 if "format" not in recipe[3]]
    with Pool(endpoints(), shadow={"url": node.url.removesuffix("/process"),
                                   "share": 1, "processes": 1}) as pool:
        for number, body in documents:
            pool.post(body, path=path_of(number))
        pool.post(documents[0][1].replace(b"450", b'"450"'), path=path_of(0))
        kit.until("the verdicts", lambda: {
            kind: count
            for kind, count in pool.status()["shadow"]["kinds"].items() if count
        } == {"equal": len(documents), "coerced": 1})
        packed = pool.post(gzip.compress(documents[0][1]), path=path_of(0),
                           HTTP_CONTENT_ENCODING="gzip")
        tap.equal(packed.status, 200, "a compressed body")
        # Counted when the shadow has it already.
        pool.wait_for_count("shadow_sampled", len(documents) + 1)
        tap.equal(pool.count("shadow_sampled"), len(documents) + 1, "sampled")


@tap.test
def a_long_result_is_posted_and_answered_whole():
    names = [f"{i:02}" + "n" * 62 for i in range(16)]
    document = {name: "x" * 1022 for name in names} | {"items": [1, 2]}
    wanted = json.dumps({**{name: document[name] for name in names},
                         **{"s" + name[1:]: 3 for name in names}},
                        separators=(",", ":")).encode()
    keys = {f"copy.{name}": name for name in names} | {
        f"result.s{name[1:]}": "sum(@)" for name in names}
    keys = {key: f"$['{value}']" if key.startswith("copy") else value
            for key, value in keys.items()}
    with Downstream() as downstream:
        front = Nginx({"long": {"path": "/long", "reply": "result",
                                "downstream": downstream.url, **keys}})
        reply = front.request("POST", "/long", json.dumps(document).encode())
        tap.equal((reply.status, reply.body), (200, wanted), "the reply")
        tap.equal([request.body for request in downstream.requests], [wanted],
                  "what is posted")


def settings_with_samples(change=lambda posted: posted):
    """A configuration file in which each endpoint has its body as self-test."""
    config = kit.fresh_path("recipes.conf")
    text = ""
    for number, (_, body, _, keys, posted) in enumerate(RECIPES):
        sample = kit.fresh_path("body.json")
        sample.write_bytes(body)
        more = {"path": path_of(number), "selftest_file": sample,
                "selftest_result": change(posted.decode())}
        text += f"[endpoint recipe-{number}]\n" + "".join(
            f"{key} = {value}\n" for key, value in {**keys, **more}.items())
    config.write_text(text)
    return config


@tap.test
def the_self_test_takes_them():
    status, _, errors = run_tallyd("-t", "-c", settings_with_samples())
    tap.equal(status, 0, errors)
    status, _, errors = run_tallyd("-t", "-c", settings_with_samples(
        lambda posted: posted.replace("}", ',"more":1}', 1)))
    tap.equal(status, 78, "a wrong result")
    tap.contains(errors, "endpoint recipe-0: selftest_file gives "
                         + RECIPES[0][4].decode() + " instead of ", "why")


@tap.test
def the_generator_makes_the_same_of_the_settings():
    node = kit.need_server("node")
    config = kit.fresh_path("recipes.conf")
    config.write_text("".join(
        f"[endpoint {name}]\n" + "".join(f"{key} = {value}\n"
                                         for key, value in keys.items())
        for name, keys in endpoints().items()))
    dump = subprocess.run(kit.tallyd("-T", "-c", config), capture_output=True,
                          text=True, check=True).stdout
    script = (f"const {{handlerOf, settingsOf}} = "
              f"require('{REFERENCE}/node/generate.js');"
              "const {dump, bodies} = JSON.parse(require('fs')"
              ".readFileSync(0, 'utf8'));"
              "console.log(JSON.stringify(bodies.map((body, i) => handlerOf("
              "settingsOf(dump, `recipe-${i}`))(Buffer.from(body)).toString())))")
    done = subprocess.run(
        [node, "-e", script], capture_output=True, text=True, check=True,
        input=json.dumps({"dump": dump, "bodies": [
            body.decode() for _, body, _, _, _ in RECIPES]}))
    tap.equal(json.loads(done.stdout),
              [posted.decode() for _, _, _, _, posted in RECIPES],
              "what the generated handlers give")


sys.exit(kit.run())

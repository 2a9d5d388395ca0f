#!/usr/bin/env python3
"""The page for people: what a browser makes of it, that nothing from outside
becomes markup, and what it says of a pool in trouble."""

import html.parser
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import tap
from browser import Browser
from downstream import Downstream
from fastcgi import request
from pool import SAMPLE, Pool

HOSTILE = "/'\"><script>document.title='owned'</script><img src=x>&lt;"
SECTIONS = {"history", "workers", "outcomes", "times", "downstream", "connections",
            "settings"}


class Reader(html.parser.HTMLParser):
    """The elements of a page, its ids, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.ids, self.attributes = [], set(), []
        self.text, self.title, self.now = "", "", None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.now = tag
        self.elements.append(tag)
        self.attributes += attrs
        self.ids |= {value for name, value in attrs if name == "id"}

    def handle_data(self, data):
        if self.now == "title":
            self.title += data
        elif self.now != "style":
            self.text += data

    def handle_endtag(self, tag):
        self.now = None


def watched(*arguments, **settings):
    settings.setdefault("status_listen", f"{kit.HOST}:{kit.free_port()}")
    return Pool(*arguments, **settings)


def read(pool, query="html"):
    page = pool.page(f"/status?{query}")
    tap.equal((page.status, page.type), (200, "text/html"), "the page")
    return Reader(page.text)


def render(pool, query="html"):
    """The document as Chromium has it after its scripts, if any, have run."""
    chromium = kit.need_server("chromium")
    host, port = pool.pages
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync",
         f"--user-data-dir={kit.fresh_path('chromium')}", "--dump-dom",
         f"http://{host}:{port}/status?{query}"],
        capture_output=True, text=True, check=False, timeout=kit.wait_limit(60))
    tap.equal(done.returncode, 0, f"chromium: {done.stderr[-500:]}")
    return Reader(done.stdout)


def advice(pool):
    """{setting: text} of the warnings."""
    return {note["setting"]: note["text"] for note in json.loads(
        pool.page("/status?json").text)["warnings"]}


@tap.test
def a_browser_shows_every_section():
    with watched({"main": {}, "odd": {"path": HOSTILE}}) as pool:
        pool.wait_for_workers()
        pool.post(SAMPLE)
        page = render(pool, "html&full")
        tap.check(SECTIONS <= page.ids, f"sections: {page.ids}")
        tap.equal(page.title, "tallyd: ready", "the title")
        tap.contains(page.text, HOSTILE, "the settings")
        for pid in pool.workers():
            tap.contains(page.text, str(pid), "the workers")


def history(pool):
    """{name of a drawing: its text} of a page with a sample at least."""
    def drawn():
        return re.findall(r"<figure id=history-(\w+)>(.*?)</figure>",
                          pool.page("/status?html").text)
    return dict(kit.until("there is a sample", drawn, 20, 0.2))


def points(drawing, nth):
    """Those of a line of a drawing: [(x, y)]."""
    text = re.search(rf"<polyline class=l{nth} points=\"([^\"]*)", drawing)[1]
    return [tuple(map(float, pair.split(","))) for pair in text.split()]


@tap.test
def the_last_minutes_are_drawn():
    """rate, failures, times, workers; a reload leaves them"""
    with Downstream() as down, watched({"main": {}, "x": {
            "path": "/x", "downstream": "http://127.0.0.1:1/"}, "held": {
                "path": "/held", "downstream": down.url}}) as pool:
        pool.wait_for_workers()
        tap.contains(read(pool).text, "No sample yet", "the page at first")
        for _ in range(3):
            pool.post(SAMPLE)
        pool.post(SAMPLE, path="/x")
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE, path="/held"))
            down.wait_for(1)
            drawings = history(pool)
            down.release()
            tap.equal(link.read_reply().status, 200, "the status")
        tap.equal(set(drawings), {"rate", "failures", "times", "load"},
                  "drawings")
        for name, parts in (("rate", ["<b>0."]), ("failures", ["<b>25.0"]),
                            ("times", ["median", "99 %"]),
                            ("load", ["busy</span> <b>1</b>", "waiting"])):
            for part in parts:
                tap.contains(drawings[name], part, name)
            for nth in range(2 if name in ("times", "load") else 1):
                line = points(drawings[name], nth)
                tap.equal(len(line), 2, f"{name}: points of one sample")
                tap.check(0 <= line[0][0] < line[1][0] <= 300 and all(
                    0 <= y <= 60 for _x, y in line), f"{name}: {line}")
        tap.check(points(drawings["load"], 0)[0][1] <
                  points(drawings["load"], 1)[0][1], "busy is not above waiting")
        pool.process.send(signal.SIGHUP)
        pool.wait_for_log("generation 2 serves")
        kit.until("another monitor answers", lambda: "failures" in history(pool))
        tap.contains(history(pool)["failures"], "at most 25.0", "after a reload")


@tap.test
def the_last_minute_has_a_heading_of_its_own():
    with watched() as pool:
        pool.post(SAMPLE)
        kit.until("it is counted", lambda: json.loads(pool.page(
            "/status?json").text)["recent"]["total"]["count"] == 1)
        text = " ".join(read(pool).text.split())
        tap.check(re.search(r"last minutemedian.*?whole request.*?since "
                            r"startmedian.*?whole request", text), text)


LAYOUT = """(() => {
    const grey = name => getComputedStyle(document.body)[name]
        .match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3;
    const root = document.documentElement;
    return {back: grey("backgroundColor"), ink: grey("color"),
            wide: root.scrollWidth, window: root.clientWidth,
            size: parseFloat(getComputedStyle(document.body).fontSize),
            scripts: document.scripts.length, images: document.images.length,
            // A table may be moved within its section, which has to fit.
            outside: [...document.querySelectorAll("body *")].filter(
                e => e.getBoundingClientRect().right > innerWidth + 1 &&
                     (e.tagName === "SECTION" || !e.closest("section")))
                .length,
            // Nor does anybody have to move anything sideways.
            moved: [...document.querySelectorAll("section")].filter(
                e => e.scrollWidth > e.clientWidth).map(e => e.id),
            lines: [...document.querySelectorAll("polyline")].map(
                e => e.getBoundingClientRect().width),
            narrowest: Math.min(...[...document.querySelectorAll(
                "details td")].map(e => e.clientWidth))};
})()"""


@tap.test
def it_fits_phones_and_both_colour_schemes():
    """from 320 px to 1600 px nothing stands outside, text is dark on light or
    light on dark, as the reader has it; long hostile texts included"""
    longest = "/" + "w" * 90 + HOSTILE
    with watched({"main": {}, "odd": {"path": longest, "array": "<b>&"},
                  "x": {"path": "/x",
                        "downstream": "http://127.0.0.1:1/"}}) as pool:
        pool.wait_for_workers()
        for _ in range(5):
            pool.post(SAMPLE)
            pool.post(SAMPLE, path="/x")
        history(pool)
        host, port = pool.pages
        with Browser() as browser:
            for width in (320, 390, 768, 1000, 1600):
                for scheme in ("light", "dark"):
                    browser.show(f"http://{host}:{port}/status?html&full",
                                 width, scheme)
                    browser.evaluate("document.querySelectorAll('details')"
                                     ".forEach(d => d.open = true)")
                    is_laid_out(browser, width, scheme)


def is_laid_out(browser, width, scheme):
    what = f"{width} px, {scheme}"
    got = browser.evaluate(LAYOUT)
    if "PICTURES" in os.environ:
        path = pathlib.Path(os.environ["PICTURES"], f"{width}-{scheme}.png")
        path.write_bytes(browser.picture())
    tap.check(got["wide"] <= got["window"], f"{what}: {got}")
    tap.equal(got["outside"], 0, f"{what}: elements outside")
    if width >= 390:
        tap.equal(got["moved"], [], f"{what}: sections wider than their place")
    tap.check(len(got["lines"]) == 6 and min(got["lines"]) > 0,
              f"{what}: lines of the last minutes: {got}")
    tap.check(got["back"] > 200 and got["ink"] < 80 if scheme == "light"
              else got["back"] < 60 and got["ink"] > 180, f"{what}: {got}")
    tap.check(got["size"] >= 13, f"{what}: {got}")
    tap.check(got["narrowest"] >= 40, f"{what}: a column of settings: {got}")
    tap.equal((got["scripts"], got["images"]), (0, 0), f"{what}: elements")


@tap.test
def nothing_from_outside_becomes_markup():
    user = "http://me:secret@127.0.0.1:1/"
    with watched({"odd": {"path": HOSTILE, "downstream": user,
                          "array": "<b>&", "field": "\"x'"},
                  "query": {"path": "/query", "result.<u>": "count(@['<s>'])"}
                  }) as pool:
        page = read(pool, "html&full&refresh=5")
        tap.check(not {"script", "img", "b", "u", "s", "link", "iframe"}
                  & set(page.elements), f"elements: {set(page.elements)}")
        for text in (HOSTILE, "<b>&", "\"x'", "http://127.0.0.1:1/",
                     "result.<u>", "count(@['<s>'])"):
            tap.contains(page.text, text, "the settings")
        tap.check("secret" not in page.text, "a password is shown")
        links = [value for name, value in page.attributes
                 if name in ("href", "src")]
        tap.check(all(re.fullmatch(r"\?[\w&=]+|metrics|readyz", link)
                      for link in links), f"links: {links}")
        tap.check(not [name for name, _ in page.attributes
                       if name.startswith("on")], "handlers")
        policy = pool.page("/status?html").headers["content-security-policy"]
        tap.contains(policy, "default-src 'none'", "the policy")


@tap.test
def a_browser_is_given_the_page_and_a_program_the_text():
    with watched() as pool:
        for accept, kind in (
                ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
                ("*/*", "text/plain")):
            tap.equal(pool.page("/status", accept).type, kind, accept)


@tap.test
def refresh_is_bounded():
    with watched() as pool:
        for wish, wanted in (("5", "5"), ("3600", "3600"), ("9999", "3600"),
                             ("0", None), ("-1", None), ("1e3", None),
                             ("99999", None), ("", None), ("5%22%3e", None)):
            page = read(pool, f"html&refresh={wish}")
            values = dict(page.attributes)
            tap.equal(values.get("content") if "refresh" in values.values()
                      else None, wanted, f"refresh={wish}")


@tap.test
def numbers_are_those_of_what_was_done():
    with watched(workers=3) as pool:
        pool.wait_for_workers()
        for _ in range(3):
            pool.post(SAMPLE)
        pool.post(b"{")

        def is_done():
            now = json.loads(pool.page("/status?json").text)
            return (now["recent"]["total"]["count"] == 4
                    and now["connections"] == 0
                    and {one["state"] for one in now["workers"]} == {"idle"})
        kit.until("all is done", is_done)
        page = read(pool)
        text = " ".join(page.text.split())
        for part in ("0 of 4", "busy workers0 of 3", "connections0 of 512",
                     "listen queue0 of 1 024"):
            tap.contains(text, part, "the page")
        tap.check(re.search(r"ok200\d?33", text.replace(" ", "")),
                  f"outcomes: {text}")


@tap.test
def a_pool_in_trouble_says_what_to_change():
    with Downstream() as down, watched({"post": {"downstream": down.url}},
                                       workers=1, backlog=4,
                                       max_connections=4) as pool:
        pool.wait_for_workers()
        tap.equal(advice(pool), {}, "warnings of a pool at rest")
        down.hold()
        with pool.link() as link:
            link.send(request(SAMPLE))
            down.wait_for(1)
            tap.contains(advice(pool)["workers"], "All workers are busy",
                         "the warning")
            links = [pool.link() for _ in range(4)]
            tap.contains(advice(pool)["workers"], "wait to be accepted",
                         "the warning")
            tap.contains(read(pool).text, "Setting: workers", "the page")
            lines = pool.page("/status?text").text.splitlines()
            tap.check(max(map(len, lines)) <= 80, "a line over 80 columns")
            for other in links:
                other.close()
            down.release()
            tap.equal(link.read_reply().status, 200, "the status")
        kit.until("it is at rest", lambda: "workers" not in advice(pool))


@tap.test
def failures_name_their_outcome():
    with watched({"post": {"downstream": "http://127.0.0.1:1/"}}) as pool:
        pool.wait_for_workers()
        for _ in range(20):
            tap.equal(pool.post(SAMPLE).status, 502, "the status")
        note = kit.until("it is said", lambda: advice(pool).get("downstream"))
        tap.contains(note, "100 %", "the warning")
        tap.contains(note, "downstream_connect", "the warning")
        tap.contains(read(pool).text, note, "the page")


sys.exit(kit.run())

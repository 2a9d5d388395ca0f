#!/usr/bin/env python3
"""README.md's quick start, typed as it is printed: by a user without rights,
with Debian's nginx, whose workers are www-data. In namespaces of its own
(mount_namespaces(7), network_namespaces(7)), where the ports and paths of
README.md are free and nothing outside changes."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

INSIDE = "TEST_QUICK_START"
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CLONE = pathlib.Path("/srv/clone")
USER = 12345  # nobody's: it owns its clone and nothing else


def call(*words):
    subprocess.run(list(map(str, words)), check=True)


def reason_to_skip():
    if os.geteuid() != 0:
        return "only root can start nginx as www-data"
    if not pathlib.Path("/etc/nginx/conf.d").is_dir():
        return "Debian's nginx is not installed"
    tried = subprocess.run(["unshare", "--mount", "--net", "true"],
                           capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def enter():
    """Run this file again, in namespaces of its own."""
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--propagation",
                          "private", sys.executable, __file__])


def keep(path, name):
    """Below /tmp the build would be hidden; here it stays."""
    place = pathlib.Path("/srv", name)
    place.mkdir()
    call("mount", "--bind", path, place)
    return place


def furnish():
    """A clone with its build, a copy of nginx's settings, empty directories."""
    build = pathlib.Path(os.environ.get("TALLYD", "src/tallyd")).resolve().parent
    here = os.getcwd()
    call("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/srv")
    kept = {path: keep(path, name) for path, name in
            ((str(TOP), "top"), (here, "here"))}
    (CLONE / "build/src").mkdir(parents=True)
    for name in "tallyd", "tallyctl":
        shutil.copy(build / name, CLONE / "build/src")
    for path in [CLONE, *CLONE.rglob("*")]:
        os.chown(path, USER, USER)
    shutil.copytree("/etc/nginx", "/srv/nginx", symlinks=True)
    call("mount", "--bind", "/srv/nginx", "/etc/nginx")
    for path, mode in (("/run", "0755"), ("/var/log/nginx", "0755"),
                       ("/var/lib/nginx", "0755"), ("/tmp", "1777")):
        call("mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", path)
    for path, place in kept.items():
        if path.startswith("/tmp/"):
            os.makedirs(path, exist_ok=True)
            call("mount", "--bind", place, path)
    os.chdir(here)
    call("ip", "link", "set", "lo", "up")
    os.environ["TALLYD"] = str(CLONE / "build/src/tallyd")
    os.environ["TALLYCTL"] = str(CLONE / "build/src/tallyctl")
    os.environ["TMPDIR"] = "/tmp"


if INSIDE in os.environ:
    furnish()
else:
    reason = reason_to_skip()
    if not reason:
        enter()

import kit  # noqa: E402  in its namespaces: it makes a directory
import procfs  # noqa: E402
import tap  # noqa: E402
import web  # noqa: E402


def read_guide():
    """({kind: text} of the files, [(command, [line it prints])])."""
    text = (TOP / "README.md").read_text("utf-8")
    section = re.search(r"^## Quick start.*?(?=^## )", text, re.S | re.M)[0]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", section, re.S | re.M)
    files = {kind: body for kind, body in blocks if kind in ("ini", "nginx")}
    tap.equal(sorted(files), ["ini", "nginx"], "the files of the quick start")
    for name in "`tallyd.conf`", "`/etc/nginx/conf.d/tallyd.conf`":
        tap.contains(section, name, "where the files go")
    session = next(body for kind, body in blocks if kind == "console")
    steps = [(part.split("\n", 1)[0], part.splitlines()[1:])
             for part in session.removeprefix("$ ").split("\n$ ")]
    return files, steps


def as_user(command):
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
            "sh", "-c", "exec " + command]


def run_step(command, printed):
    """One line of the session; gives the process of one that stays."""
    if command.endswith(" &"):
        pool = kit.Process("tallyd", as_user(command.removesuffix(" &")),
                           cwd=CLONE)
        pool.wait_for_log(" serving on ")
        return pool
    words = (["sh", "-c", command.removeprefix("sudo ")]
             if command.startswith("sudo ") else as_user(command))
    done = subprocess.run(words, capture_output=True, text=True, cwd=CLONE,
                          check=False, timeout=kit.wait_limit(20))
    tap.equal(done.returncode, 0,
              f"the status of {command}: {done.stdout}{done.stderr}")
    if printed:  # beside what it prints curl shows how far it is
        tap.equal((done.stdout or done.stderr).splitlines(), printed,
                  f"what {command} prints")
    return None


def start_nginx():
    """As Debian starts it, before there is anything of ours."""
    nginx = kit.Process("nginx", [kit.find_server("nginx"), "-g",
                                  "daemon off;"])
    # By then its pid file is written, and it hears signals.
    kit.until("nginx has a worker", lambda: procfs.children_of(nginx.pid))
    return nginx


def nginx_has_read(port=8000):
    def answers():
        try:
            return web.ask(("127.0.0.1", port), "/", kit.wait_limit())
        except OSError:
            return None
    kit.until("nginx has the new server", answers)


def takes_a_large_body():
    """One between nginx's own limit and the pool's."""
    body = b'{"items":[' + b'{"value":1},' * 200000 + b'{"value":21}]}'
    page = web.ask(("127.0.0.1", 8000), "/sum", kit.wait_limit(), "POST",
                   body=body)
    tap.equal((page.status, page.text), (200, '{"sum":400042}'),
              f"the reply to {len(body)} bytes")


def waits_are_measured():
    """nginx says when it handed a request over, and the pool counts from it."""
    def is_measured():
        done = subprocess.run([kit.TALLYCTL, "-c", CLONE / "tallyd.conf",
                               "status", "--json"], capture_output=True,
                              text=True, check=True)
        return re.search(r'"queue":\{"count":[1-9]',
                         done.stdout.replace(" ", ""))
    kit.until("a wait is measured", is_measured)


@tap.test
def the_quick_start_of_the_readme_works_as_it_is_printed():
    files, steps = read_guide()
    nginx = start_nginx()
    (CLONE / "tallyd.conf").write_text(files["ini"])
    pathlib.Path("/etc/nginx/conf.d/tallyd.conf").write_text(files["nginx"])
    pool = None
    for command, printed in steps:
        pool = run_step(command, printed) or pool
        if "nginx -s reload" in command:
            nginx_has_read()
        if command.startswith("curl "):
            tap.check(printed, "the session does not show the reply")
            takes_a_large_body()
            waits_are_measured()
    tap.equal(pool.wait(), 0, "the exit status of the pool")
    nginx.stop()


sys.exit(tap.skip_all(reason) if INSIDE not in os.environ else kit.run())

"""bench/load, run by the benchmarks."""

import json
import subprocess


def command(build, port, clients, seconds, bodies, rate=0, times=None):
    """`bodies`: a file of traffic.write(); `rate`: 0 for a closed loop;
    `times`: a file for when each request began and ended."""
    return [str(part) for part in (
        build / "bench/load", port, clients, seconds, bodies, rate or 0,
        *([times] if times else []))]


def start(*arguments, **more):
    return subprocess.Popen(command(*arguments, **more), text=True,
                            stdout=subprocess.PIPE)


def checked(printed):
    """What it printed. A peer that answers wrongly is not measured."""
    found = json.loads(printed)
    if found["wrong"]:
        raise SystemExit(f"bench: {found['wrong']} of {found['requests']} "
                         "replies are wrong")
    return found


def well(printed):
    """How many requests it made, of which none may have failed."""
    found = checked(printed)
    if found["failed"]:
        raise SystemExit(f"bench: {found['failed']} requests failed")
    return found["requests"]


def finish(process):
    return checked(process.communicate()[0])


def requests(command):
    """Runs what command() gave; how many requests it made."""
    return well(subprocess.run(command, stdout=subprocess.PIPE, text=True,
                               check=True).stdout)


def run(*arguments, **more):
    return finish(start(*arguments, **more))


def run_well(*arguments, **more):
    """The same, and no request may fail."""
    process = start(*arguments, **more)
    printed = process.communicate()[0]
    well(printed)
    return json.loads(printed)

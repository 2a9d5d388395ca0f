"""The machine that results are from: what it is, and what a system call and a
switch of process cost on it, without which ratios of two machines cannot be
compared."""

import functools
import json
import os
import platform
import subprocess


def ask(*command):
    """The first line that a program prints; "-" where there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=10, check=False)
    except OSError:
        return "-"
    return (done.stdout + done.stderr).strip().splitlines()[0]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def identity():
    return {"cpu": processor(), "cores": os.cpu_count(),
            "kernel": platform.release()}


@functools.cache
def costs(build):
    """{name: ns} from bench/machine in `build`, which takes half a second, the
    first time, when nothing else runs yet."""
    return json.loads(subprocess.run(
        [build / "bench/machine"], capture_output=True, text=True,
        check=True).stdout)


def programs():
    """Versions of what stands beside tallyd."""
    return {"nginx": ask("nginx", "-v"), "libcurl": ask("curl", "-V")[:60],
            "node": ask("node", "--version"), "rustc": ask("rustc", "-V"),
            "go": ask("go", "version"), "php": ask("php-fpm8.2", "-v"),
            "uwsgi": ask("uwsgi_python3", "--version"),
            "gcc": ask("gcc", "--version")}


def sentence(build):
    """For the head of a file of results."""
    found = costs(build)
    return ("Machine: {cpu}, {cores} cores, Linux {kernel}; a system call takes "
            "{call:.2f} µs, a switch of process {switch:.1f} µs "
            "(`bench/machine.c`).".format(
                call=found["system_call_ns"] / 1e3,
                switch=found["switch_ns"] / 1e3, **identity()))

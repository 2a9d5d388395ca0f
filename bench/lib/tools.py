"""The programs only benchmarks need, built from bench/ and tests/reference."""

import os
import pathlib
import subprocess
import tempfile

import machine

HERE = pathlib.Path(__file__).resolve().parent.parent
TOP = HERE.parent

# {program: sources and libraries}
PROGRAMS = {
    "machine": [HERE / "machine.c", "-lm"],
    "delay_downstream": [HERE / "delay_downstream.c"],
    "load": [HERE / "load/load.c", HERE / "load/latency.c", "-lm"],
    "libfcgi_pool": [TOP / "tests/reference/libfcgi/pool.c", "-lfcgi"]}


def commit():
    """Of this tree, where there is one."""
    done = subprocess.run(["git", "-C", TOP, "describe", "--always"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def compile_program(program, command, sources, last=(), env=None):
    """Make `program` by the command, then "-o FILE", then `last`, if a source is
    as young as it. Others may do so at the same time."""
    if program.exists() and all(
            source.stat().st_mtime < program.stat().st_mtime
            for source in sources):
        return
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as room:
        made = pathlib.Path(room) / program.name
        subprocess.run([*command, "-o", made, *last], check=True,
                       env={**os.environ, **(env or {})})
        os.replace(made, program)


def build(directory):
    """Build all of PROGRAMS, and measure the machine while it is quiet."""
    if not (directory / "src/tallyd").exists():
        raise SystemExit(f"bench: no tallyd in {directory}; ./bootstrap build")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "json-c", "libcurl"],
        capture_output=True, text=True, check=True).stdout.split()
    for name, parts in PROGRAMS.items():
        compile_program(directory / "bench" / name, [
            "gcc", "-O2", "-Wall", "-D_GNU_SOURCE", *parts, *flags],
            parts[0].parent.glob("*.[ch]"))
    print(machine.sentence(directory), flush=True)

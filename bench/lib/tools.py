"""The programs only benchmarks need, built from bench/ and tests/reference."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent.parent
TOP = HERE.parent


def commit():
    """Of this tree, where there is one."""
    done = subprocess.run(["git", "-C", TOP, "describe", "--always"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def build(directory):
    if not (directory / "src/tallyd").exists():
        raise SystemExit(f"bench: no tallyd in {directory}; ./bootstrap build")
    (directory / "bench").mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "json-c", "libcurl"],
        capture_output=True, text=True, check=True).stdout.split()
    for name, parts in {
            "delay_downstream": [HERE / "delay_downstream.c"],
            "load": [HERE / "load/load.c", HERE / "load/latency.c", "-lm"],
            "libfcgi_pool": [TOP / "tests/reference/libfcgi/pool.c", "-lfcgi",
                             *flags]}.items():
        subprocess.run(["gcc", "-O2", "-Wall", "-D_GNU_SOURCE", *parts, "-o",
                        directory / "bench" / name], check=True)

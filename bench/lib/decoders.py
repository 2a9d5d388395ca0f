"""The program bench/decode/decode.c and its peers: built at their best, run.

"native" is this CPU; "avx2" is what a CPU without AVX-512 would get, on every
side. Both can be measured where both can run."""

import json
import os
import pathlib
import platform
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent.parent / "decode"
TOP = HERE.parent.parent
# {--isa: (-march of the peers, simdjson's implementation, tallyd's path)}
ISAS = {"native": ("native", None, None),
        "avx2": ("haswell", "haswell", "avx2")}
# In the order of the tables.
DECODERS = ("tallyd", "tallyd_8k", "simdjson_ondemand", "simdjson_dom",
            "rapidjson", "serde_json", "json_c", "node")
VALIDATING = ("simdjson_dom", "rapidjson")

CRATES = "/usr/share/cargo/registry"  # of Debian's packages; no network
CARGO_CONFIG = f"""\
[source.crates-io]
replace-with = "debian"

[source.debian]
directory = "{CRATES}"
"""


def missing():
    """What has to be installed for it, or None."""
    for tool in ("gcc", "g++", "cargo", "pkg-config"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    for header in ("simdjson.h", "rapidjson/reader.h"):
        done = subprocess.run(["g++", "-E", "-x", "c++", "-"], text=True,
                              input=f"#include <{header}>", check=False,
                              capture_output=True)
        if done.returncode:
            return f"there is no <{header}>"
    if not any(pathlib.Path(CRATES).glob("serde_json-1*")):
        return "librust-serde-json-dev is not installed"
    return None


def versions():
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "libsimdjson-dev",
         "rapidjson-dev", "librust-serde-json-dev", "libjson-c5"],
        capture_output=True, text=True, check=False)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def build_serde(directory, march):
    """The static library of the serde_json decoder."""
    home, source = directory / "cargo", directory / "serde-source"
    for folder in (home, source / "src"):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(CARGO_CONFIG)
    for name in ("Cargo.toml", "src/lib.rs", "src/query.rs"):  # as they change: cargo looks
        text, copy = (HERE / "serde" / name).read_text(), source / name
        if not copy.exists() or copy.read_text() != text:
            copy.write_text(text)
    debian = os.path.exists("/usr/bin/rustc")
    subprocess.run(
        ["/usr/bin/cargo" if debian else "cargo", "build", "--release",
         "--offline", "--quiet", "--target-dir", directory / "serde"],
        cwd=source, check=True,
        env={**os.environ, "CARGO_HOME": str(home),
             "RUSTFLAGS": f"-C target-cpu={march}",
             **({"RUSTC": "/usr/bin/rustc"} if debian else {})})
    return directory / "serde/release/libdecode.a"


def compile_sources(directory, march, flags):
    """The objects; those older than any source are made again."""
    sources = sorted([*HERE.glob("*.c"), *HERE.glob("*.cc")])
    newest = max(path.stat().st_mtime for path in
                 [*sources, *HERE.glob("*.h"), *(TOP / "src").rglob("*.h")])
    objects, running = [], []
    for source in sources:
        objects.append(directory / f"{source.name}.o")
        if objects[-1].exists() and objects[-1].stat().st_mtime > newest:
            continue
        compiler = ["g++", "-std=c++17"] if source.suffix == ".cc" else \
            ["gcc", "-std=gnu17", "-D_GNU_SOURCE"]
        tuned = [f"-march={march}"] if platform.machine() == "x86_64" else []
        running.append(subprocess.Popen(
            [*compiler, "-O3", *tuned, "-Wall", "-Wextra", "-Werror", *flags,
             f"-I{TOP}/src", "-c", source, "-o", objects[-1]]))
    if any([one.wait() for one in running]):
        raise SystemExit("bench: the peers do not compile")
    return objects


def build(build_directory, isa):
    """The program's path."""
    if not (build_directory / "src/libtallyd.a").exists():
        raise SystemExit(f"bench: no libtallyd.a in {build_directory}; "
                         "./bootstrap build")
    march = ISAS[isa][0]
    directory = build_directory / f"bench/decode-{isa}"
    directory.mkdir(parents=True, exist_ok=True)
    serde = build_serde(directory, march)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "json-c", "zlib"],
                           capture_output=True, text=True,
                           check=True).stdout.split()
    objects = compile_sources(directory, march, flags)
    program = directory / "decode"
    subprocess.run(["g++", *objects, build_directory / "src/libtallyd.a", serde,
                    "-lsimdjson", *flags, "-lm", "-lpthread", "-ldl", "-o",
                    program], check=True)
    return program


class Program:
    """The built program with what it is asked for."""

    def __init__(self, build_directory, isa, array="items", field="value"):
        self.program = build(build_directory, isa)
        self.array, self.field = array, field
        _march, simdjson, path = ISAS[isa]
        self.options = [f"--array={array}", f"--field={field}"] + (
            [f"--isa={path}"] if path else [])
        self.environment = {**os.environ, **(
            {"SIMDJSON_FORCE_IMPLEMENTATION": simdjson} if simdjson else {})}

    def run(self, path, *options):
        """The lines it prints, or None when a body is refused."""
        done = subprocess.run([self.program, *self.options, *options, path],
                              env=self.environment, capture_output=True,
                              text=True, check=False)
        if done.returncode == 3:
            print(done.stderr.strip(), flush=True)
            return None
        if done.returncode:
            raise SystemExit(f"bench: {done.stderr.strip()}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def node(self, path, milliseconds):
        """{"ns", "sum"}, or None."""
        if not shutil.which("node"):
            return None
        done = subprocess.run(["node", HERE / "node.js", self.array, self.field,
                               str(milliseconds), path], capture_output=True,
                              text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

"""Which lines each test reaches, and how long it takes: found once by running
every test in a build that counts, kept there as reached.json.

The build is clang's, with counters mapped to a file as they count, so that a
process that is killed, or ends by _exit(), has counted, too
(https://clang.llvm.org/docs/SourceBasedCodeCoverage.html, continuous mode)."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from mutant_build import SRC, TOP, run

FLAGS = ("-O1 -g0 -fprofile-instr-generate -fcoverage-mapping "
         "-mllvm -runtime-counter-relocation -Qunused-arguments")
ENOUGH = 180  # seconds; a test that takes longer is not used


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


# SIOCSIFFLAGS, IFF_UP | IFF_LOOPBACK | IFF_RUNNING (netdevice(7))
LOOPBACK_UP = """import fcntl, os, socket, struct, sys
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh22x", b"lo", 0x49))
sys.exit(os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:]) != 0)"""


def isolated(command, isolate):
    """In a pid namespace of its own nothing is left behind, nobody else is
    signalled; in a network of its own no port is taken, for ports and addresses
    are chosen by the pid. The first process there is not the test: signals that
    it does not catch would not reach it (pid_namespaces(7))."""
    return ["unshare", "--pid", "--net", "--fork", "--kill-child",
            "--mount-proc", sys.executable, "-c", LOOPBACK_UP,
            *command] if isolate else list(command)


def start(command, directory, place, limit, isolate, **environment):
    """(whether the test passed, seconds that it took)."""
    began = time.monotonic()
    process = subprocess.Popen(
        isolated(command, isolate), cwd=directory, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
        env={**os.environ, "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1",
             **environment})
    try:
        text, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False, limit
    good = process.returncode == 0 and "\nnot ok" not in "\n" + text
    return good, time.monotonic() - began


def source_of(test):
    return TOP / (f"{test}.c" if "/" in test else f"tests/scenario/{test}.py")


def command_of(test, directory):
    if "/" in test:
        return [str(directory / test)]
    return [sys.executable, str(TOP / f"tests/scenario/{test}.py")]


def programs_of(directory):
    return {"TALLYD": str(directory / "src/tallyd"),
            "TALLYCTL": str(directory / "src/tallyctl")}


def lines_of(report):
    """{file of src/: its lines that were executed, and all that can be} of what
    `llvm-cov export -format=lcov` says."""
    found = {}
    for row in report.splitlines():
        kind, _, rest = row.partition(":")
        if kind == "SF":
            path = pathlib.Path(os.path.normpath(rest))
            name = str(path.relative_to(SRC)) if SRC in path.parents else None
            lines = {}
        elif kind == "DA" and name:
            line, count = rest.split(",")[:2]
            lines[int(line)] = int(count) > 0
        elif row == "end_of_record" and name and any(lines.values()):
            found[name] = {"digest": digest(SRC / name),
                           "hit": [n for n, hit in lines.items() if hit],
                           "all": list(lines)}
    return found


class Reached:
    def __init__(self, directory, isolate):
        self.directory = directory.resolve()
        self.isolate = isolate
        self.kept = self.directory / "reached.json"
        self.tests = json.loads(self.kept.read_text()) \
            if self.kept.is_file() else {}
        self.digests = {}

    def find(self, wanted, jobs):
        """Run those of `wanted` that have not run yet or are others now."""
        new = [test for test in wanted
               if self.tests.get(test, {}).get("digest")
               != digest(source_of(test))]
        if not new:
            return
        build = f"CC=clang BUILD={self.directory} " \
            f"CONFIGURE_ARGS=\"CFLAGS='{FLAGS}'\" ./bootstrap build"
        if not (self.directory / "src/tallyd").is_file():
            sys.exit(f"{self.directory} is not built: run\n{build}\n"
                     f"make -C {self.directory} build-tests")
        print(f"{len(new)} tests run to see what they reach", flush=True)
        with concurrent.futures.ThreadPoolExecutor(jobs) as crew:
            for test, row in zip(new, crew.map(self._run, new)):
                self.tests[test] = row
                if not row["good"]:
                    print(f"{test}: fails as it is; left out", flush=True)
                self._keep()

    def _keep(self):
        new = self.kept.with_suffix(".new")
        new.write_text(json.dumps(self.tests))
        new.replace(self.kept)

    def _run(self, test):
        with tempfile.TemporaryDirectory(prefix="tallyd-reached.") as place:
            os.chmod(place, 0o755)  # web servers run as somebody else
            counts = pathlib.Path(place) / "counts"
            counts.mkdir(mode=0o777)
            good, seconds = start(
                command_of(test, self.directory), self.directory, place,
                ENOUGH, self.isolate,
                LLVM_PROFILE_FILE=f"{counts}/%p-{os.path.basename(test)}%c",
                **programs_of(self.directory))
            return {"digest": digest(source_of(test)), "good": good,
                    "seconds": round(seconds, 2),
                    "files": self._read(test, counts) if good else {}}

    def _read(self, test, counts):
        # An empty one is of a process that was killed while it began.
        raw = [str(path) for path in counts.iterdir() if path.stat().st_size]
        if not raw:
            return {}
        whole = counts / "all"
        names = counts / "names"
        names.write_text("\n".join(raw))
        run(["llvm-profdata", "merge", "-failure-mode=all", "-o", str(whole),
             "-f", str(names)])
        objects = [str(self.directory / test)] if "/" in test else \
            [str(self.directory / "src/tallyd"),
             "-object", str(self.directory / "src/tallyctl")]
        told = run(["llvm-cov", "export", "-format=lcov",
                    f"-instr-profile={whole}", *objects]).stdout
        shutil.rmtree(counts, ignore_errors=True)
        return lines_of(told)

    def knows(self, path):
        """Has the file a line that is code?"""
        name = str(path.relative_to(SRC))
        return any(name in row["files"] for row in self.tests.values())

    def who(self, path, first, last):
        """Tests that reach one of the lines first to last of a file of src/, as
        (seconds, test). A line that is no code, such as a table's, is reached
        with any line of its file, and so is every line of a file that has
        changed since."""
        name = str(path.relative_to(SRC))
        if name not in self.digests:
            self.digests[name] = digest(path)
        wanted = set(range(first, last + 1))
        for test, row in self.tests.items():
            file = row["files"].get(name)
            if not row["good"] or file is None:
                continue
            if file["digest"] != self.digests[name] \
                    or not wanted & set(file["all"]) \
                    or wanted & set(file["hit"]):
                yield row["seconds"], test

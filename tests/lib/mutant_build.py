"""A mutant compiled and linked as make would do it, in a build that is only
read."""

import hashlib
import pathlib
import shlex
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SRC = TOP / "src"
LIBRARY = "src/libtallyd.a"

# A mutant that is the same to one of these optimizers is the same program
# (Papadakis and others, "Trivial Compiler Equivalence", 2015).
LEVELS = ("-O1", "-O3", "-Os")


def run(command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          text=True, errors="replace", check=False, **how)


def names_in(dependencies):
    """What a .Po file of automake names."""
    return dependencies.read_text(errors="replace").replace("\\\n",
                                                            " ").split()


class Build:
    """What make would do, read off it once for each object and program."""

    def __init__(self, directory):
        self.directory = directory.resolve()
        self.known = {}
        self.unchanged = {}
        self.lock = threading.Lock()
        if not (self.directory / LIBRARY).is_file():
            sys.exit(f"{directory} is not built: run ./bootstrap check first")

    def command(self, changed, target):
        with self.lock:
            if target not in self.known:
                told = run(["make", "-n", "V=1", "-W", changed, target],
                           cwd=self.directory).stdout.replace("\\\n", " ")
                self.known[target] = next(
                    (part for line in told.splitlines()
                     for part in line.replace("&&", ";").split(";")
                     if f" -o {target} " in part), None)
            if self.known[target] is None:
                sys.exit(f"make does not say how it makes {target}")
            return self.known[target]

    def dependents(self, path):
        """Objects of the library that are made from a file of src/."""
        for deps in sorted(self.directory.glob("src/**/.deps/*.Po")):
            if str(path) in names_in(deps):
                yield (deps.parent.parent / deps.stem).relative_to(
                    self.directory).with_suffix(".o")

    def compile(self, place, target, overlay, level=""):
        """The object with `overlay` before src/; None: it is no C."""
        source = str(target.with_suffix(".c"))
        out = place / (str(target).replace("/", "_") + level)
        kept = []
        skip = False
        for word in shlex.split(self.command(source, str(target))):
            if skip:
                skip = False
            elif word in ("-MT", "-MF", "-o"):
                skip = True
            elif word not in ("-MD", "-MP", "-g", "-Werror", source,
                              str(TOP / source)):
                kept.append(word)
        changed = overlay.parent / source
        file = changed if changed.exists() else TOP / source
        kept[1:1] = [f"-I{overlay}", "-w", "-g0",
                     f"-frandom-seed={target}",
                     f"-ffile-prefix-map={overlay}={SRC}"]
        done = run([*kept, *filter(None, [level]), "-c", "-o", str(out),
                    str(file)], cwd=self.directory)
        return out if done.returncode == 0 else None

    def changed(self, work, place, target, overlay, level=""):
        """(object, whether it is another than without the mutant)."""
        out = self.compile(place, target, overlay, level)
        if out is None:
            return None, True
        key = target, level
        with self.lock:
            known = self.unchanged.get(key)
        if known is None:
            old = work / "unchanged"
            old.mkdir(exist_ok=True)
            empty = work / "no-overlay"
            empty.mkdir(exist_ok=True)
            known = hashlib.sha256(self.compile(
                old, target, empty, level).read_bytes()).digest()
            with self.lock:
                self.unchanged[key] = known
        return out, hashlib.sha256(out.read_bytes()).digest() != known

    def own_object(self, place, target, path, overlay):
        """That of a test that uses the file itself, as a header; None: it does
        not, or it is no C then."""
        test = self.directory / target
        deps = test.parent / ".deps" / f"{test.name}.Po"
        if not deps.is_file() or str(path) not in names_in(deps):
            return None
        return self.compile(place, pathlib.Path(f"{target}.o"), overlay)

    def link(self, place, target, objects, own=None):
        """A program with these objects before the library, and `own` in place
        of its own; None: there is none."""
        command = self.command(LIBRARY, target)
        out = place / pathlib.Path(target).name
        words = shlex.split(command)
        words[words.index("-o") + 1] = str(out)
        if own is not None:
            words[words.index(f"{target}.o")] = str(own)
        # main.o may be among what has changed: of two the first counts.
        words[1:1] = [*map(str, objects), "-Wl,--allow-multiple-definition"]
        done = run(words, cwd=self.directory)
        return out if done.returncode == 0 else None

"""What the checks of the tree have in common. A check is a title and the lines
that say what is wrong."""

import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
GENERATED = {".git", "autom4te.cache", "build-aux", "m4", "configure",
             "aclocal.m4", "Makefile.in", "__pycache__", "target",
             "node_modules"}


def own_files(folder=TOP):
    """Every file of the tree but what a build or ./bootstrap has made."""
    names = sorted(os.listdir(folder))
    if "config.status" in names or "CMakeCache.txt" in names:
        return
    for name in names:
        path = folder / name
        if name in GENERATED or name[0] == "_" or name[-1] == "~":
            continue
        if folder == TOP and (name == "build" or name.startswith("build-")):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from own_files(path)
        elif path.is_file():
            yield path


def differences(what, expected, found):
    """Lines for what is missing in or too much of `found`."""
    for name in expected:
        if name not in found:
            yield f"{what}: {name} is missing"
    for name in found:
        if name not in expected:
            yield f"{what}: {name} does not exist"


def read_table(path, *macros):
    """[(macro, argument, ...)] for each MACRO(a, "b" "c", 3) of a .def file. An
    argument (a, b_c) is given as "a|b-c", as tallyd writes choices."""
    text = (TOP / path).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/|^#(?:[^\n]*\\\n)*[^\n]*$", "", text,
                  flags=re.S | re.M)
    token = re.compile(r'"((?:\\.|[^"\\])*)"|(\w+)|([(),])')
    rows, row, depth = [], None, 0
    for string, word, mark in token.findall(text):
        if row is None:
            row, depth = [word] if word in macros else None, 0
        elif mark == "(":
            depth += 1
            if depth == 1:
                row.append("")
        elif mark == ",":
            if depth == 1:
                row.append("")
            else:
                row[-1] += "|"
        elif mark == ")":
            depth -= 1
            if depth == 0:
                rows.append(tuple(row))
                row = None
        elif depth > 1:
            row[-1] += word.replace("_", "-")
        else:
            row[-1] += word or string.replace('\\"', '"')
    return rows


def run(*arguments):
    """(exit status, all that it printed)"""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True,
                              timeout=300, check=False)
    except OSError as error:
        return 127, str(error)
    return done.returncode, done.stdout + done.stderr


def report(checks, skipped=()):
    """Print [(title, faults)] as TAP, and [(title, why)] that are left out. The
    exit status."""
    print(f"1..{len(checks) + len(skipped)}")
    failed = False
    for number, (title, faults) in enumerate(checks, 1):
        faults = list(faults)
        failed = failed or bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {title}")
        for fault in faults:
            print(f"# {fault}")
    for number, (title, why) in enumerate(skipped, len(checks) + 1):
        print(f"ok {number} - {title} # SKIP {why}")
    return 1 if failed else 0

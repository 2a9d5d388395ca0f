"""A small producer of TAP (testanything.org), version 12.

    @tap.test
    def an_empty_list_is_zero():
        tap.equal(got, wanted, "the sum")

    sys.exit(tap.run())

The title of a test is the docstring of the function, or its name."""

import sys
import time
import traceback

_tests = []
_reporters = []
_finishers = []


class Failure(AssertionError):
    """Why a test failed, in words that need no stack to be understood."""


class Skip(Exception):
    """Why a test cannot run here."""


class BailOut(Exception):
    """Why no test can run here."""


def title_of(function):
    text = function.__doc__ or function.__name__.replace("_", " ")
    return " ".join(text.split()).rstrip(".").replace("#", "no.")


def add(title, function):
    """A test that is made, not written."""
    _tests.append((title, function))


def test(function):
    """Decorator: run this function as one test."""
    add(title_of(function), function)
    return function


def on_failure(function):
    """`function()` gives lines that help to find out why a test failed."""
    _reporters.append(function)


def after_each(function):
    """`function(failed)` runs after each test; what it raises fails it."""
    _finishers.append(function)


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: wanted {shorten(wanted)}, got {shorten(got)}")


def contains(text, part, what):
    if part not in text:
        raise Failure(f"{what}: {shorten(part)} is not in {shorten(text)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 2000 else text[:1990] + "... (cut)"


def note(*lines):
    """Diagnostics, one comment line each."""
    for line in lines:
        for part in str(line).splitlines() or [""]:
            print("# " + part.encode("utf-8", "backslashreplace").decode())


def explain(error):
    if isinstance(error, (Failure, Skip)):
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if not frame.filename.endswith("tap.py")]
        note(error, "at " + ", ".join(
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            for frame in frames[-3:]))
    else:
        note(*traceback.format_exception(type(error), error,
                                         error.__traceback__))


def _run_one(function):
    """The exception the test ended with, or None."""
    error = None
    try:
        function()
    except Exception as raised:
        error = raised
    failed = error is not None and not isinstance(error, (Skip, BailOut))
    reports = [line for report in _reporters for line in report()] \
        if failed else []
    for finish in _finishers:
        try:
            finish(failed)
        except Exception as raised:
            error = error if failed else raised
            failed = True
    return error, reports


def run():
    """Run all tests; 0 when none failed."""
    failures = 0
    for number, (title, function) in enumerate(_tests, 1):
        began = time.monotonic()
        error, reports = _run_one(function)
        took = time.monotonic() - began
        if isinstance(error, BailOut):
            print(f"Bail out! {error}", flush=True)
            return 1
        if isinstance(error, Skip):
            print(f"ok {number} - {title} # SKIP {error}", flush=True)
            continue
        print(f"{'ok' if error is None else 'not ok'} {number} - {title}")
        if error is not None:
            failures += 1
            explain(error)
            note(*reports)
        if took >= 1:
            note(f"that took {took:.1f} s")
        sys.stdout.flush()
    print(f"1..{len(_tests)}", flush=True)
    return 1 if failures else 0


def skip_all(reason):
    """Nothing of this file can run here: say so and give the status."""
    print(f"1..0 # SKIP {reason}", flush=True)
    return 0

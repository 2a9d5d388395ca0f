"""Small faults in C source: where one can be put, and what it is.

The operators are the classical ones (DeMillo, Lipton and Sayward, "Hints on
Test Data Selection", 1978; Offutt and others, "An Experimental Determination of
Sufficient Mutant Operators", 1996): a relation, a connective, an operator, a
constant, a negation is another, or a statement is not there."""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r'(?P<skip>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
    r"|(?P<directive>^[ \t]*#(?:\\\n|[^\n])*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<operator><<=|>>=|\.\.\.|->|\+\+|--|[-+*/%&|^<>=!]=|&&|\|\||<<|>>"
    r"|[-+*/%&|^~!<>=?:;,.(){}\[\]])", re.S | re.M)

SWAPS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">",
         "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "|=": "&=",
         "++": "--", "--": "++", "<<": ">>", ">>": "<<"}
BINARY = {"+": "-", "-": "+", "|": "&"}
WORDS = {"true": "false", "false": "true"}
# A call, an assignment or a jump that is all of its line.
STATEMENT = re.compile(
    r"^([ \t]+)((?:[a-z_][\w.>\[\]-]*\([^;{}]*\)"
    r"|\*?[a-z_][\w.>\[\]-]*(?: [-+|&]?= [^;{}]*|\+\+|--)|break|continue);)$",
    re.M)
# A declaration without its initializer would not be another program but none.
TYPES = re.compile(r"^\s*(?:const |static |struct |enum |unsigned )|_Static_assert")


class Mutant(NamedTuple):
    start: int
    end: int
    text: str  # that stands there instead

    def of(self, source):
        return source[:self.start] + self.text + source[self.end:]

    def line(self, source):
        return source.count("\n", 0, self.start) + 1

    def lines(self, source):
        """The first and the last line that it changes."""
        return self.line(source), source.count("\n", 0, self.end) + 1

    def describe(self, source):
        """The line as it was, and what has become of it."""
        begin = source.rfind("\n", 0, self.start) + 1
        end = source.find("\n", self.end)
        was = source[begin:end]
        now = source[begin:self.start] + self.text + source[self.end:end]
        return " ".join(was.split()), " ".join(now.split())


def _tokens(source):
    return [match for match in TOKEN.finditer(source)
            if match.lastgroup != "skip" and match.lastgroup != "directive"]


def _is_value(token):
    return token is not None and (
        token.lastgroup in ("name", "number") and token[0] != "return"
        or token[0] in (")", "]"))


def _plain(number):
    return re.fullmatch(r"\d+", number) is not None


def _is_bound(before, token):
    """How many elements an array is declared with: one more is no fault."""
    return (token[0] != "1" and len(before) == 3
            and [t.lastgroup for t in before[:2]] == ["name", "name"]
            and before[0][0] not in ("return", "else") and before[2][0] == "[")


def _of_tokens(source):
    past = []
    for token in _tokens(source):
        before = past[-1] if past else None
        word, kind = token[0], token.lastgroup
        other = None
        if kind == "operator":
            other = SWAPS.get(word) or (
                BINARY.get(word) if _is_value(before) else None)
            if word == "!":
                other = ""
        elif kind == "name":
            other = WORDS.get(word)
        elif kind == "number" and _plain(word) and not _is_bound(past, token):
            other = str(int(word, 8 if word[0] == "0" else 10) + 1
                        if word != "1" else 0)
        if other is not None:
            yield Mutant(token.start(), token.end(), other)
        past = [*past[-2:], token]


def _of_statements(source):
    skipped = [match.span() for match in TOKEN.finditer(source)
               if match.lastgroup in ("skip", "directive")]
    for match in STATEMENT.finditer(source):
        inside = any(a <= match.start(2) < b for a, b in skipped)
        if not inside and not TYPES.search(match[0]):
            yield Mutant(match.start(2), match.end(2), ";")


def all_of(source):
    """Every mutant of one file, in the order of their places."""
    return sorted({*_of_tokens(source), *_of_statements(source)})


def read_equivalent(path):
    """{(file, line as it was, line as it is)} of a list of mutants that are the
    same program, each with a reason: see the list."""
    found = set()
    rows = [line for line in path.read_text().splitlines()
            if line and line[0] != "#"]
    for row in rows:
        if row[0] != " ":
            file = row
        elif row.startswith("  - "):
            was = row[4:]
        elif row.startswith("  + "):
            found.add((file, was, row[4:]))
    return found

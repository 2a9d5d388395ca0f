"""What a run posts: many bodies that differ, always the same ones in the same
order, with the sum of each.

Their kinds and sizes follow a sequence of low discrepancy (R2: Martin Roberts,
"The Unreasonable Effectiveness of Quasirandom Sequences"), not chance: the
first few are already the mixture, so that a peer that gets through fewer of
them in its time has had the same work per body."""

import bisect
import itertools
import json
import math
import random
import statistics

import bodies
import shapes_more  # noqa: F401 (it adds its own to SHAPES)
from shapes import SEED, SHAPES

COUNT = 200

# Sizes are log-normal, and their mean is the number of items asked for. A tenth
# has more than 1.8 times as many, a hundredth more than 3.4 times.
SPREAD = 0.6

# No more items are made of a shape; bodies take the next ones, in a circle.
ITEMS_MOST = 4000

REPEATED = "repeated"  # one body of `minimal` items again and again
MIXED = "mixed"
MIXTURE = {
    # ordinary
    "minimal": 15, "orders": 15, "events": 15,
    # optional members
    "optional-70": 10, "rare-member": 10,
    # other orders of members
    "members-shuffled": 8, "orders-of-members-8": 7,
    # not ASCII
    "scripts-mixed": 5, "cyrillic": 5, "cjk-short": 5,
    # irregular
    "heterogeneous": 2, "trees": 1, "keys-random": 1, "wide-60-optional": 1,
}
assert sum(MIXTURE.values()) == 100

# 1 / g and 1 / g^2, where g^3 = g + 1.
STEPS = 0.7548776662466927, 0.5698402909980532


def names():
    """What a scenario may name; bodies of fractions have no exact sum."""
    return [MIXED, REPEATED, *(one.name for one in SHAPES if not one.doubles)]


def points(count):
    """`count` pairs between 0 and 1, spread evenly however few are taken."""
    for number in range(1, count + 1):
        yield tuple(number * step % 1 for step in STEPS)


def size(items, share):
    """The number of items that `share` of the bodies do not exceed."""
    normal = statistics.NormalDist(-SPREAD ** 2 / 2, SPREAD)
    return max(round(items * math.exp(normal.inv_cdf(share))), 1)


class Source:
    """The items of one shape, one after the other."""

    def __init__(self, name):
        self.shape = next(one for one in SHAPES if one.name == name)
        self.rng = random.Random(f"{SEED} {name} traffic")
        self.make = self.shape.make(self.rng)
        self.items, self.values, self.at = [], [], 0

    def body(self, count, total):
        """(text, sum) of the next `count` items. With `total` a last item
        makes that the sum."""
        while len(self.items) < min(self.at + count, ITEMS_MOST):
            self.items.append(self.make(len(self.items)))
            self.values.append(json.loads(self.items[-1])["value"])
        taken = [(self.at + n) % ITEMS_MOST for n in range(count)]
        self.at = (self.at + count) % ITEMS_MOST
        items = [self.items[n] for n in taken]
        found = sum(self.values[n] for n in taken) * 2
        if total is not None:
            items.append(f'{{"value":{(total - found) // 2}}}')
            found = total
        return self.shape.around(self.rng, items), found


def draw(shape, items, count=COUNT, total=None):
    """[(body, sum)] of a shape, of the mixture, or the one that is repeated.
    With `total`, an even number, each has that sum."""
    if shape == REPEATED:
        return [bodies.make("minimal", items)]
    mixture = MIXTURE if shape == MIXED else {shape: 1}
    sources = [Source(name) for name in mixture]
    limits = list(itertools.accumulate(mixture.values()))
    drawn = []
    for share, kind in points(count):
        source = sources[bisect.bisect(limits, kind * limits[-1])]
        text, found = source.body(size(items, share), total)
        drawn.append((text.encode(), found))
    return drawn


def answer(downstream, total):
    """What a peer has to reply."""
    return '{"ok":true}' if downstream else f'{{"sum":{total}}}'


def write(path, drawn, wanted=lambda _total: ""):
    """A file for bench/load: for each body a line of its length and of the
    reply to that sum that is right (none: any), then the body."""
    with path.open("wb") as out:
        for body, total in drawn:
            out.write(f"{len(body)} {wanted(total)}\n".encode() + body)
    return path


def write_scenario(path, scenario):
    """The file of a scenario of plan.py; gives what was drawn."""
    drawn = draw(scenario.shape, scenario.items)
    write(path, drawn, lambda total: answer(scenario.downstream != "none",
                                            total))
    return drawn

"""The shapes of bodies that the decoders are measured with, each made by chance
from a seed of its own, so that all of them are always the same.

A shape is { items: [ { value: number, ... } ] }. `SHAPES` has them in the order
of the tables. Its `make(rng)` gives a function that makes the text of the item
with a number, `around(rng, items)` the body of its items' texts."""

import dataclasses
import json
import random
import re

import bodies
from documents import compact, words

SEED = "tallyd 1"
SMALL_ITEMS, SMALL_BODIES = 20, 200
LARGE_BYTES = 600_000
LARGE_ITEMS = (1000, 20000)


def plain(_rng, items):
    return '{"items":[' + ",".join(items) + "]}"


@dataclasses.dataclass
class Shape:
    name: str
    family: str
    make: object
    around: object = plain
    doubles: bool = False
    strings: bool = False  # they are nearly all of the body
    beyond_doubles: bool = False  # Node cannot have the sum

    def large(self):
        """One body of 1,000 to 20,000 items, about LARGE_BYTES of them."""
        rng = random.Random(f"{SEED} {self.name} large")
        item, items, size = self.make(rng), [], 0
        least, most = LARGE_ITEMS
        while len(items) < most and (size < LARGE_BYTES or len(items) < least):
            items.append(item(len(items)))
            size += len(items[-1].encode())
        return self.around(rng, items)

    def small(self, count=SMALL_BODIES):
        """Many different bodies; the first are the same for any count."""
        rng = random.Random(f"{SEED} {self.name} small")
        item = self.make(rng)
        return [self.around(rng, [item(body * SMALL_ITEMS + n)
                                  for n in range(SMALL_ITEMS)])
                for body in range(count)]


SHAPES = []


def shape(family, name=None, **more):
    """`make` is a shape of that family."""
    def add(make):
        SHAPES.append(Shape(name or make.__name__.replace("_", "-"), family,
                            make, **more))
        return make
    return add


def digits(rng, least, most):
    """An integer with so many digits."""
    count = rng.randrange(least, most + 1)
    return rng.randrange(10 ** (count - 1) if count > 1 else 0, 10 ** count)


def obj(members):
    return "{" + ",".join(members) + "}"


# --- Ordinary. ---

@shape("ordinary")
def minimal(rng):
    return lambda n: compact(bodies.minimal_item(n + rng.randrange(1000)))


@shape("ordinary")
def orders(rng):
    return lambda n: compact(bodies.order_item(n, rng))


@shape("ordinary")
def value_alone(rng):
    return lambda n: f'{{"value":{rng.randrange(100000)}}}'


@shape("ordinary")
def events(rng):
    return lambda n: compact({
        "type": rng.choice(["sale", "return", "refund"]),
        "at": f"2026-03-{rng.randrange(10, 30)}T12:{rng.randrange(10, 60)}:07Z",
        "shop": rng.randrange(100, 999), "value": rng.randrange(100, 99999),
        "currency": "EUR", "card": rng.random() < 0.5})


def indented(indent):
    return lambda _rng, items: json.dumps(
        json.loads(plain(None, items)), indent=indent, ensure_ascii=False)


for _name, _indent in (("pretty-2", 2), ("pretty-4", 4), ("pretty-tab", "\t")):
    shape("white space", _name, around=indented(_indent))(orders)

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[^"{}\[\],:]+|[{}\[\],:]')


def spaced(rng, items):
    """Between any two tokens none to ten of the four kinds of white space."""
    some = ["".join(rng.choices(" \n\t\r", (12, 2, 2, 1), k=rng.randrange(11)))
            for _ in range(500)] + [""] * 300
    return TOKEN.sub(lambda token: token[0] + rng.choice(some),
                     plain(rng, items))


shape("white space", "space-random", around=spaced)(orders)


# --- Lengths, orders, optional members, names. ---

@shape("lengths")
def numbers_of_any_length(rng):
    return lambda n: (f'{{"id":{digits(rng, 1, 18)},'
                      f'"value":{digits(rng, 1, 9)}}}')


@shape("lengths")
def texts_of_any_length(rng):
    return lambda n: compact({
        "id": n, "title": words(rng, 30)[:rng.randrange(120)],
        "value": digits(rng, 1, 6), "note": words(rng, 9)[:rng.randrange(40)]})


def six_members(rng, n):
    return [f'"id":{n}', f'"value":{rng.randrange(10000)}',
            f'"sku":"AB-{rng.randrange(10 ** 6):06d}"', '"from":"DE"',
            f'"gift":{rng.choice(("true", "false"))}',
            f'"price":{rng.randrange(10 ** 5) / 100}']


def orders_of_members(count):
    def make(rng):
        ways = []
        while len(ways) < count:
            way = rng.sample(range(6), 6)
            if way not in ways:
                ways.append(way)

        def item(n):
            members, way = six_members(rng, n), rng.choice(ways)
            return obj([members[i] for i in way])
        return item
    return make


for _count in (1, 2, 4, 8, 24, 120):
    shape("orders of members", f"orders-of-members-{_count}")(
        orders_of_members(_count))


@shape("orders of members")
def members_shuffled(rng):
    def item(n):
        members = list(bodies.order_item(n, rng).items())
        rng.shuffle(members)
        return compact(dict(members))
    return item


@shape("optional members")
def optional_70(rng):
    def item(n):
        whole = bodies.order_item(n, rng)
        return compact({key: value for key, value in whole.items()
                        if key == "value" or rng.random() < 0.7})
    return item


@shape("optional members")
def optional_null(rng):
    def item(n):
        whole = bodies.order_item(n, rng)
        return compact({key: value if key == "value" or rng.random() < 0.5
                        else None for key, value in whole.items()})
    return item


@shape("optional members")
def rare_member(rng):
    def item(n):
        whole = bodies.order_item(n, rng)
        if rng.random() < 0.05:
            whole["warning"] = words(rng, 4)
        return compact(whole)
    return item


def name(rng):
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz_",
                               k=rng.randrange(3, 15)))


def names_of_one_key(count):
    """One key of the item has `count` names; None: always another."""
    def make(rng):
        names = [name(rng) for _ in range(count or 0)]

        def item(n):
            key = rng.choice(names) if names else name(rng) + str(n)
            return (f'{{"id":{n},"{key}":"{words(rng, 1)}",'
                    f'"value":{rng.randrange(10000)},"to":"FR"}}')
        return item
    return make


for _count in (1, 4, 16, 256, None):
    shape("key sets", f"one-key-{_count or 'random'}")(names_of_one_key(_count))


@shape("key sets")
def keys_random(rng):
    def item(n):
        members = [f'"{name(rng)}":{rng.randrange(1000)}' for _ in range(8)]
        members.insert(rng.randrange(9), f'"value":{rng.randrange(10000)}')
        return obj(members)
    return item


@shape("key sets")
def keys_alike(rng):
    """Names that begin or end as the wanted one does, and are as long."""
    alike = ["valve", "valuf", "values", "valu", "vblue", "vague", "Value",
             "value_", "_value", "evalue", "v", "vwxye", "virtue", "valued"]

    def item(_n):
        members = [f'"{key}":{rng.randrange(1000)}'
                   for key in rng.sample(alike, 7)]
        members.insert(rng.randrange(8), f'"value":{rng.randrange(10000)}')
        return obj(members)
    return item


# --- Heterogeneous, deep, wide. ---

def tree(rng, levels):
    """Any value of so many levels at most."""
    kind = rng.randrange(10 if levels else 6)
    if kind < 2:
        return digits(rng, 1, 9)
    if kind < 4:
        return words(rng, rng.randrange(1, 5))
    if kind < 6:
        return rng.choice([True, False, None, 0.25, -1.5])
    if kind < 8:
        return [tree(rng, levels - 1) for _ in range(rng.randrange(4))]
    return {name(rng): tree(rng, levels - 1) for _ in range(rng.randrange(5))}


@shape("heterogeneous")
def heterogeneous(rng):
    """Members of any number, order, names, kinds and depth."""
    names = [name(rng) for _ in range(60)]

    def item(_n):
        members = [(key, tree(rng, 2))
                   for key in rng.sample(names, rng.randrange(1, 9))]
        members.insert(rng.randrange(len(members) + 1),
                       ("value", rng.randrange(10000)))
        return compact(dict(members))
    return item


@shape("heterogeneous")
def twelve_kinds(rng):
    """Items of twelve classes, each always made alike."""
    kinds = [[name(rng) for _ in range(rng.randrange(2, 9))]
             for _ in range(12)]

    def item(n):
        whole = {key: rng.randrange(10000) if i % 2 else words(rng, 2)
                 for i, key in enumerate(rng.choice(kinds))}
        return compact({"id": n, **whole, "value": rng.randrange(10000)})
    return item


@shape("heterogeneous")
def types_vary(rng):
    """The same members, whose values are of any type."""
    return lambda n: compact({"id": n, "a": tree(rng, 1), "b": tree(rng, 0),
                              "value": rng.randrange(10000),
                              "c": tree(rng, 1), "d": tree(rng, 0)})


@shape("deep")
def trees(rng):
    def item(_n):
        return compact({"left": tree(rng, 5), "value": rng.randrange(10000),
                        "right": {"of": tree(rng, 6)}})
    return item


@shape("deep")
def chains(rng):
    """Twenty to ninety levels, one in the other."""
    def item(n):
        opened = rng.choices(["[", '{"a":'], k=rng.randrange(20, 90))
        closed = ["]" if one == "[" else "}" for one in reversed(opened)]
        return (f'{{"id":{n},"chain":{"".join(opened)}1{"".join(closed)},'
                f'"value":{rng.randrange(10000)}}}')
    return item


@shape("deep")
def matrices(rng):
    return lambda n: compact({"cells": [[rng.randrange(100) for _ in range(6)]
                                        for _ in range(6)],
                              "value": rng.randrange(10000)})


def wide_item(rng, keys, n):
    return {"id": n, **{key: words(rng, 2) if i % 3 == 0 else
                        rng.randrange(10 ** 6) if i % 3 == 1 else
                        rng.random() < 0.5 for i, key in enumerate(keys)},
            "value": rng.randrange(10000)}


@shape("wide")
def wide_60(rng):
    keys = [name(rng) for _ in range(58)]
    return lambda n: compact(wide_item(rng, keys, n))


@shape("wide")
def wide_60_optional(rng):
    keys = [name(rng) for _ in range(85)]
    return lambda n: compact(wide_item(rng, [key for key in keys
                                             if rng.random() < 0.7], n))

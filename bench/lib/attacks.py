"""What a client could send to slow others down: bodies of about 32 KiB that
make a decoder work hard, remember much or forget all. Most are right, some are
wrong at the very end."""

import random

from documents import compact
from shapes import SEED, SHAPES, name, tree

BYTES = 32 * 1024


def filled(part, head='{"items":[', tail="]}", separator=","):
    """As many parts, each from `part()`, as make a body."""
    parts, size = [], 0
    while size < BYTES:
        parts.append(part())
        size += len(parts[-1]) + len(separator)
    return head + separator.join(parts) + tail


def beside_items(text):
    return '{"more":' + text + ',"items":[{"value":1}]}'


def heterogeneous(rng):
    def part():
        members = [(name(rng), tree(rng, 2)) for _ in range(6)]
        return compact(dict([*members, ("value", rng.randrange(1000))]))
    return filled(part)


def new_keys(rng):
    """No two items have a member in common but the value."""
    return filled(lambda: f'{{"{name(rng)}":1,"{name(rng)}":2,"value":3}}')


def new_lengths(rng):
    """The value stands at another place in each item."""
    return filled(lambda: f'{{"{"k" * rng.randrange(1, 90)}":'
                          f'{rng.randrange(10 ** rng.randrange(1, 18))},'
                          f'"value":{rng.randrange(10 ** 6)}}}')


def nearly_value(rng):
    """Every member begins as the wanted one does."""
    return filled(lambda: '{"valu":1,"valuf":2,"values":3,"valve":4,'
                          f'"value":{rng.randrange(10)}}}')


def value_again(_rng):
    """The last of the values counts; there are as many as fit."""
    return '{"items":[{' + filled(lambda: '"value":1', "", "") + "}]}"


def value_deeper(rng):
    return filled(lambda: '{"a":{"value":1,"items":[{"value":2}]},'
                          f'"value":{rng.randrange(99)}}}')


def items_again(_rng):
    """The last of the arrays counts; each forgets the one before."""
    return filled(lambda: '"items":[{"value":1}]', "{", "}")


def value_escaped(_rng):
    return filled(lambda: r'{"\u0076\u0061\u006c\u0075\u0065":1}')


def value_of_19_digits(rng):
    def part():
        value, other = (rng.randrange(10 ** 18, 9 * 10 ** 18) for _ in "ab")
        return f'{{"value":{value}}},{{"value":-{other}}}'
    return filled(part)


def brackets(_rng):
    return beside_items(filled(lambda: "[],{}", "[", "]"))


def nested(_rng):
    return beside_items(filled(lambda: "[" * 1000 + "]" * 1000, "[", "]"))


def commas(rng):
    return beside_items(filled(lambda: str(rng.randrange(10)), "[", "]"))


def quotes(_rng):
    return beside_items(filled(lambda: '""', "[", "]"))


def words(rng):
    return beside_items(filled(lambda: rng.choice(["true", "false", "null"]),
                               "[", "]"))


def backslashes(_rng):
    return beside_items('"' + "\\\\" * (BYTES // 2) + '"')


def surrogates(_rng):
    return beside_items('"' + r"\ud83d\ude00" * (BYTES // 12) + '"')


def scripts(rng):
    """Each character has another number of bytes than the one before."""
    text = "".join(rng.choice("aé漢😀") for _ in range(BYTES // 3))
    return beside_items('"' + text + '"')


def exponents(rng):
    return beside_items(filled(lambda: f"-{rng.randrange(1, 10)}."
                                       f"{rng.randrange(10 ** 4)}E+"
                                       f"{rng.randrange(300)}", "[", "]"))


def long_number(rng):
    return beside_items("0." + "".join(rng.choices("0123456789", k=BYTES)))


def spaces(_rng):
    return filled(lambda: '{"value":1}' + " " * 200)


def wrong_at_the_end(rng):
    return heterogeneous(rng)[:-1] + "]"


def cut_in_a_string(_rng):
    return beside_items('"' + "a" * BYTES)[:-30]


def wrong_letter(_rng):
    """Its last string is not UTF-8."""
    text = filled(lambda: '{"value":1}') + " "
    return text[:-3].encode() + b',{"value":2,"a":"\xed\xa0\x80"}]}'


MAKERS = [heterogeneous, new_keys, new_lengths, nearly_value, value_again,
          value_deeper, items_again, value_escaped, value_of_19_digits,
          brackets, nested, commas, quotes, words, backslashes, surrogates,
          scripts, exponents, long_number, spaces, wrong_at_the_end,
          cut_in_a_string, wrong_letter]


# Whom they are beside.
REGULAR = ("minimal", "orders")


def regular(name_):
    """A body as large as those above, of items that are as all others."""
    one = next(one for one in SHAPES if one.name == name_)
    rng = random.Random(f"{SEED} regular {name_}")
    item, number = one.make(rng), iter(range(BYTES))
    return filled(lambda: item(next(number))).encode()


def make():
    """(name, bytes) of each, and of all kinds of items in one body."""
    for maker in MAKERS:
        rng = random.Random(f"{SEED} attack {maker.__name__}")
        body = maker(rng)
        yield (maker.__name__.replace("_", "-"),
               body if isinstance(body, bytes) else body.encode())
    rng = random.Random(f"{SEED} attack all kinds")
    shapes = [one.make(rng) for one in SHAPES if not one.doubles]
    yield "all-kinds", filled(lambda: rng.choice(shapes)(1)).encode()

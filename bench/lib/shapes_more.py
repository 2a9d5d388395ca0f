"""More of bench/lib/shapes.py: numbers, strings, escapes, what is skipped,
mixtures."""

import json

import bodies
import documents
from documents import compact, letters, quote, words
from shapes import (SHAPES, digits, heterogeneous, minimal, obj, orders,
                    shape, wide_60)


# --- Numbers. ---

def around_value(rng, others):
    """Items of numbers of which only the value, an integer, counts."""
    return lambda n: obj([f'"a":{others()}', f'"b":{others()}',
                          f'"value":{rng.randrange(10000)}',
                          f'"c":[{others()},{others()}]'])


def fraction(rng):
    return f"{rng.choice(('', '-'))}{digits(rng, 1, 6)}.{digits(rng, 1, 8)}"


def exponent(rng):
    return (f"{rng.choice(('', '-'))}{rng.randrange(1, 10)}"
            f"{rng.choice(('', '.25', '.' + str(digits(rng, 1, 6))))}"
            f"{rng.choice('eE')}{rng.choice(('', '+', '-'))}"
            f"{rng.randrange(30)}")


@shape("numbers")
def values_of_1_digit(rng):
    return lambda n: f'{{"a":{rng.randrange(10)},"value":{rng.randrange(10)}}}'


@shape("numbers")
def values_of_1_to_15_digits(rng):
    return lambda n: (f'{{"a":{digits(rng, 1, 18)},'
                      f'"value":{digits(rng, 1, 15)}}}')


@shape("numbers", beyond_doubles=True)
def values_of_19_digits(rng):
    """Each second takes the one before nearly back: the sum has to fit."""
    last = [0]

    def item(n):
        last[0] = (rng.randrange(10 ** 18, 4 * 10 ** 18) if n % 2 == 0 else
                   rng.randrange(10 ** 6) - last[0])
        return f'{{"id":{n},"value":{last[0]}}}'
    return item


@shape("numbers")
def values_negative(rng):
    return lambda n: (f'{{"a":{rng.randrange(-10 ** 6, 10 ** 3)},"value":'
                      f'{rng.randrange(-10 ** 6, 10 ** 3)}}}')


@shape("numbers")
def others_fractions(rng):
    return around_value(rng, lambda: fraction(rng))


@shape("numbers")
def others_exponents(rng):
    return around_value(rng, lambda: exponent(rng))


@shape("numbers")
def others_17_digits(rng):
    return around_value(rng, lambda: repr(rng.uniform(-180, 180)))


@shape("numbers", doubles=True)
def value_fractions(rng):
    return lambda n: f'{{"id":{n},"value":{rng.randrange(10 ** 6) / 100}}}'


@shape("numbers", doubles=True)
def value_exponents(rng):
    return lambda n: f'{{"id":{n},"value":{exponent(rng)}}}'


@shape("numbers", doubles=True)
def value_17_digits(rng):
    return lambda n: f'{{"id":{n},"value":{rng.uniform(-180, 180)!r}}}'


# --- Strings. ---

def with_text(text):
    """Items whose text is made by `text(rng)`, which gives it in quotes."""
    def make(rng):
        return lambda n: (f'{{"id":{n},"text":{text(rng)},'
                          f'"value":{rng.randrange(10000)}}}')
    return make


def of_script(script, least, most):
    return with_text(lambda rng: quote(letters(
        rng, script, rng.randrange(least, most + 1))))


shape("strings", "ascii-short")(with_text(
    lambda rng: quote(words(rng, 3)[:rng.randrange(4, 16)])))
shape("strings", "ascii-long", strings=True)(with_text(
    lambda rng: quote(words(rng, rng.randrange(40, 160)))))
shape("strings", "latin-accents")(of_script("latin", 10, 40))
shape("strings", "latin-long", strings=True)(of_script("latin", 200, 800))
shape("strings", "cyrillic")(of_script("cyrillic", 10, 60))
shape("strings", "cyrillic-long", strings=True)(of_script("cyrillic", 150, 500))
shape("strings", "cjk-short")(of_script("cjk", 3, 12))
shape("strings", "cjk-long", strings=True)(of_script("cjk", 100, 400))
shape("strings", "emoji", strings=True)(of_script("emoji", 10, 60))


@shape("strings")
def scripts_mixed(rng):
    def text():
        return " ".join(letters(rng, script, rng.randrange(2, 9)) for script
                        in rng.sample(list(documents.ALPHABETS), 3))
    return lambda n: (f'{{"text":{quote(text())},'
                      f'"value":{rng.randrange(10000)}}}')


def escaped(rng, count):
    """A text in which every third character is an escape."""
    return "".join(rng.choice(["\\n", "\\\"", "\\\\", "\\t", "\\/"])
                   if rng.random() < 0.33 else rng.choice("abcdefgh ")
                   for _ in range(count))


shape("strings", "escapes", strings=True)(with_text(
    lambda rng: f'"{escaped(rng, rng.randrange(20, 200))}"'))
shape("strings", "unicode-escapes", strings=True)(with_text(
    lambda rng: json.dumps(letters(
        rng, rng.choice(["latin", "cjk", "emoji"]), rng.randrange(10, 60)))))


# --- Keys with escapes. ---

def spelled(rng, key):
    """The key with one of its letters, or all of them, as \\uXXXX."""
    at = rng.randrange(len(key) + 1)
    return "".join(f"\\u{ord(c):04x}" if at in (i, len(key)) else c
                   for i, c in enumerate(key))


@shape("escaped keys")
def other_key_escaped(rng):
    return lambda n: (f'{{"id":{n},"{spelled(rng, "number")}":'
                      f'{rng.randrange(100)},"value":{rng.randrange(10000)}}}')


@shape("escaped keys")
def other_key_with_quotes(rng):
    return lambda n: (f'{{"size 3/4\\"":{rng.randrange(100)},"tab\\t":1,'
                      f'"value":{rng.randrange(10000)}}}')


@shape("escaped keys")
def value_key_escaped(rng):
    return lambda n: (f'{{"id":{n},"{spelled(rng, "value")}":'
                      f'{rng.randrange(10000)},"to":"FR"}}')


# --- Large documents that are skipped. ---

def beside(document):
    """The document stands before the items or behind them. It is as large as
    they are, or larger."""
    def around(rng, items):
        text = document(rng, len(items))
        array = '"items":[' + ",".join(items) + "]"
        return ("{" + (f'"more":{text},{array}' if rng.random() < 0.5
                       else f'{array},"more":{text}') + "}")
    return around


def some(document, share):
    """As many parts as a share of the items, so that the size is bounded."""
    return beside(lambda rng, count: document(
        rng, max(round(min(count, 4000) * share), 2)))


shape("skipped", "timeline-beside", around=some(documents.timeline, 0.25))(
    minimal)
shape("skipped", "catalogue-beside", around=some(documents.catalogue, 0.25))(
    minimal)
shape("skipped", "catalogue-beside-pretty", around=some(
    lambda rng, count: documents.catalogue(rng, count, 2), 0.25))(minimal)
shape("skipped", "events-beside", around=some(documents.events, 0.3))(minimal)
shape("skipped", "geometry-beside", around=some(documents.geometry, 5))(minimal)


@shape("skipped")
def messages_inside(rng):
    """The items are messages of a timeline that have a value."""
    def item(_n):
        whole = documents.message(rng)
        return compact({**whole, "value": rng.randrange(10000)})
    return item


@shape("skipped")
def geometry_inside(rng):
    return lambda n: (f'{{"id":{n},"shape":{documents.geometry(rng, 12)},'
                      f'"value":{rng.randrange(10000)}}}')


# --- Mixtures. ---

def every_tenth(usual, other):
    """Of ten bodies of 20 items, or of ten such parts of one, one is other."""
    def make(rng):
        usual_item, other_item = usual(rng), other(rng)
        return lambda n: (other_item if n // 20 % 10 == 9 else usual_item)(n)
    return make


shape("mixtures", "nine-orders-one-heterogeneous")(
    every_tenth(orders, heterogeneous))
shape("mixtures", "nine-minimal-one-wide")(every_tenth(minimal, wide_60))


@shape("mixtures")
def two_clients(rng):
    """Two that write the same order in their own ways, in turns."""
    def item(n):
        whole = bodies.order_item(n, rng)
        if n // 20 % 2:
            return json.dumps(dict(reversed(whole.items())))
        return compact(whole)
    return item


@shape("mixtures")
def any_of_all(rng):
    """Each item is of another shape."""
    makers = [one.make(rng) for one in SHAPES
              if not one.doubles and one.name != "values-of-19-digits"
              and one.name != "any-of-all" and not one.strings]
    return lambda n: rng.choice(makers)(n)

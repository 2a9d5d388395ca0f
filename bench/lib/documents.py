"""Documents of the kinds that people meet, made by chance: a timeline of short
messages, a catalogue with tables, a log of events, a map. They are JSON
text."""

import json

WORDS = ("order tea paper blue large new the of and for with time market user "
         "open small fast night house river stone point field line").split()
ALPHABETS = {
    "latin": "aàâäæcçdeéèêëfghiîïjklmnñoôöœpqrstuùûüvwxyzß",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "cjk": "".join(map(chr, range(0x4e00, 0x4e00 + 900))),
    "kana": "".join(map(chr, range(0x3041, 0x3090))),
    "emoji": "".join(map(chr, range(0x1f300, 0x1f500))),
}


def quote(text):
    """As most writers do: other scripts as they are."""
    return json.dumps(text, ensure_ascii=False)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def letters(rng, script, count):
    """`count` letters in words of two to nine."""
    alphabet, out = ALPHABETS[script], []
    while len(out) < count:
        out += rng.choices(alphabet, k=rng.randrange(2, 10))
        out.append(" ")
    return "".join(out[:count])


def words(rng, count):
    return " ".join(rng.choices(WORDS, k=count))


def message(rng):
    """What one wrote, with who it was: half of it is text of all scripts."""
    script = rng.choice(["latin", "cjk", "kana", "cyrillic", "emoji"])
    number = rng.randrange(10 ** 17, 10 ** 18)
    return {
        "created": f"Sun Mar {rng.randrange(1, 29):02d} "
                   f"{rng.randrange(24):02d}:{rng.randrange(60):02d} 2026",
        "id": number, "id_str": str(number),
        "text": letters(rng, script, rng.randrange(20, 140)),
        "source": '<a href="https://example.org/client" rel="nofollow">'
                  + words(rng, 2) + "</a>",
        "truncated": False, "reply_to": None,
        "user": {"id": rng.randrange(10 ** 9), "name": letters(rng, script, 9),
                 "followers": rng.randrange(10 ** 5), "location": "",
                 "description": letters(rng, script, rng.randrange(160)),
                 "url": None, "verified": rng.random() < 0.1,
                 "colour": f"{rng.randrange(1 << 24):06X}"},
        "entities": {"tags": [{"text": word, "at": [rng.randrange(70), 70]}
                              for word in rng.sample(WORDS, rng.randrange(3))],
                     "urls": [], "mentions": []},
        "shares": rng.randrange(2000), "favourites": rng.randrange(90),
        "shared": rng.random() < 0.5, "lang": script[:2],
    }


def timeline(rng, count):
    return compact({"statuses": [message(rng) for _ in range(count)],
                    "search": {"completed": 0.087, "count": count}})


def catalogue(rng, count, indent=None):
    """Tables under numbers, many small arrays and objects of integers."""
    areas = {str(rng.randrange(2 * 10 ** 8, 3 * 10 ** 8)): words(rng, 3)
             for _ in range(count)}
    shows = [{"id": rng.randrange(10 ** 8, 10 ** 9), "logo": None,
              "event": rng.randrange(10 ** 8, 10 ** 9),
              "start": rng.randrange(1372701600000, 1400000000000),
              "prices": [{"amount": 500 * rng.randrange(10, 400),
                          "audience": 337100890,
                          "category": int(rng.choice(list(areas)))}
                         for _ in range(rng.randrange(1, 5))],
              "seats": [{"area": [{"id": int(rng.choice(list(areas))),
                                   "blocks": []} for _ in range(3)],
                         "category": int(rng.choice(list(areas)))}
                        for _ in range(rng.randrange(1, 4))]}
             for _ in range(count)]
    all_of_it = {"areas": areas, "topics": {}, "shows": shows}
    if indent:
        return json.dumps(all_of_it, indent=indent, ensure_ascii=False)
    return compact(all_of_it)


def events(rng, count):
    """A log of what users did: hexadecimal names, dates, nested payloads."""
    return compact([{
        "id": str(rng.randrange(10 ** 10)),
        "type": rng.choice(["Push", "Create", "Watch", "Issue"]) + "Event",
        "actor": {"id": rng.randrange(10 ** 7), "login": words(rng, 1),
                  "gravatar": f"{rng.getrandbits(128):032x}",
                  "url": f"https://api.example.org/users/{words(rng, 1)}"},
        "payload": {"ref": "refs/heads/main", "size": rng.randrange(9),
                    "commits": [{"sha": f"{rng.getrandbits(160):040x}",
                                 "author": {"email": "a@example.org",
                                            "name": letters(rng, "latin", 12)},
                                 "message": words(rng, rng.randrange(3, 12)),
                                 "distinct": True}
                                for _ in range(rng.randrange(4))]},
        "public": True, "created": f"2026-01-0{rng.randrange(1, 9)}T15:"
                                   f"{rng.randrange(60):02d}:11Z"}
        for _ in range(count)])


def geometry(rng, count):
    """A coast: nearly all of it are coordinates with up to 15 decimals."""
    x, y, ring = -65.0, 43.0, []
    for _ in range(count):
        x, y = x + rng.gauss(0, 0.02), y + rng.gauss(0, 0.02)
        ring.append([round(x, rng.choice([6, 14, 15])), round(y, 14)])
    return compact({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": "coast"},
         "geometry": {"type": "Polygon", "coordinates": [ring]}}]})

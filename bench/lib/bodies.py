"""Items of the two ordinary shapes, and one body of them."""

import json
import random


def minimal_item(number):
    return {"id": number, "value": number % 1000}


def order_item(number, rng):
    """About 210 bytes: what an order line carries besides its value."""
    return {
        "id": number, "sku": f"AB-{rng.randrange(10**6):06d}",
        "name": rng.choice(["Grüner Tee", "Stoff \"Nova\"", "Café crème",
                            "Tape 3/4\"", "Set\nof 4", "Paper"]),
        "value": rng.randrange(100000), "price": rng.randrange(10**5) / 100,
        "tax": 0.19, "gift": rng.random() < 0.2, "note": None,
        "size": {"w": rng.randrange(99), "h": rng.randrange(99), "u": "mm"},
        "tags": rng.sample(["new", "eco", "sale", "bulk"], rng.randrange(3)),
        "from": "DE", "to": "FR",
    }


def make(shape, count):
    """(body, sum) of `count` items; the numbers are always the same."""
    rng = random.Random(7)
    items = [minimal_item(n) if shape == "minimal" else order_item(n, rng)
             for n in range(1, count + 1)]
    body = json.dumps({"items": items}, separators=(",", ":"),
                      ensure_ascii=False).encode()
    return body, sum(item["value"] * 2 for item in items)

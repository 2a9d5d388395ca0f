"""The bodies of bench/decode/run --query: orders, mostly of 20 lines."""

import json
import random

LINES, BODIES = 20, 200


def line(number, rng):
    """About 250 bytes: what a shop sends of an order's line."""
    return {
        "id": number, "sku": f"AB-{rng.randrange(10**6):06d}",
        "name": rng.choice(["Gr\u00fcner Tee", "Stoff Nova", "Caf\u00e9 cr\u00e8me",
                            "Tape 3/4\"", "Set of 4", "Paper"]),
        "status": rng.choice(["paid", "paid", "paid", "open", "cancelled"]),
        "quantity": rng.randrange(1, 30),
        "price": {"amount": rng.randrange(1, 100000), "currency": "EUR",
                  "tax": 0.19},
        "weight": {"grams": rng.randrange(10, 9000)},
        "gift": rng.random() < 0.2, "note": None,
        "tags": rng.sample(["new", "eco", "sale", "bulk"], rng.randrange(3)),
    }


def write(path, lines=LINES, bodies=BODIES):
    rng = random.Random("tallyd order lines")
    with path.open("w", encoding="utf-8") as out:
        for body in range(bodies):
            json.dump({"version": 2, "order": {
                "id": f"o-{body}", "customer": {"id": rng.randrange(10**6)},
                "lines": [line(n, rng) for n in range(lines)]}},
                out, separators=(",", ":"), ensure_ascii=False)
            out.write("\n")

"""What bench/decode/run makes of the rounds that were measured."""

import statistics

import draw
from decoders import DECODERS, VALIDATING

median = statistics.median


def speed(lines, decoder):
    """MB/s, the median of the rounds; None: it refuses, or finds another
    sum."""
    times = [line["ns"][decoder] for line in lines if decoder in line["ns"]]
    return round(lines[0]["bytes"] * 1e3 / median(times), 1) if times else None


def speeds(lines):
    return {decoder: speed(lines, decoder) for decoder in lines[0]["ns"]}


def ratio(lines, *others):
    """How many times as fast as the fastest of them tallyd is, within
    rounds."""
    pairs = [min(line["ns"][other] for other in others if other in line["ns"])
             / line["ns"]["tallyd"] for line in lines
             if "tallyd" in line["ns"] and set(others) & set(line["ns"])]
    return round(median(pairs), 3) if pairs else None


def verify_cost(lines, jsonc):
    """How many times as long as tallyd and that decoder, one after the other,
    `verify = 1` takes."""
    found = [line["ns"]["tallyd_verify"]
             / (line["ns"]["tallyd"] + line["ns"][jsonc])
             for line in lines if {"tallyd", "tallyd_verify", jsonc}
             <= set(line["ns"])]
    return round(median(found), 3) if found else None


def close(one, other):
    """Two sums; None is one that is not finite."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * abs(other)


def summary(entry, lines, node):
    """One row: exactly the keys of a corpus first."""
    first = lines[0]
    row = {"body": entry["body"], "bytes": first["bytes"]}
    for decoder in DECODERS:
        row[decoder] = speed(lines, decoder)
    row["json_c_checked"] = speed(lines, "json_c_checked")
    if node:
        row["node"] = round(first["bytes"] * 1e3 / node["ns"], 1)
    row["differ"] = list(first["differ"])
    # Node counts in doubles; a sum beyond them is not its fault.
    if node and not entry.get("beyond_doubles") and not close(
            node["sum"], first["sum"]):
        row["differ"].append("node")
    row.update(
        file=entry["file"], bodies=first["bodies"], sum=first["sum"],
        isa=first["isa"],
        tallyd_isa=first["isa"]["tallyd"], rounds=len(lines),
        ratios={decoder: ratio(lines, decoder) for decoder in DECODERS
                if decoder in first["ns"] and decoder != "tallyd"},
        best_validating_ratio=ratio(lines, *VALIDATING),
        verify={"json_c_checked": verify_cost(lines, "json_c_checked"),
                "json_c": verify_cost(lines, "json_c")})
    if node and row["tallyd"]:
        row["ratios"]["node"] = round(row["tallyd"] / row["node"], 3)
    for key in ("shape", "family", "strings", "doubles", "again"):
        if key in entry:
            row[key] = entry[key]
    return row


def query_summary(name, lines, node):
    """The row of bench/decode/run --query."""
    first = lines[0]
    row = {"body": name, "bytes": first["bytes"], "bodies": first["bodies"],
           "sum": first["sum"], "isa": first["isa"], "rounds": len(lines),
           "differ": list(first["differ"]), "speeds": speeds(lines),
           "ratios": {decoder: ratio(lines, decoder) for decoder in first["ns"]
                      if decoder != "tallyd"}}
    if not close(node["sum"], first["sum"]):
        row["differ"].append("node")
    row["speeds"]["node"] = round(first["bytes"] * 1e3 / node["ns"], 1)
    row["ratios"]["node"] = round(
        row["speeds"]["tallyd"] / row["speeds"]["node"], 3)
    return row


def query_goals(row):
    """[(met, words)]"""
    wanted = (("simdjson_dom", "simdjson's DOM", 1.1),
              ("serde_json", "serde_json into typed structs", 3),
              ("node", "Node", 10))
    return [(row["ratios"][peer] >= least,
             f"at least {least} times as fast as {words}: "
             f"{row['ratios'][peer]:.2f}") for peer, words, least in wanted]


def query_markdown(row, goals, about):
    lines = ["# A query on order lines", "",
             "`bench/decode/run --query`: three paths, a filter and a product, "
             f"{row['bodies']} different bodies of 20 lines, "
             f"{row['bytes']} bytes. MB/s (10^6 bytes), and how many times as "
             "fast tallyd is, the median within the rounds.", "",
             "| decoder | MB/s | tallyd is |", "|---|---:|---:|"]
    for decoder, fast in row["speeds"].items():
        lines.append(f"| {decoder} | {fast} | "
                     f"{row['ratios'].get(decoder, 1):.2f} |")
    lines += ["", *(f"- {'met' if ok else 'not met'}: {words}"
                    for ok, words in goals), "",
              *(f"- {key}: {value}" for key, value in about.items())]
    return "\n".join(lines) + "\n"


# --- Compressed bodies. ---

GZIP_PEER = "zlib_and_tallyd"
GZIP_MOST = 1.1


def gzip_summary(name, lines):
    """A row of bench/decode/run --gzip."""
    return {"body": name, "bytes": lines[0]["bytes"],
            "bodies": lines[0]["bodies"], "rounds": len(lines),
            "differ": lines[0]["differ"], "speeds": speeds(lines),
            "takes": round(1 / ratio(lines, GZIP_PEER), 3)}


def gzip_goals(rows):
    return [(row["takes"] <= GZIP_MOST,
             f"{row['body']}: at most {GZIP_MOST} times as long as zlib's own "
             f"inflate and the decode: {row['takes']:.2f}") for row in rows]


def gzip_markdown(rows, goals, about):
    lines = ["# Compressed bodies", "",
             "`bench/decode/run --gzip`: the query of `--query` on bodies that "
             "gzip has compressed. MB/s of what they inflate to (10^6 bytes): as "
             "a worker takes them, piece by piece, and after one call of zlib's "
             "inflate for all of a body. The last column: the time as a multiple "
             "of the latter's, the median within the rounds.", "",
             "| bodies | tallyd | zlib, then tallyd | takes |",
             "|---|---:|---:|---:|"]
    for row in rows:
        fast = row["speeds"]
        lines.append(f"| {row['body']} | {fast['tallyd']} | {fast[GZIP_PEER]} "
                     f"| {row['takes']:.2f} |")
    lines += ["", *(f"- {'met' if ok else 'not met'}: {words}"
                    for ok, words in goals), "",
              *(f"- {key}: {value}" for key, value in about.items())]
    return "\n".join(lines) + "\n"


def attack_summary(attack, others, lines):
    peers = list(lines[0]["ns"])
    return {"attack": attack, "others": others, "bytes": lines[0]["bytes"],
            "accepted": lines[0]["accepted"],
            **{peer: round(lines[0]["bytes"] * 1e3 / median(
                line["ns"][peer] for line in lines), 1) for peer in peers},
            "slower": {peer: round(median(line["slower"][peer]
                                          for line in lines), 3)
                       for peer in peers}}


# --- What was to be reached, in words. ---

def mean(values):
    return statistics.geometric_mean(values) if values else 0


def different(rows):
    """Those that are no small body that comes again and again."""
    return [row for row in rows if not row.get("again")]


def having(rows, key):
    return [row for row in rows if row["ratios"].get(key)]


def goal_validating(rows):
    """Every shape at least as fast as the best that validates."""
    slow = [row for row in rows if row["best_validating_ratio"] <
            (0.9 if row.get("strings") else 1.0)]
    worst = min(rows, key=lambda row: row["best_validating_ratio"])
    return not slow, (
        "every body at least 1.0 times as fast as the faster of the validating "
        "peers, 0.9 where strings are nearly all of it: "
        f"{len(rows) - len(slow)} of {len(rows)} are; the lowest is "
        f"{worst['body']}, {worst['best_validating_ratio']:.2f}")


def goal_mean(rows):
    all_of_them = mean([row["best_validating_ratio"] for row in rows])
    return all_of_them >= 1.6, (
        "the geometric mean of that at least 1.6: "
        f"it is {all_of_them:.2f}")


def goal_floor(rows):
    slow = [row for row in rows if row["tallyd"] < 800 <= max(
        row[peer] for peer in VALIDATING if row[peer])]
    return not slow, (
        "nothing below 800 MB/s where a validating peer is above it: "
        f"{len(slow)} bodies are" + (
            f", the slowest {min(slow, key=lambda row: row['tallyd'])['body']}"
            if slow else ""))


def goal_ondemand(rows):
    found = {row["body"]: row["ratios"]["simdjson_ondemand"]
             for row in having(rows, "simdjson_ondemand")
             if row["body"] in ("minimal-20", "orders-20")}
    if not found:
        return None
    return min(found.values()) >= 0.85, (
        "different regular bodies at least 0.85 times as fast as On-Demand, "
        "which does not validate: " + ", ".join(
            f"{name} {value:.2f}" for name, value in found.items()))


def goal_chunks(rows):
    # The ratio is of times, that of the chunks over that of the whole.
    found = {row["body"]: 1 / row["ratios"]["tallyd_8k"]
             for row in having(rows, "tallyd_8k") if row["bodies"] == 1}
    if not found:
        return None
    slow = [name for name, value in found.items() if value < 0.93]
    worst = min(found, key=found.get)
    return not slow, (
        "large bodies in chunks of 8 KiB at least 0.93 times as fast as whole: "
        f"{len(found) - len(slow)} of {len(found)} are; the lowest is {worst}, "
        f"{found[worst]:.2f}; the mean {mean(list(found.values())):.2f}")


def goal_verify(rows):
    found = {peer: [row["verify"][peer] for row in rows
                    if row.get("verify", {}).get(peer)]
             for peer in ("json_c_checked", "json_c")}
    both, bare = found["json_c_checked"], found["json_c"]
    if not both or not bare:
        return None
    return mean(both) <= 1.05, (
        "`verify = 1` takes as long as both decoders one after the other: "
        f"{mean(both):.2f} times, at most {max(both):.2f}; of tallyd and bare "
        f"json-c, which checks less: {mean(bare):.2f} times, at most "
        f"{max(bare):.2f}")


def goal_attacks(attacks):
    bad = [row for row in attacks if row["slower"]["tallyd"] > 1.05]
    worst = max(attacks, key=lambda row: row["slower"]["tallyd"])
    peers = max(row["slower"][peer] for row in attacks for peer in VALIDATING)
    return not bad, (
        "no body in ten makes the nine others more than 5 % slower than a "
        f"regular one does: {len(attacks) - len(bad)} of {len(attacks)} "
        f"attacks do not; the worst is {worst['attack']} beside "
        f"{worst['others']}, {worst['slower']['tallyd'] - 1:.0%} (the worst "
        f"for DOM and rapidjson, which remember nothing: {peers - 1:.0%})")


def goals(rows, attacks):
    """[(is it met?, words)]"""
    rows = different(rows)
    found = [goal(rows) for goal in (goal_validating, goal_mean, goal_floor,
                                     goal_ondemand, goal_chunks, goal_verify)
             if rows]
    if attacks:
        found.append(goal_attacks(attacks))
    return [goal for goal in found if goal]


# --- Tables. ---

TITLES = {"tallyd": "tallyd", "tallyd_8k": "in 8 KiB",
          "simdjson_ondemand": "On-Demand", "simdjson_dom": "DOM",
          "rapidjson": "rapidjson", "serde_json": "serde_json",
          "json_c": "json-c", "json_c_checked": "json-c, checked",
          "node": "Node"}


def number(value):
    return "-" if value is None else f"{value:,.0f}"


def times(value):
    return "-" if value is None else f"{value:.2f}"


def table(rows):
    lines = ["| body | bytes | " + " | ".join(TITLES.values())
             + " | x validating | x On-Demand |",
             "|---|" + "--:|" * (len(TITLES) + 3)]
    family = None
    for row in rows:
        if row["family"] != family:
            family = row["family"]
            lines.append(f"| **{family}** |" + " |" * (len(TITLES) + 3))
        lines.append(
            f"| {row['body']} | {row['bytes'] // row['bodies']:,} | "
            + " | ".join(number(row.get(key)) for key in TITLES)
            + f" | {times(row['best_validating_ratio'])} | "
            f"{times(row['ratios'].get('simdjson_ondemand'))} |")
    return "\n".join(lines) + "\n"


def means(rows):
    """Over whom, how much: geometric means, by family and of all."""
    families = list(dict.fromkeys(row["family"] for row in rows))
    lines = ["| geometric means | bodies | x validating | lowest | x On-Demand "
             "| x serde_json | x json-c |", "|---|" + "--:|" * 6]
    for family in [*families, *([None] if different(rows) else [])]:
        some = [row for row in rows if row["family"] == family] if family \
            else different(rows)
        values = [mean([row["best_validating_ratio"] for row in some]),
                  min(row["best_validating_ratio"] for row in some),
                  *(mean([row["ratios"][peer] for row in having(some, peer)])
                    for peer in ("simdjson_ondemand", "serde_json", "json_c"))]
        lines.append(f"| {family or '**all**'} | {len(some)} | "
                     + " | ".join(map(times, values)) + " |")
    return "\n".join(lines) + "\n"


def cold_table(rows):
    rows = [row for row in rows if row.get("cold")]
    if not rows:
        return ""
    peers = list(rows[0]["cold"])
    peers = [key for key in TITLES if key in peers]
    lines = ["\n## From a cold cache\n\nBefore each decode, or each time that the "
             "200 bodies are gone\nover, other memory is walked over until neither "
             "the bodies nor what a\ndecoder keeps are in any cache.\n",
             "| body | " + " | ".join(TITLES[key] for key in peers) + " |",
             "|---|" + "--:|" * len(peers)]
    lines += [f"| {row['body']} | " + " | ".join(
        number(row["cold"].get(key)) for key in peers) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def attack_table(attacks):
    if not attacks:
        return ""
    peers = list(attacks[0]["slower"])
    names = [TITLES[peer] for peer in peers]
    lines = ["\n## What a hostile body leaves for others\n\nOf ten bodies one is "
             "hostile (32 KiB) and nine are regular ones of 20\nitems. The speed "
             "of the hostile one itself, and the time of the nine by their\ntime "
             "when the tenth is a regular one of 32 KiB.\n",
             "| attack | the others | "
             + " | ".join(f"{name} MB/s" for name in names) + " | "
             + " | ".join(f"others: {name}" for name in names) + " |",
             "|---|---|" + "--:|" * 2 * len(peers)]
    lines += ["| {}{} | {} | {} | {} |".format(
        row["attack"], "" if row["accepted"] else " (refused)", row["others"],
        " | ".join(number(row[peer]) for peer in peers),
        " | ".join(times(row["slower"][peer]) for peer in peers))
        for row in attacks]
    return "\n".join(lines) + "\n"


READING = """
Speeds are MB (10^6 bytes) in a second of CPU time. Bodies that end with -20 are
200 different ones of 20 items, gone over in turn; their bytes are those of one
of them. "x validating": how many times as fast as the faster of simdjson's DOM
and rapidjson tallyd is, the median of rounds in which they ran one after the
other.

tallyd checks every byte and needs no more of the body than what has come, in
chunks of any size. simdjson needs all of it in padded memory; its DOM checks
everything and keeps a tree, its On-Demand does not check what it steps over.
rapidjson is its SAX reader with kParseValidateEncodingFlag and SSE 4.2.
serde_json reads all of the body into the types that are wanted and does not
check the UTF-8 of what is ignored. "json-c, checked" is json-c behind tallyd's
check (`decoder = json-c`). Node runs in a process of its own and gets a Buffer.
Each peer is built with -O3 for the instruction set named below; libraries that
Debian has compiled (simdjson's DOM, json-c) choose theirs when they run, or
have one.
"""


def markdown(rows, attacks, about, command):
    tables = means(rows) + READING + "\n" + table(rows) + cold_table(
        rows) if rows else ""
    return ("# Decoders side by side\n\nMade by `" + command + "`.\n\n"
            + "".join(f"- {'met' if ok else '**not met**'}: {words}\n"
                      for ok, words in goals(rows, attacks))
            + "\n" + tables + attack_table(attacks) + "\n## Machine\n\n"
            + "".join(f"- {key}: {value}\n" for key, value in about.items()))


DRAWN = {key: TITLES[key] for key in DECODERS if key != "tallyd_8k"}


def cell(row):
    """The marks of one body, and the bar from the best that validates."""
    if row is None:
        return None
    best = max(row[peer] for peer in VALIDATING if row[peer])
    return ({title: row[key] for key, title in DRAWN.items() if row.get(key)},
            (best, row["tallyd"]))


def picture(rows):
    """All shapes, one line each: large bodies to the left, small ones to the
    right."""
    groups = {}
    for row in different(rows):
        pair = groups.setdefault(row["family"], {}).setdefault(
            row["shape"], [None, None])
        pair[row["bodies"] > 1] = cell(row)
    return draw.dots(
        "Decoding", "MB per second of one core, logarithmic. Green: by how "
        "much tallyd is faster than the faster of simdjson's DOM and rapidjson; "
        "red: slower.",
        ["one large body", "200 different bodies of 20 items"],
        [(family, list(shapes.items())) for family, shapes in groups.items()])

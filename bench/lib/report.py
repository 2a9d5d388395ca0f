"""Results of bench/run as JSON, Markdown tables and charts."""

import json
import statistics

import draw
import machine
import plan as plans

median = statistics.median

# A percentile is drawn when so many requests of a run lie above it.
TAIL_REQUESTS = 5


def of(runs, scenario, peer):
    return [run for run in runs
            if run["scenario"] == scenario and run["peer"] == peer]


def in_plan_order(runs, key, order):
    found = dict.fromkeys(run[key] for run in runs)
    return ([name for name in order if name in found]
            + [name for name in found if name not in order])


def ratios(runs, scenario, peer, base, key):
    """Per round, base over peer: pairs that ran one after the other."""
    theirs = {run["round"]: run[key] for run in of(runs, scenario, peer)}
    return [run[key] / theirs[run["round"]]
            for run in of(runs, scenario, base)
            if theirs.get(run["round"])]


def at(runs, percent, part=None):
    """The median over the rounds of a percentile, in microseconds."""
    return median([(run[part] if part else run)["latency"][percent]
                   for run in runs])


def summary(runs, scenario, peer, base):
    rows = of(runs, scenario, peer)
    row = {"scenario": scenario, "peer": peer}
    for key in ("rps", "cpu_front_us", "cpu_peer_us", "cpu_downstream_us"):
        row[key] = median([run[key] for run in rows])
    row.update(p50_us=at(rows, "50"), p99_us=at(rows, "99"),
               p999_us=at(rows, "99.9"), burst_p99_us=at(rows, "99", "burst"))
    for key in ("requests", "failed", "killed", "serving"):
        if key in rows[0]:
            row[key] = sum(run[key] for run in rows)
    pairs = [] if peer == base else ratios(runs, scenario, peer, base, "rps")
    row["ratio"] = median(pairs) if pairs else None
    row["ratio_range"] = [min(pairs), max(pairs)] if pairs else None
    return row


def base_of(runs, scenario, peers):
    """The peer that the others of a scenario are compared with."""
    return next(peer for peer in peers if of(runs, scenario, peer))


# --- Tables. ---

def ratio_text(row):
    return "{:.2f}x ({:.2f} to {:.2f})".format(row["ratio"],
                                               *row["ratio_range"])


def all_peers(rows):
    lines = ["| scenario | peer | requests/s | first is | p50 ms | p99 ms "
             "| p99.9 ms | CPU µs/request: nginx | peer | downstream "
             "| failed |",
             "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        ratio = "" if row["ratio"] is None else ratio_text(row)
        lines.append("| {} | {} | {:,.0f} | {} | {:.2f} | {:.2f} | {:.2f} | "
                     "{:.0f} | {} | {:.0f} | {} |".format(
                         row["scenario"], row["peer"], row["rps"], ratio,
                         row["p50_us"] / 1e3, row["p99_us"] / 1e3,
                         row["p999_us"] / 1e3, row["cpu_front_us"],
                         # The time of the killed has gone with them.
                         "" if "killed" in row else f"{row['cpu_peer_us']:.0f}",
                         row["cpu_downstream_us"], row["failed"]))
    return "\n".join(lines) + "\n"


def commits(runs):
    """What was measured, and which scenarios with it."""
    found = {}
    for run in runs:
        found.setdefault(run["commit"], {})[run["scenario"]] = True
    return "".join(f"- tallyd {commit}: {', '.join(names)}\n"
                   for commit, names in found.items())


def keepalive_row(clients, kept, closed):
    share = clients / kept["rps"] * 1e6
    return ("| {} | {:.2f} | {:.2f} | {:.3f} | {:.2f} | {:.2f} | {:.3f} | "
            "{:.2f} | {:.3f} | {:.2f} | {:.3f} | {} |".format(
                clients, kept["p50_us"] / 1e3, closed["p50_us"] / 1e3,
                kept["p50_us"] / closed["p50_us"], kept["p99_us"] / 1e3,
                closed["p99_us"] / 1e3, kept["p99_us"] / closed["p99_us"],
                share / 1e3, kept["p99_us"] / share,
                kept["burst_p99_us"] / 1e3, kept["burst_p99_us"] / share,
                kept["failed"] + closed["failed"]))


def keepalive(rows):
    """With keep-alive against without, for each number of clients before a
    downstream that takes its time."""
    lines = []
    pairs = {}
    for row in rows:
        s = plans.parse(row["scenario"])
        if s.downstream.isdigit() and not s.rate and not s.kill:
            pairs.setdefault((s.clients, s.name), {})[row["peer"]] = row
    for (clients, _name), pair in sorted(pairs.items()):
        if set(plans.PAIR) <= set(pair):
            lines.append(keepalive_row(clients, *(pair[peer]
                                                  for peer in plans.PAIR)))
    if not lines:
        return ""
    return ("\n## Keep-alive and the fair share\n\nThe same pool with kept "
            "connections (a) and with one connection per request (b), before "
            "a downstream that takes 5 ms. Fair share: clients / throughput "
            "(a). First second: the requests that began in it, all clients "
            "at once on connections not yet made.\n\n"
            "| clients | p50 ms a | b | a/b | p99 ms a | b | a/b | fair "
            "share ms | p99 a / share | first second: p99 ms a | / share "
            "| failed |\n" + "|--:" * 12 + "|\n" + "\n".join(lines) + "\n")


def defaults(runs, scenarios):
    """The pool with no setting against hyper."""
    ours, theirs = plans.DEFAULT
    lines = []
    for name in scenarios:
        if not (of(runs, name, ours) and of(runs, name, theirs)):
            continue
        s = plans.parse(name)
        a, b = (summary(runs, name, peer, theirs) for peer in plans.DEFAULT)
        pairs = ratios(runs, name, theirs, ours, "rps")
        if not pairs:
            continue
        lines.append(
            f"| {s.downstream} ms | {s.clients}"
            f"{f' at {s.rate:,}/s' if s.rate else ''} | {a['rps']:,.0f} | "
            f"{b['rps']:,.0f} | {median(pairs):.2f}x ({min(pairs):.2f} to "
            f"{max(pairs):.2f}) | {a['p99_us'] / 1e3:.1f} | "
            f"{b['p99_us'] / 1e3:.1f} | {a['burst_p99_us'] / 1e3:.1f} | "
            f"{b['burst_p99_us'] / 1e3:.1f} | {a['failed']} |")
    if not lines:
        return ""
    return ("\n## With no setting\n\nThe pool as it is without a setting of "
            f"`workers` (a: {ours}), and {theirs} (b). First second: the "
            "requests that began in it.\n\n"
            "| downstream | clients | requests/s a | b | a is | p99 ms a | b "
            "| first second: p99 ms a | b | failed a |\n" + "|--:" * 10
            + "|\n" + "\n".join(lines) + "\n")


def quiet(runs):
    """How quiet the machine was."""
    others = [run["others"] for run in runs]
    return ("\nCPU of the machine that went to anything else while it was "
            f"measured: {median(others):.0%} in half of the runs, at most "
            f"{max(others):.0%} (interrupts are in it).\n")


def killed(rows):
    lines = ["| {scenario} | {peer} | {requests:,} | {killed} | {serving} | "
             "{failed} |".format(**row) for row in rows if "killed" in row]
    if not lines:
        return ""
    return ("\n## Workers killed under load\n\n`kill -9` of one random worker "
            "every 100 ms. At work: it was not waiting for work when it was "
            "killed.\n\n| scenario | peer | requests | workers killed | of "
            "these at work | requests failed |\n|---|---|--:|--:|--:|--:|\n"
            + "\n".join(lines) + "\n")


# --- Charts. ---

def throughput_chart(rows, scenarios):
    return draw.bars(
        "Throughput", [(scenario, [
            (row["peer"], row["rps"], f"{row['rps']:,.0f}")
            for row in rows if row["scenario"] == scenario])
            for scenario in scenarios],
        "requests per second behind one nginx, more is better; each group has "
        "a scale of its own")


def curve(runs):
    """[(percentile, ms)], as far as the number of requests allows."""
    fewest = min(run["requests"] for run in runs)
    return [(float(p), at(runs, p) / 1e3) for p in runs[0]["latency"]
            if float(p) > 0 and
            fewest * (1 - float(p) / 100) >= TAIL_REQUESTS]


def latency_chart(runs, scenarios, peers):
    panels = []
    for scenario in scenarios:
        curves = {peer: curve(of(runs, scenario, peer)) for peer in peers
                  if of(runs, scenario, peer)}
        panels.append((scenario, {peer: points for peer, points
                                  in curves.items() if points}))
    return draw.percentiles(
        "Latency", "milliseconds, less is better; the first second of the "
        "load is included", [panel for panel in panels if panel[1]])


# --- All of it. ---

def added(directory, runs, settings):
    """`runs`, and those of other scenarios that were measured alike."""
    path = directory / "run.json"
    if not path.exists():
        return runs
    before = json.loads(path.read_text())
    if before.get("settings") != settings:
        raise SystemExit(f"bench: {path} was measured otherwise "
                         f"({before.get('settings')}); without --add it is "
                         "replaced")
    new = {run["scenario"] for run in runs}
    return [run for run in before["runs"] if run["scenario"] not in new] + runs


def command_line(runs, settings):
    """What makes these results again, wherever the build stands."""
    scenarios = in_plan_order(runs, "scenario", plans.PLAN)
    words = ["bench/run"]
    if scenarios != list(plans.PLAN):
        words += [f"--scenario {name}" for name in scenarios]
    words += [f"--{name} {value}" for name, value in settings.items()]
    return " ".join(words)


def write(directory, runs, settings, build):
    """run.json, run.md, throughput.svg, latency.svg; gives the tables."""
    scenarios = in_plan_order(runs, "scenario", plans.PLAN)
    peers = in_plan_order(runs, "peer", plans.ORDER)
    rows = [summary(runs, scenario, peer, base_of(runs, scenario, peers))
            for scenario in scenarios for peer in peers
            if of(runs, scenario, peer)]
    command = command_line(runs, settings)
    about = {**machine.identity(), **machine.costs(build),
             **machine.programs()}
    (directory / "run.json").write_text(json.dumps(
        {"command": command, "settings": settings, "machine": about,
         "summary": rows, "runs": runs}, separators=(",", ":")) + "\n")
    tables = all_peers(rows) + (
        "\n\"first is\": requests per second of the scenario's first peer over "
        "the peer's, the median (least to most) of the rounds; the two ran one "
        "after the other.\n") + quiet(runs) + defaults(runs, scenarios) \
        + keepalive(rows) + killed(rows)
    (directory / "run.md").write_text(
        f"# Behind nginx\n\nMade by `{command}`.\n\n"
        f"{machine.sentence(build)}\n\n{tables}\n## Machine\n\n"
        + "".join(f"- {key}: {value}\n" for key, value in about.items())
        + commits(runs))
    shown = [name for name in scenarios
             if any(of(runs, name, peer) for peer in peers
                    if peer not in plans.PAIR)] or scenarios
    closed = [name for name in shown if not plans.parse(name).rate]
    (directory / "throughput.svg").write_text(
        throughput_chart(rows, closed or shown))
    (directory / "latency.svg").write_text(latency_chart(runs, shown, peers))
    return tables

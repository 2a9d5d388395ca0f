"""Results as JSON, a Markdown table and charts."""

import json
import os
import platform
import statistics
import subprocess

import draw


def median(values):
    return statistics.median(values)


def of(runs, scenario, peer):
    return [run for run in runs
            if run["scenario"] == scenario and run["peer"] == peer]


def ratios(runs, scenario, peer, base, key):
    """Per round, base over peer: pairs that ran one after the other."""
    theirs = {run["round"]: run[key] for run in of(runs, scenario, peer)}
    return [run[key] / theirs[run["round"]]
            for run in of(runs, scenario, base)
            if theirs.get(run["round"])]


def summary(runs, scenario, peer, base):
    rows = of(runs, scenario, peer)
    row = {"scenario": scenario, "peer": peer}
    for key in ("rps", "p50_us", "p99_us", "cpu_front_us", "cpu_peer_us",
                "cpu_downstream_us"):
        row[key] = median([run[key] for run in rows])
    row["failed"] = sum(run["failed"] for run in rows)
    pairs = ratios(runs, scenario, peer, base, "rps")
    row["ratio"] = median(pairs) if pairs else None
    row["ratio_range"] = [min(pairs), max(pairs)] if pairs else None
    return row


def machine():
    def ask(*command):
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  timeout=10, check=False)
        except OSError:
            return "-"
        return (done.stdout + done.stderr).strip().splitlines()[0]
    cpu = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
            "nginx": ask("nginx", "-v"), "node": ask("node", "--version"),
            "wrk": ask("wrk", "-v"), "gcc": ask("gcc", "--version")}


def table(rows, base):
    lines = [f"| scenario | peer | requests/s | {base} is | p50 ms | p99 ms "
             "| CPU µs/request: nginx | peer | downstream | failed |",
             "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        ratio = "" if row["peer"] == base or row["ratio"] is None else \
            "{:.2f}x ({:.2f} to {:.2f})".format(row["ratio"],
                                                *row["ratio_range"])
        lines.append("| {} | {} | {:,.0f} | {} | {:.2f} | {:.2f} | {:.0f} | "
                     "{:.0f} | {:.0f} | {} |".format(
                         row["scenario"], row["peer"], row["rps"], ratio,
                         row["p50_us"] / 1e3, row["p99_us"] / 1e3,
                         row["cpu_front_us"], row["cpu_peer_us"],
                         row["cpu_downstream_us"], row["failed"]))
    return "\n".join(lines) + "\n"


def write(directory, runs, scenarios, peers, command):
    base = peers[0]
    rows = [summary(runs, scenario, peer, base)
            for scenario in scenarios for peer in peers
            if of(runs, scenario, peer)]
    about = machine()
    (directory / "run.json").write_text(json.dumps(
        {"command": command, "machine": about, "summary": rows,
         "runs": runs}, indent=1) + "\n")
    (directory / "run.md").write_text(
        f"# Behind nginx\n\nMade by `{command}`.\n\n" + table(rows, base)
        + f"\n\"{base} is\": its requests per second over the peer's, the "
        "median (least to most) of the rounds; the two ran one after the "
        "other.\n\n" + "".join(f"- {key}: {value}\n"
                               for key, value in about.items()))
    (directory / "throughput.svg").write_text(draw.bars(
        "Throughput", [(scenario, [
            (row["peer"], row["rps"], f"{row['rps']:,.0f}")
            for row in rows if row["scenario"] == scenario])
            for scenario in scenarios], "requests per second"))
    points = ["50", "75", "90", "95", "99", "99.9"]
    last = scenarios[-1]
    (directory / "latency.svg").write_text(draw.curves(
        f"Latency, {last}", [
            (peer, [median([run["latency"][p] / 1e3
                            for run in of(runs, last, peer)])
                    for p in points])
            for peer in peers if of(runs, last, peer)],
        [f"p{p}" for p in points], "ms"))
    return rows

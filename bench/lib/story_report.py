"""What bench/story has measured, as tables and charts."""

import collections
import statistics

import draw

BEFORE, AFTER, CLUSTER = "node", "tallyd", "node-cluster"
NAMES = {BEFORE: "Node, one process", AFTER: "tallyd"}


def by_second(times, beat):
    """[(second, requests/s, p99 in ms)] from a file of beginnings and ends in
    ns, in steps of `beat` seconds. The last step, which is cut, is left out."""
    steps = collections.defaultdict(list)
    start = None
    with times.open() as lines:
        for line in lines:
            began, ended = map(int, line.split())
            start = began if start is None else start
            steps[int((ended - start) / 1e9 / beat)].append(ended - began)
    found = []
    for step in range(max(steps, default=0)):
        took = sorted(steps.get(step, ()))
        found.append((round((step + 1) * beat, 2), len(took) / beat,
                      took[len(took) * 99 // 100] / 1e6 if took else 0))
    return found


# --- Tables. ---

ROWS = [  # what, its value in a window, its form, is more better?
    ("requests/s", lambda run: run["rps"], "{:,.0f}", True),
    ("median", lambda run: run["latency"]["50"] / 1e3, "{:,.2f} ms", False),
    ("p95", lambda run: run["latency"]["95"] / 1e3, "{:,.2f} ms", False),
    ("p99", lambda run: run["latency"]["99"] / 1e3, "{:,.2f} ms", False),
    ("memory at its peak (PSS)", lambda run: run["pss_peak_kb"] / 1024,
     "{:,.1f} MB", False),
    ("CPU, cores", lambda run: run["cores"], "{:.2f}", False),
    ("CPU of a request", lambda run: run["cpu_us"], "{:,.0f} µs", False),
]


def change(before, after, more_is_better):
    if not before or not after:
        return ""
    factor = after / before if more_is_better else before / after
    return (f"{factor:.1f} times {'more' if more_is_better else 'less'}"
            if factor >= 1 else
            f"{1 / factor:.1f} times {'less' if more_is_better else 'more'}")


def title(story, sizes):
    run = story[BEFORE]
    how = (f"{run['rate']:,.0f} requests/s arrive" if run["rate"] else
           f"{run['clients']:,} clients, each sends when it has its answer")
    return (f"{run['items']:,} items ({sizes[run['items']] / 1024:,.1f} KB), "
            + how)


def table(story, sizes):
    lines = [f"## {title(story, sizes)}", "",
             "| | before: Node | after: tallyd | |", "|---|--:|--:|--:|"]
    for what, value, form, more in ROWS:
        a, b = value(story[BEFORE]), value(story[AFTER])
        same = what == "requests/s" and story[BEFORE]["rate"]
        lines.append(f"| {what} | {form.format(a)} | {form.format(b)} | "
                     f"{'' if same else change(a, b, more)} |")
    failed = [story[name]["failed"] for name in (BEFORE, AFTER)]
    return "\n".join([*lines, "| failed | {} | {} | |".format(*failed)])


def ratio(point, name):
    """How many times the peer's requests per second tallyd does, of rounds."""
    return statistics.median(ours / theirs for ours, theirs in zip(
        point["rps"][AFTER], point["rps"][name]))


def curve_table(points):
    lines = ["| items | KB | tallyd requests/s | Node | Node, a process for each "
             "core | tallyd is, of Node | of all its processes |",
             "|--:|--:|--:|--:|--:|--:|--:|"]
    for point in points:
        rates = {name: statistics.median(found)
                 for name, found in point["rps"].items()}
        lines.append(
            "| {:,} | {:,.1f} | {:,.0f} | {:,.0f} | {:,.0f} | {:.1f}x | {:.1f}x "
            "|".format(point["items"], point["bytes"] / 1024, rates[AFTER],
                       rates[BEFORE], rates[CLUSTER], ratio(point, BEFORE),
                       ratio(point, CLUSTER)))
    return "\n".join(lines)


def tables(about, options, sizes, stories, points, left_out):
    parts = [
        "# Before and after", about,
        "The handler in Node as one finds it, one process, then tallyd with "
        f"{options.workers} workers, behind the same nginx. The downstream is "
        + ("an nginx that answers at once" if options.downstream == "fast"
           else f"one that answers after {options.downstream} ms")
        + ". Bodies differ (bench/README.md). "
        + (f"{max(sizes):,} items are as many as made Node do about "
           f"{options.node_rate:,.0f} requests/s here in runs of "
           f"{options.short:g} s; in a longer one it may do less."
           if len(sizes) > 1 else
           f"Node does not do {options.node_rate:,.0f} requests/s here, even "
           "of such bodies.") + " In the closed loop the clients are as many as make its median about "
        f"{options.node_median:g} ms, but for a limit of their number; the open "
        "loop has nine tenths of the rate that Node did. The load, nginx and "
        "the downstream share the cores with the peer, whose memory and CPU "
        "alone are told. ![Over time](story.svg)",
        *[table(story, sizes) for story in stories],
        "## How many times faster at which size"]
    if points:
        parts += ["Closed loop, 32 clients, the median of three rounds. "
                  "![Curve](story-curve.svg)", curve_table(points)]
    if left_out:
        parts.append("Left out, since not all clients were answered by each in a "
                     "round: " + ", ".join(f"{n:,}" for n in left_out) + " items.")
    return "\n\n".join(parts) + "\n"


# --- Charts. ---

def course(stories):
    """Each window over time."""
    panels = []
    for story in stories:
        run = story[BEFORE]
        where = (f"{run['items']:,} items, " + (
            f"{run['rate']:,.0f}/s" if run["rate"] else
            f"{run['clients']:,} clients"))

        def rows(value):
            return {NAMES[name]: value(one) for name, one in story.items()}
        if not run["rate"]:
            panels.append((f"requests/s: {where}", rows(
                lambda one: [(at, rps) for at, rps, _ms in
                             one["seconds_of"]])))
        panels += [
            (f"p99, ms: {where}", rows(
                lambda one: [(at, ms) for at, _rps, ms in
                             one["seconds_of"] if ms])),
            (f"memory (PSS), MB: {where}", rows(
                lambda one: [(at, kb / 1024) for at, kb in one["pss"]])),
            (f"CPU, cores: {where}", rows(lambda one: one["cores_of"]))]
    return draw.series(
        "Before and after", "the two were measured one after the other, behind "
        "the same nginx", "seconds", [panel for panel in panels
                                      if all(panel[1].values())])


def curve(points):
    def times(name):
        return [(point["bytes"] / 1024, ratio(point, name))
                for point in points]
    return draw.powers(
        "How many times faster, at which size of body",
        "requests per second of tallyd over those of Node, closed loop; both "
        "axes are logarithmic", "KB of a body", {
            "than Node, one process": times(BEFORE),
            "than Node, a process for each core": times(CLUSTER)},
        [1, 18])

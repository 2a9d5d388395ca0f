"""Flame graphs: the stacks of `perf script` folded into a tree, and the tree as
SVG, readable in light and dark.

A box is a function. Its width is its share of the samples, with all it called;
its callers stand above it, what it called below, in the order of the alphabet.
Where nothing stands below, the time was spent in the function itself."""

import re
from xml.sax.saxutils import escape

WIDTH, MARGIN, ROW = 1200, 12, 18
CHARACTER = 6.3  # the mean width of one at 11 px
LEAST = 0.5  # px; what is narrower is not drawn

# Whose code it is: (name, pattern of the file's name), the first that fits.
KINDS = [("tallyd", r"/tallyd$"), ("libcurl", r"libcurl"),
         ("libfcgi", r"libfcgi"), ("json-c", r"libjson-c"),
         ("libc", r"/libc\.|/libc-|libm\.|ld-linux"),
         ("kernel", r"^\[(kernel|guest)|^\[[a-z_0-9]+\]$"), ("other", "")]

LIBC = [name for name, _pattern in KINDS].index("libc")

# Light and dark grounds of those; the ink on them is that of the page.
LIGHT = ("#a5d0ff", "#ffd29b", "#d9c2ff", "#ffb8b3", "#a9e5b4", "#dde1e6",
         "#f0e3a0")
DARK = ("#124a86", "#7a4a0c", "#553098", "#86312b", "#1c6130", "#3d444d",
        "#5f5312")

# How every system call begins; the call itself says enough.
ENTRIES = {"entry_SYSCALL_64_after_hwframe", "entry_SYSCALL_64",
           "do_syscall_64", "x64_sys_call", "el0t_64_sync",
           "el0t_64_sync_handler", "el0_svc", "do_el0_svc", "invoke_syscall",
           "el0_svc_common.constprop.0"}


# What calls a worker is the same in every stack, and left out.
TOP = "worker_run"


class Frame:
    """A function as called from those above it."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.samples = self.own = 0
        self.below = {}

    def enter(self, name, kind):
        if (name, kind) not in self.below:
            self.below[name, kind] = Frame(name, kind)
        return self.below[name, kind]

    def all(self):
        yield self
        for frame in self.below.values():
            yield from frame.all()


def kind_of(dso):
    return next(i for i, (_name, pattern) in enumerate(KINDS)
                if re.search(pattern, dso))


def kind_of_inlined(name, caller):
    """What is inlined belongs to whom it is in; perf says the same of the
    names that libc has for its functions besides the usual ones."""
    return LIBC if re.match("__(GI|libc)_", name) or caller is None else caller


def frames_of(stack):
    """[(name, kind)] of the frames of one sample, the outermost first."""
    frames = []
    for symbol, dso in reversed(re.findall(
            r"^\s+[0-9a-f]+ (.*) \((.*)\)$", stack, re.M)):
        name = re.sub(r"\+0x[0-9a-f]+$", "", symbol).removesuffix(" (inlined)")
        if name in ENTRIES:
            continue
        if name == "[unknown]":
            name = f"({dso.rpartition('/')[2]})"
        kind = kind_of(dso) if dso != "inlined" else kind_of_inlined(
            name, frames[-1][1] if frames else None)
        frames.append((re.sub(r"^__(?:x64|arm64)_sys_", "", name), kind))
        if name == TOP:
            frames = frames[-1:]
    return frames


def fold(text):
    """The tree of `perf script -F ip,sym,dso`; its root is nobody."""
    root = Frame("all", len(KINDS) - 1)
    for stack in text.split("\n\n"):
        frames = frames_of(stack)
        if not frames:
            continue
        here = root
        here.samples += 1
        for name, kind in frames:
            here = here.enter(name, kind)
            here.samples += 1
        here.own += 1
    return root


def shares(root):
    """[(kind, its share of the samples)] of the functions that were running;
    kinds without one are left out."""
    own = [0] * len(KINDS)
    for frame in root.all():
        own[frame.kind] += frame.own
    return [(kind, n / root.samples) for kind, n in enumerate(own) if n]


# --- Drawing. ---

def rules(ground, ink, faint, grounds):
    return (f".ground {{ fill: {ground}; }} text {{ fill: {ink}; }} "
            f".faint {{ fill: {faint}; }} rect {{ stroke: {ground}; }}\n"
            + " ".join(f".k{i} {{ fill: {color}; }}"
                       for i, color in enumerate(grounds)))


STYLE = """<style>
text { font: 11px system-ui, sans-serif; } rect { stroke-width: 1; }
.title { font-size: 16px; font-weight: 600; } .legend { font-size: 12px; }
%s
@media (prefers-color-scheme: dark) {
%s
}
</style>""" % (rules("#ffffff", "#1f2328", "#57606a", LIGHT),
               rules("#0d1117", "#f0f6fc", "#9ea7b3", DARK))


def label(name, width):
    """As much of a name as fits, or nothing."""
    room = int((width - 6) / CHARACTER)
    if len(name) <= room:
        return name
    return name[:room - 1] + "\u2026" if room > 3 else ""


def box(frame, total, x, y, width):
    words = label(frame.name, width)
    share = f"{frame.samples / total:.1%}, itself {frame.own / total:.1%}"
    return (f'<g><title>{escape(frame.name)} ({KINDS[frame.kind][0]}): {share}'
            f'</title><rect class="k{frame.kind}" x="{x:.1f}" y="{y}" '
            f'width="{width:.1f}" height="{ROW - 1}" rx="1"/>'
            + (f'<text x="{x + 3:.1f}" y="{y + 12.5}">{escape(words)}</text>'
               if words else "") + "</g>")


def boxes(frame, total, x, y, scale):
    """(SVG, y of the lowest) of what a frame called, side by side."""
    parts, lowest = [], y
    for one in sorted(frame.below.values(), key=lambda f: f.name):
        width = one.samples * scale
        if width >= LEAST:
            parts.append(box(one, total, x, y, width))
            more, low = boxes(one, total, x, y + ROW, scale)
            parts += more
            lowest = max(lowest, low, y + ROW)
        x += width
    return parts, lowest


def legend(root, y):
    parts, x = [], MARGIN
    for kind, share in shares(root):
        words = f"{KINDS[kind][0]} {share:.0%}"
        parts += [f'<rect class="k{kind}" x="{x}" y="{y - 11}" width="14" '
                  'height="14" rx="2"/>',
                  f'<text class="legend" x="{x + 20}" y="{y}">{words}</text>']
        x += 44 + int(6.6 * len(words))
    return parts


def draw(root, title, note):
    scale = (WIDTH - 2 * MARGIN) / root.samples
    parts, lowest = boxes(root, root.samples, MARGIN, 84, scale)
    height = lowest + MARGIN
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
            f'{height}" width="{WIDTH}" height="{height}">\n{STYLE}\n'
            f'<rect class="ground" width="{WIDTH}" height="{height}"/>\n'
            f'<text class="title" x="{MARGIN}" y="26">{escape(title)}</text>\n'
            f'<text class="faint" x="{MARGIN}" y="45">{escape(note)}</text>\n'
            + "\n".join(legend(root, 70) + parts) + "\n</svg>\n")

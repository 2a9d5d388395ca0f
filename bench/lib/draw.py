"""Charts as SVG, readable in light and dark: each paints its own ground.

A chart is a column or a grid of panels under one title and one legend."""

import math
from xml.sax.saxutils import escape

WIDTH = 860
LIGHT = ("#0969da", "#e36209", "#1a7f37", "#8250df", "#cf222e", "#0f8a8a",
         "#9a6700", "#6e7781", "#bf3989", "#57ab5a", "#54aeff", "#953800")
DARK = ("#58a6ff", "#ffa657", "#56d364", "#bc8cff", "#ff7b72", "#39c5cf",
        "#e3b341", "#8b949e", "#f778ba", "#347d39", "#1f6feb", "#db6d28")
COLORS = len(LIGHT)


def rules(ground, ink, faint, grid, axis, colors):
    return (f".ground {{ fill: {ground}; }} text {{ fill: {ink}; }} "
            f".small {{ fill: {faint}; }}\n.grid {{ stroke: {grid}; }} "
            f".axis {{ stroke: {axis}; }}\n" + "\n".join(
                f".f{i} {{ fill: {color}; }} .l{i} {{ stroke: {color}; }}"
                for i, color in enumerate(colors)))


STYLE = """<style>
text { font: 12px system-ui, sans-serif; } .small { font-size: 11px; }
.title { font-size: 16px; font-weight: 600; } .head { font-weight: 600; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.gain { fill: #2da44e; opacity: .35; } .loss { fill: #cf222e; opacity: .35; }
%s
@media (prefers-color-scheme: dark) {
%s
}
</style>""" % (rules("#ffffff", "#24292f", "#57606a", "#d8dee4", "#8c959f",
                     LIGHT),
               rules("#0d1117", "#e6edf3", "#9ea7b3", "#2b323b", "#6e7681",
                     DARK))


def page(height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
            f'{height:.0f}" width="{WIDTH}" height="{height:.0f}">\n{STYLE}\n'
            f'<rect class="ground" width="{WIDTH}" height="{height:.0f}"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def text(x, y, words, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}">{escape(str(words))}</text>')


def rule(x1, y1, x2, y2, kind="grid"):
    return (f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" '
            f'x2="{x2:.1f}" y2="{y2:.1f}"/>')


def legend(y, names):
    """Lines of coloured names; {name: its color}; what a second line and more
    take of the height."""
    parts, x, more = [], 16.0, 0
    for i, name in enumerate(names):
        if x + 16 + 6.8 * len(name) > WIDTH:
            x, y, more = 16.0, y + 18, more + 18
        parts += [f'<rect class="f{i % COLORS}" x="{x:.1f}" '
                  f'y="{y - 10:.1f}" width="11" height="11" rx="2"/>',
                  text(x + 16, y, name)]
        x += 36 + 6.8 * len(name)
    return parts, {name: i % COLORS for i, name in enumerate(names)}, more


def heading(title, note):
    return [text(16, 26, title, "title"), text(16, 44, note, "small")]


# --- Bars: panels in two columns, each to a scale of its own. ---

def bar_panel(x, y, width, name, rows):
    """rows: [(label, value, note, color)]"""
    left, right = 92, 74
    most = max(value for _label, value, _note, _color in rows) or 1
    parts = [text(x, y + 12, name, "head")]
    for i, (label, value, note, color) in enumerate(rows):
        top = y + 22 + 20 * i
        length = max((width - left - right) * value / most, 1)
        parts += [text(x + left - 8, top + 12, label, "small", "end"),
                  f'<rect class="f{color}" x="{x + left:.1f}" '
                  f'y="{top:.1f}" width="{length:.1f}" height="15" rx="2"/>',
                  text(x + left + length + 6, top + 12, note, "small")]
    return parts


def bars(title, groups, note):
    """groups: [(name, [(label, value, note)])]"""
    labels = list(dict.fromkeys(label for _name, rows in groups
                                for label, _value, _note in rows))
    color = {label: i % COLORS for i, label in enumerate(labels)}
    parts, y = heading(title, note), 62.0
    for at in range(0, len(groups), 2):
        pair = groups[at:at + 2]
        for column, (name, rows) in enumerate(pair):
            parts += bar_panel(16 + column * 424, y, 404, name,
                               [(*row, color[row[0]]) for row in rows])
        y += 22 + 20 * max(len(rows) for _name, rows in pair) + 18
    return page(y, parts)


# --- Curves: panels with two axes. ---

class Frame:
    """The rectangle of a panel, and where a value lies in it."""

    def __init__(self, x, y, width, height, x_range, y_range, log=False,
                 log_x=False):
        self.x, self.y, self.width, self.height = x, y, width, height
        self.x_range, self.y_range = x_range, y_range
        self.log, self.log_x = log, log_x

    def at(self, x, y):
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        if self.log_x:
            x, x0, x1 = math.log10(x), math.log10(x0), math.log10(x1)
        if self.log:
            y, y0, y1 = math.log10(y), math.log10(y0), math.log10(y1)
        return (self.x + self.width * (x - x0) / ((x1 - x0) or 1),
                self.y + self.height * (1 - (y - y0) / ((y1 - y0) or 1)))

    def axes(self, x_ticks, y_ticks, x_title):
        """ticks: [(value, label)]"""
        parts = []
        for value, label in y_ticks:
            _x, y = self.at(self.x_range[0], value)
            parts += [rule(self.x, y, self.x + self.width, y),
                      text(self.x - 6, y + 4, label, "small", "end")]
        bottom = self.y + self.height
        for value, label in x_ticks:
            x, _y = self.at(value, self.y_range[0])
            parts += [rule(x, bottom, x, bottom + 4, "axis"),
                      text(x, bottom + 17, label, "small", "middle")]
        return parts + [
            rule(self.x, bottom, self.x + self.width, bottom, "axis"),
            text(self.x + self.width / 2, bottom + 33, x_title, "small",
                 "middle")]

    def curve(self, points, color):
        where = " ".join("{:.1f},{:.1f}".format(*self.at(x, y))
                         for x, y in points)
        return f'<polyline class="line l{color}" points="{where}"/>'


def log_ticks(low, high):
    """As many as can be read: all digits of a short axis, 1 of a long one."""
    digits = ((1, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,))[
        min(int(math.log10(high / low)), 2)]
    return [(value, f"{value:g}") for value in (
        digit * 10.0 ** power
        for power in range(math.floor(math.log10(low)),
                           math.ceil(math.log10(high)) + 1)
        for digit in digits) if low <= value <= high]


TAIL = [(50, "50 %"), (90, "90 %"), (99, "99 %"),
        (99.9, "99.9 %"), (99.99, "99.99 %")]


# An axis goes at least from 1 to this, so that nothing looks large that is not.
LEAST_RANGE = 4


def tail(percent):
    """Where a percentile lies on an axis that widens towards 100."""
    return -math.log10(1 - min(percent, 99.999) / 100)


def percentiles(title, note, panels):
    """panels: [(name, {label: [(percentile, milliseconds)]})], two in a
    row."""
    labels = list(dict.fromkeys(label for _name, series in panels
                                for label in series))
    parts = heading(title, note)
    some, color, more = legend(68, labels)
    parts, height, top = parts + some, 262, 98 + more
    for i, (name, series) in enumerate(panels):
        x, y = 62 + i % 2 * 424, top + i // 2 * (height + 20)
        values = [ms for row in series.values() for _p, ms in row]
        last = max(p for row in series.values() for p, _ms in row)
        low = min(values) * 0.9
        frame = Frame(x, y + 10, 340, height - 62, (0, tail(last)),
                      (low, max(max(values) * 1.1, low * LEAST_RANGE)),
                      log=True)
        parts.append(text(x, y, name, "head"))
        parts += frame.axes([(tail(p), words) for p, words in TAIL
                             if p <= last], log_ticks(*frame.y_range),
                            "share of the requests that took no longer")
        parts += [frame.curve([(tail(p), ms) for p, ms in row], color[label])
                  for label, row in series.items()]
    rows = (len(panels) + 1) // 2
    return page(top + rows * (height + 20), parts)


def round_ticks(high, count=5):
    """0 and about `count` round numbers up to `high`."""
    rough = max(high, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    return [(step * i, f"{step * i:,.10g}")
            for i in range(int(high / step) + 1)]


def series(title, note, x_title, panels):
    """panels: [(name, {label: [(x, value)]})], one below the other."""
    labels = list(dict.fromkeys(label for _name, rows in panels
                                for label in rows))
    some, color, more = legend(68, labels)
    parts, height, y = heading(title, note) + some, 210, 98 + more
    for name, rows in panels:
        points = [point for row in rows.values() for point in row]
        frame = Frame(76, y + 10, WIDTH - 110, height - 62,
                      (0, max(x for x, _value in points)),
                      (0, max(value for _x, value in points) * 1.1 or 1))
        parts.append(text(76, y, name, "head"))
        parts += frame.axes(round_ticks(frame.x_range[1], 10),
                            round_ticks(frame.y_range[1], 6), x_title)
        parts += [frame.curve(row, color[label])
                  for label, row in rows.items()]
        y += height + 20
    return page(y, parts)


def powers(title, note, x_title, curves, marks):
    """curves: {label: [(x, value)]}, both axes logarithmic, with a line across at
    each of `marks`."""
    points = [point for row in curves.values() for point in row]
    xs = [x for x, _value in points]
    values = [value for _x, value in points] + list(marks)
    some, color, more = legend(68, curves)
    frame = Frame(76, 98 + more, WIDTH - 110, 320, (min(xs) * 0.9, max(xs) * 1.1),
                  (min(values) * 0.8, max(values) * 1.3), log=True, log_x=True)
    parts = heading(title, note) + some + frame.axes(
        log_ticks(*frame.x_range), log_ticks(*frame.y_range), x_title)
    for value in marks:
        (left, y), (right, _y) = (frame.at(x, value) for x in frame.x_range)
        parts += [rule(left, y, right, y, "axis"),
                  text(right, y - 4, f"{value:g} times", "small", "end")]
    parts += [frame.curve(row, color[label]) for label, row in curves.items()]
    return page(98 + more + 320 + 50, parts)


# --- Dots: a line for each row, all on one logarithmic scale. ---

ROW, HEAD, LABELS = 16, 24, 196


def dot_row(frame, y, marks, span, color):
    """marks: {label: value}, the first one larger; `span`: from which value to
    which a bar is drawn, of one colour when it is a gain, else of another."""
    parts = []
    if span:
        start, end = (frame.at(value, 1)[0] for value in span)
        parts.append(f'<rect class="{"gain" if end >= start else "loss"}" '
                     f'x="{min(start, end):.1f}" y="{y - 3:.1f}" '
                     f'width="{abs(end - start):.1f}" height="6"/>')
    for i, (label, value) in reversed(list(enumerate(marks.items()))):
        x, size = frame.at(value, 1)[0], 3 if i else 4.6
        parts.append(f'<circle class="f{color[label]}" r="{size}" cx="{x:.1f}" '
                     f'cy="{y:.1f}"><title>{escape(label)}: {value:,.0f}'
                     '</title></circle>')
    return parts


class LogFrame:
    """A column whose x is logarithmic, with a rule at each power of ten."""

    def __init__(self, x, width, low, high):
        self.x, self.width = x, width
        self.low, self.high = math.log10(low), math.log10(high)

    def at(self, value, _y):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return (self.x + self.width * share, 0)

    def axes(self, top, bottom):
        parts = []
        for value, words in log_ticks(10 ** self.low, 10 ** self.high):
            x = self.at(value, 1)[0]
            parts += [rule(x, top, x, bottom),
                      text(x, top - 5, words, "small", "middle"),
                      text(x, bottom + 14, words, "small", "middle")]
        return parts


def dots(title, note, columns, groups):
    """columns: names; groups: [(name, [(label, [(marks, span)])])] with a
    (marks, span) or None for each column; see dot_row()."""
    cells = [cell for _name, rows in groups for _label, row in rows
             for cell in row if cell]
    labels = list(dict.fromkeys(label for marks, _span in cells
                                for label in marks))
    values = [value for marks, _span in cells for value in marks.values()]
    some, color, more = legend(68, labels)
    parts, top = heading(title, note) + some, 122 + more
    bottom = top + sum(HEAD + ROW * len(rows) for _name, rows in groups)
    width = (WIDTH - 16 - LABELS) / len(columns)
    frames = [LogFrame(LABELS + width * i + 14, width - 28, min(values) * 0.9,
                       max(values) * 1.1) for i in range(len(columns))]
    for frame, name in zip(frames, columns):
        parts += [text(frame.x, top - 24, name, "head"),
                  *frame.axes(top, bottom)]
    y = float(top)
    for name, rows in groups:
        parts.append(text(16, y + 17, name, "head"))
        y += HEAD
        for label, row in rows:
            parts.append(text(LABELS, y + 12, label, "small", "end"))
            for frame, cell in zip(frames, row):
                parts += dot_row(frame, y + 8, *cell, color) if cell else []
            y += ROW
    return page(bottom + 28, parts)

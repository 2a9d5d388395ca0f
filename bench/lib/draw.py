"""Charts as SVG, readable in light and dark."""

from xml.sax.saxutils import escape

COLORS = ("#2f7ed8", "#8bbc21", "#d9822b", "#a64ca6", "#1aadce", "#888888")
STYLE = """<style>
text { font: 13px sans-serif; fill: #222; }
.small { font-size: 11px; fill: #555; } .title { font-size: 16px; }
.grid { stroke: #ccc; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .small { fill: #aaa; } .grid { stroke: #444; } }
</style>"""


def page(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} '
            f'{height}" width="{width}" height="{height}">\n{STYLE}\n'
            + "\n".join(parts) + "\n</svg>\n")


def text(x, y, words, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}">{escape(str(words))}</text>')


def bars(title, groups, unit):
    """groups: [(name, [(label, value, note)])], one bar for each label."""
    most = max((value for _name, rows in groups for _l, value, _n in rows),
               default=1) or 1
    width, left, y = 760, 150, 34
    parts = [text(10, 20, f"{title} ({unit})", "title")]
    for name, rows in groups:
        y += 24
        parts.append(text(10, y, name))
        y += 8
        for i, (label, value, note) in enumerate(rows):
            length = (width - left - 150) * value / most
            color = COLORS[i % len(COLORS)]
            parts += [text(left - 8, y + 13, label, "small", "end"),
                      f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" '
                      f'height="14" fill="{color}"/>',
                      text(left + length + 6, y + 13, note, "small")]
            y += 19
    return page(width, y + 14, parts)


def curves(title, series, x_labels, unit):
    """series: [(name, [value at each x])], on a logarithmic axis."""
    import math
    width, height, left, top = 760, 360, 70, 40
    values = [v for _n, row in series for v in row if v > 0]
    low, high = math.log10(min(values)), math.log10(max(values) * 1.1)
    span = max(high - low, 0.1)

    def place(i, value):
        x = left + (width - left - 150) * i / max(len(x_labels) - 1, 1)
        part = (math.log10(max(value, 10 ** low)) - low) / span
        return x, height - 40 - (height - top - 60) * part

    parts = [text(10, 20, f"{title} ({unit})", "title")]
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for factor in (1, 2, 5):
            value = factor * 10 ** exponent
            if 10 ** low <= value <= 10 ** high:
                y = place(0, value)[1]
                parts += [f'<line class="grid" x1="{left}" x2="{width - 150}" '
                          f'y1="{y:.1f}" y2="{y:.1f}"/>',
                          text(left - 6, y + 4, f"{value:g}", "small", "end")]
    for i, label in enumerate(x_labels):
        parts.append(text(place(i, 1)[0], height - 18, label, "small",
                          "middle"))
    for k, (name, row) in enumerate(series):
        color = COLORS[k % len(COLORS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in
                          (place(i, v) for i, v in enumerate(row)))
        parts += [f'<polyline points="{points}" fill="none" stroke="{color}" '
                  'stroke-width="2"/>',
                  f'<rect x="{width - 140}" y="{top + 20 * k}" width="12" '
                  f'height="12" fill="{color}"/>',
                  text(width - 122, top + 11 + 20 * k, name, "small")]
    return page(width, height, parts)

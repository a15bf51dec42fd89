"""The plot of the documents, as SVG: no library is needed for a dozen bars."""

from collections.abc import Callable
from html import escape

from bench.results import Load, Results, p99_ms, requests_per_second
from bench.services import SERVICES

WIDTH, BAR, GAP, LABEL, TOP = 860, 16, 26, 96, 46
COLOURS = {"async": "#00796b", "sync": "#4db6ac"}
STYLE = "font-family='system-ui, sans-serif' font-size='13'"


def plot(results: Results) -> str:
    """Draw requests per second at 32 clients, and p99 at 128, of every service."""
    panels = [
        (f"{scenario}: requests per second, 32 clients", scenario, 32, requests_per_second)
        for scenario in ("get", "list", "create")
    ] + [("get: 99th percentile in ms, 128 clients", "get", 128, p99_ms)]
    column, height = WIDTH // 2, TOP + len(SERVICES) * GAP
    drawn = [
        f"<g transform='translate({index % 2 * column} {index // 2 * (height + 10)})'>\n"
        f"{panel(results, *what)}\n</g>"
        for index, what in enumerate(panels)
    ]
    total = 2 * (height + 10)
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {total}' {STYLE}>"
    return "\n".join([head, "<rect width='100%' height='100%' fill='white'/>", *drawn, "</svg>\n"])


def panel(
    results: Results, title: str, scenario: str, clients: int, value: Callable[[Load], float]
) -> str:
    """Draw one bar for each service."""
    values = {
        one.name: results.load(one.name, scenario, clients, value)
        for one in SERVICES
        if clients <= one.most_clients
    }
    longest = WIDTH // 2 - LABEL - 80
    lines = [f"<text x='{LABEL}' y='28' font-weight='600'>{escape(title)}</text>"]
    for index, (name, figure) in enumerate(values.items()):
        y, length = TOP + index * GAP, round(longest * figure / max(values.values()))
        colour = COLOURS.get(name, "#b0bec5")
        lines += [
            f"<text x='{LABEL - 8}' y='{y + 13}' text-anchor='end'>{name}</text>",
            f"<rect x='{LABEL}' y='{y}' width='{length}' height='{BAR}' fill='{colour}'/>",
            f"<text x='{LABEL + length + 6}' y='{y + 13}'>{figure:,.0f}</text>",
        ]
    return "\n".join(lines)

"""A table and a verdict, as the page shows them."""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *rows])


def verdict(what: str, value: float, limit: float, unit: str, *, at_least: bool) -> str:
    """A line that says whether a target is reached."""
    reached = value >= limit if at_least else value <= limit
    sign = "at least" if at_least else "at most"
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"- {what}: **{shown}{unit}**, target {sign} {limit:g}{unit}: " + (
        "reached" if reached else "**not reached**"
    )

"""Where a bar of a chart stands on its page."""

from playwright.sync_api import FloatRect, Locator, Page, Position

_MIDDLE = """(body, ms) => {
  const rows = [...body.rows];
  const place = rows.findIndex((row) => new Date(row.dataset.until) > ms);
  return (place + 0.5) / rows.length;
}"""
"""Where the bar of a time stands, as a share of all."""


def over_bar(page: Page, table: str, at_ms: int) -> tuple[Locator, Position]:
    """What takes the pointer over a chart, and where in it the foot of the bar of a moment is.

    Args:
        page: That shows it.
        table: Id of the table behind the chart.
        at_ms: The moment, milliseconds since the epoch.
    """
    share = page.locator(f"#{table} tbody").evaluate(_MIDDLE, at_ms)
    over = page.locator(f"[data-chart={table}] .u-over")
    size: FloatRect | None = over.bounding_box()
    assert size is not None
    return over, {"x": size["width"] * share, "y": size["height"] * 0.9}

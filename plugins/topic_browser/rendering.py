"""Templates to pages: escaped, in the language of the reader, with the policy that lets nothing else in."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from petitions.check_words import tell_check, tell_limit, tell_step, tell_value
from petitions.records import SEOUL
from petitions.sources.registry import SOURCES
from topic_browser.asking import Ask
from topic_browser.axes import draw_chart, tell_day
from topic_browser.charts import draw_line, find_highest
from topic_browser.words import choose_words

HERE = Path(__file__).parent
# Airflow shows the pages in a frame of its own origin; the map is a frame within them.
POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'self'"
)
# Our own script saves a chart; the image that it draws of it has an address of this page alone.
CHART_POLICY = f"{POLICY}; script-src 'self'; img-src blob:"
WITH_CHARTS = ("topic.html.j2", "compare.html.j2")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


def tell_share(share: float | None) -> str:
    """A share as a percentage; a dash for none."""
    return "–" if share is None else f"{share:.1%}"


def tell_number(value: float | None) -> str:
    """A number as people read it; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def tell_count(value: float) -> str:
    """A count at an axis, which may have halves between."""
    return f"{value:,g}"


def tell_moment(moment: datetime | None) -> str:
    """A moment in Korean time."""
    return "–" if moment is None else f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M}"


def is_web_address(url: str | None) -> bool:
    """Whether a link may lead there."""
    return bool(url) and str(url).startswith(("https://", "http://"))


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
TEMPLATES.filters |= {"share": tell_share, "number": tell_number, "moment": tell_moment, "day": tell_day}
TEMPLATES.globals |= {
    "draw_line": draw_line, "find_highest": find_highest, "draw_chart": draw_chart, "tell_share": tell_share,
    "tell_number": tell_number, "tell_check": tell_check, "tell_step": tell_step, "tell_value": tell_value,
    "tell_limit": tell_limit, "is_web_address": is_web_address, "sources": tuple(SOURCES),
}  # fmt: skip


def render_page(name: str, ask: Ask, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as an answer."""
    page = TEMPLATES.get_template(name).render(ask=ask, word=choose_words(ask.language), here=name, **values)
    headers = {"Content-Security-Policy": CHART_POLICY} if name in WITH_CHARTS else None
    return HTMLResponse(page, status_code=status, headers=headers)

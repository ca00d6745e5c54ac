"""Topics side by side: their weeks in one chart and one table, by share or by count."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import HTMLResponse

from topic_browser import queries
from topic_browser.asking import Ask, AskDep
from topic_browser.axes import draw_chart
from topic_browser.database import open_snapshot
from topic_browser.rendering import render_page, tell_count, tell_share
from topic_browser.rows import Rows
from topic_browser.tables import give_table
from topic_browser.words import choose_words

router = APIRouter()
MOST_TOPICS = 6  # as many letters and colours as there are
Topics = Annotated[list[Annotated[int, Query(ge=1, le=2**31 - 1)]], Query(alias="topic", max_length=100)]
By = Literal["share", "count"]


@router.get("/compare")
def show_comparison(ask: AskDep, topic: Topics = [], by: By = "share") -> HTMLResponse:  # noqa: B006 - FastAPI copies it
    """A chart and a table of the topics that were chosen, and the form to choose them by."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        failure = queries.read_failure(conn, ask.source, model)
        if model is None:
            published = queries.read_published(conn)
            return render_page("empty.html.j2", ask, model=model, failure=failure, published=published)
        overview = queries.read_overview(conn, ask.source, model["model_id"])
    chosen, missing = choose(overview, topic)
    series = [overview.trends.get(row["topic_id"], []) for row in chosen]
    is_share = by == "share"
    chart = draw_chart(series, "share" if is_share else "n_petitions", tell_share if is_share else tell_count)
    return render_page(
        "compare.html.j2", ask, overview=overview, chosen=chosen, missing=missing, weeks=_line_up(series), chart=chart,
        by=by, most=MOST_TOPICS, is_cut=len(dict.fromkeys(topic)) > MOST_TOPICS, model=model, failure=failure,
    )  # fmt: skip


@router.get("/compare.csv")
def give_comparison(ask: AskDep, topic: Topics = [], by: By = "share") -> Response:  # noqa: B006 - FastAPI copies it
    """The table of a comparison."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        if model is None:
            raise HTTPException(404)
        overview = queries.read_overview(conn, ask.source, model["model_id"])
    chosen, _ = choose(overview, topic)
    weeks = _line_up([overview.trends.get(row["topic_id"], []) for row in chosen])
    return _give(ask, chosen, weeks, "share" if by == "share" else "n_petitions")


def choose(overview: queries.Overview, ids: Sequence[int]) -> tuple[Rows, Sequence[int]]:
    """The topics of these ids in their order, MOST_TOPICS at most, and the ids that the fit does not have."""
    known = {row["topic_id"]: row for row in overview.topics}
    asked = list(dict.fromkeys(ids))
    found = [known[topic_id] for topic_id in asked if topic_id in known]
    return found[:MOST_TOPICS], [topic_id for topic_id in asked if topic_id not in known]


def _line_up(series: Sequence[Rows]) -> Sequence[tuple[dict[str, Any], Sequence[dict[str, Any]]]]:
    """Each week with the row of each topic; every topic has a row in every week of the window."""
    return [(rows[0], rows) for rows in zip(*series, strict=True)] if series else []


def _give(ask: Ask, chosen: Rows, weeks: Sequence[tuple[dict[str, Any], Any]], value: str) -> Response:
    word = choose_words(ask.language)
    header = [word("week"), word("days_of_week"), *(row["label"] for row in chosen)]
    rows = ([week["week"], week["n_days"], *(row[value] for row in of_topics)] for week, of_topics in weeks)
    return give_table(f"compare-{ask.source}.csv", header, rows)

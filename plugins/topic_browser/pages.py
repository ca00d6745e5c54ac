"""The pages: each reads one snapshot and renders it."""

import html
import re
from functools import cache
from math import ceil
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import HTMLResponse

from petitions.settings import Settings
from topic_browser import queries
from topic_browser.asking import AskDep, require_text
from topic_browser.database import open_snapshot
from topic_browser.downloads import MOST_ROWS
from topic_browser.petition_map import FIRST, read_petition_map
from topic_browser.rendering import HERE, render_page

router = APIRouter()
LONGEST_ID = 200  # characters
_MAP_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


@router.get("/")
def show_topics(ask: AskDep) -> HTMLResponse:
    """All topics of the published fit."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        failure = queries.read_failure(conn, ask.source, model)
        if model is None:
            published = queries.read_published(conn)
            return render_page("empty.html.j2", ask, model=model, failure=failure, published=published)
        overview = queries.read_overview(conn, ask.source, model["model_id"])
        news = overview.news
        shown = queries.read_petitions(conn, [*news.new, *(petition_id for petition_id, _, _ in news.gained)])
    by_id = {row["petition_id"]: row for row in shown}
    return render_page(
        "topics.html.j2", ask, model=model, overview=overview, failure=failure, news=news,
        new=[by_id[petition_id] for petition_id in news.new if petition_id in by_id],
        gained=[(by_id[one], gain, n_days) for one, gain, n_days in news.gained if one in by_id],
    )  # fmt: skip


@router.get("/topic/{topic_id}")
def show_topic(
    ask: AskDep,
    topic_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """A topic and the petitions that have it as main topic, a page of them."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        if model is None:
            raise HTTPException(404)
        overview = queries.read_overview(conn, ask.source, model["model_id"])
        topic = next((row for row in overview.topics if row["topic_id"] == topic_id), None)
        ids = overview.order.get(topic_id, [])
        n_pages = max(1, ceil(len(ids) / queries.PAGE))
        if topic is None or page > n_pages:
            raise HTTPException(404)
        start = (page - 1) * queries.PAGE
        petitions = queries.read_petitions(conn, ids[start : start + queries.PAGE])
        failure = queries.read_failure(conn, ask.source, model)
    return render_page(
        "topic.html.j2", ask, topic=topic, overview=overview, petitions=petitions, page=page, n_pages=n_pages,
        model=model, failure=failure, n_rows=len(ids), most_rows=MOST_ROWS,
    )  # fmt: skip


@router.get("/petition/{petition_id:path}")
def show_petition(ask: AskDep, petition_id: str) -> HTMLResponse:
    """A petition: text, topic, scores, agreements by day, and those that are like it."""
    require_text(petition_id, LONGEST_ID)
    with open_snapshot() as conn:
        petition = queries.read_petition(conn, petition_id)
        if petition is None:
            raise HTTPException(404)
        curve = queries.read_curve(conn, petition_id)
        neighbours = queries.read_neighbours(conn, petition_id)
        model = queries.read_model(conn, petition["source"])
        failure = queries.read_failure(conn, petition["source"], model)
    return render_page(
        "petition.html.j2", ask, petition=petition, curve=curve, neighbours=neighbours, model=model, failure=failure
    )


@router.get("/map")
def show_map(ask: AskDep, topic: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> HTMLResponse:
    """Petitions around the names of topics; below, the map by pyLDAvis in a frame that cannot reach this page."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        failure = queries.read_failure(conn, ask.source, model)
        if model is None:
            published = queries.read_published(conn)
            return render_page("empty.html.j2", ask, model=model, failure=failure, published=published)
        topics = queries.read_overview(conn, ask.source, model["model_id"]).topics
        chosen = topic if topic in [row["topic_id"] for row in topics] else None
        drawn = read_petition_map(conn, ask.source, model["artifact"], topics, chosen)
    has_map = bool(_find_map(model["artifact"]))
    return render_page(
        "map.html.j2", ask, drawn=drawn, chosen=chosen, first=FIRST, has_map=has_map, n_topics=model["n_topics"],
        model=model, failure=failure,
    )  # fmt: skip


@router.get("/map/frame")
def show_map_frame(ask: AskDep) -> HTMLResponse:
    """The page that the fit has kept, under the policy that it was made with: only its own scripts run."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
    page = _find_map(model["artifact"]) if model else None
    policy = _MAP_POLICY.search(page) if page else None
    if page is None or policy is None:
        raise HTTPException(404)
    headers = {"Content-Security-Policy": f"{html.unescape(policy[1])}; sandbox allow-scripts; frame-ancestors 'self'"}
    return HTMLResponse(page, headers=headers)


@router.get("/runs")
def show_runs(ask: AskDep) -> HTMLResponse:
    """The last runs of a source, and the fit and the checks behind what readers see."""
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        failure = queries.read_failure(conn, ask.source, model)
        runs = queries.read_runs(conn, ask.source)
        checks = queries.read_checks(conn, model["model_id"]) if model else []
    return render_page("runs.html.j2", ask, model=model, failure=failure, runs=runs, checks=checks)


@router.get("/static/browser.css")
def give_style() -> Response:
    """The style of the pages; a route, since a mounted folder would ask nobody to sign in."""
    return _give_static("browser.css", "text/css")


@router.get("/static/charts.js")
def give_script() -> Response:
    """What saves a chart, the one script of ours."""
    return _give_static("charts.js", "text/javascript")


@router.get("/{path:path}")
def refuse_path(path: str) -> None:
    """Any other address, so that nobody learns what there is without signing in."""
    raise HTTPException(404)


@cache
def _read_static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")


def _give_static(name: str, kind: str) -> Response:
    return Response(_read_static(name), media_type=kind, headers={"Cache-Control": "private, max-age=600"})


def _find_map(artifact: str) -> str | None:
    """The map of a fit; None where none was kept."""
    from petitions.store.artifacts import ArtifactStore
    from petitions.store.topics import PICTURE_FILE

    store, path = ArtifactStore(Settings.from_env().artifacts), f"{artifact}/{PICTURE_FILE}"
    return store.read(path).decode() if store.exists(path) else None

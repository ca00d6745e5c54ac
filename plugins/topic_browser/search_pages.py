"""The page of the search: petitions by words and meaning of a question, a page of them, and what is filtered."""

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse

from petitions.records import Source
from petitions.settings import Settings
from topic_browser import queries
from topic_browser.asking import AskDep
from topic_browser.database import open_snapshot
from topic_browser.meaning import ASKER, Meaning
from topic_browser.rendering import render_page
from topic_browser.rows import Rows
from topic_browser.searching import (
    PAGE,
    STATUSES,
    Asked,
    Search,
    find_petitions,
    is_weighed,
    read_found,
    read_search,
)

router = APIRouter()
SearchDep = Annotated[Search, Depends(read_search)]


@router.get("/search")
def show_search(ask: AskDep, search: SearchDep, page: Annotated[int, Query(ge=1, le=1000)] = 1) -> HTMLResponse:
    """Petitions by a question, the best first."""
    asked = take_apart(ask.source, search)
    rows: Rows = []
    categories: Sequence[str] = []
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        failure = queries.read_failure(conn, ask.source, model)
        if model:
            categories = queries.read_overview(conn, ask.source, model["model_id"]).categories
        found = find_petitions(conn, ask.source, search, asked)
        if found.lack:  # a page of what meaning had found, while the model is away
            page = min(page, found.n_pages)
        if page > found.n_pages and search.question.strip():
            raise HTTPException(404)
        shown = dict(islice(found.hits.items(), (page - 1) * PAGE, page * PAGE))
        rows = read_found(conn, shown, search, asked.tokens)
    return render_page(
        "search.html.j2", ask, search=search, tokens=asked.tokens, found=found, rows=rows, page=page, model=model,
        failure=failure, categories=categories, statuses=STATUSES, first=(page - 1) * PAGE + 1,
    )  # fmt: skip


def take_apart(source: Source, search: Search) -> Asked:
    """The words of a question as those of petitions were found, and its vector where vectors count.

    Mecab's dictionary and the weights are opened at the first. No connection is held meanwhile.
    """
    from petitions.text.normalize import normalize_text
    from petitions.text.search_words import SearchTokenizer

    text = normalize_text(search.question).text
    if not text.strip():
        return Asked()
    with open_snapshot() as conn:
        wants_meaning = is_weighed(conn, source, search)
    meaning = ASKER.ask(text, Settings.from_env()) if wants_meaning else Meaning()
    return Asked(text=text, tokens=SearchTokenizer().split_question(text), meaning=meaning)

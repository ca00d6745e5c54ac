"""The page of the search: petitions by the words of a question, a page of them, and what is filtered."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import HTMLResponse

from topic_browser import queries
from topic_browser.asking import AskDep
from topic_browser.database import open_snapshot
from topic_browser.rendering import render_page
from topic_browser.rows import Rows
from topic_browser.searching import PAGE, STATUSES, Found, Search, find_petitions, has_meaning, read_found, read_search

router = APIRouter()
SearchDep = Annotated[Search, Depends(read_search)]


@router.get("/search")
def show_search(ask: AskDep, search: SearchDep, page: Annotated[int, Query(ge=1, le=1000)] = 1) -> HTMLResponse:
    """Petitions by the words of a question; its embedding would load an encoder into the api-server."""
    tokens = split_question(search.question)
    found, failure, is_weighed = Found(), None, False
    rows: Rows = []
    categories: Sequence[str] = []
    with open_snapshot() as conn:
        model = queries.read_model(conn, ask.source)
        if model:
            failure = queries.read_failure(conn, ask.source, model)
            categories = queries.read_overview(conn, ask.source, model["model_id"]).categories
        if search.question.strip():
            found = find_petitions(conn, ask.source, search, tokens)
            if page > found.n_pages:
                raise HTTPException(404)
            is_weighed = has_meaning(conn, ask.source, search)
            rows = read_found(conn, found.ids[(page - 1) * PAGE : page * PAGE], search, tokens)
    return render_page(
        "search.html.j2", ask, search=search, tokens=tokens, found=found, rows=rows, page=page, model=model,
        failure=failure, categories=categories, statuses=STATUSES, first=(page - 1) * PAGE + 1,
        is_weighed=is_weighed,
    )  # fmt: skip


def split_question(question: str) -> Sequence[str]:
    """The words of a question, as those of the petitions were found; Mecab's dictionary is opened at the first."""
    from petitions.text.normalize import normalize_text
    from petitions.text.search_words import SearchTokenizer

    return SearchTokenizer().split_question(normalize_text(question).text) if question.strip() else []

"""What the pages show as CSV: topics, weeks and petitions of a topic, petitions found; in the reader's language."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from sqlalchemy import Connection

from petitions.wording import Tell
from topic_browser import queries
from topic_browser.asking import Ask, AskDep
from topic_browser.database import open_snapshot
from topic_browser.rows import Rows, read_rows
from topic_browser.search_pages import SearchDep, take_apart
from topic_browser.searching import find_petitions
from topic_browser.tables import give_table
from topic_browser.words import choose_words

router = APIRouter()
MOST_ROWS = 1000  # petitions of a topic; `petitions export` writes all
TOPICS = ("topic_id", "label", "share", "n_petitions", "n_agreements", "n_open", "top_terms")
WEEKS = ("week", "n_days", "share", "n_petitions", "n_agreements", "n_open")
PETITIONS = (
    "petition_id", "source", "title", "category", "status", "n_agreements", "begins_on", "ends_on", "topic_label",
    "topic_share", "url",
)  # fmt: skip
# The word of a column, where it is not its own name.
_WORDS = {
    "topic_id": "topic_number", "label": "topic", "n_petitions": "petitions", "n_agreements": "agreements",
    "n_open": "of_them_open", "top_terms": "terms", "n_days": "days_of_week", "topic_label": "topic",
    "petition_id": "number", "url": "address",
}  # fmt: skip


def read_topic(ask: AskDep, topic_id: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> tuple[int, queries.Overview]:
    """The overview in which a topic is."""
    with open_snapshot() as conn:
        overview = _read_overview(conn, ask)
    if all(row["topic_id"] != topic_id for row in overview.topics):
        raise HTTPException(404)
    return topic_id, overview


TopicDep = Annotated[tuple[int, queries.Overview], Depends(read_topic)]


@router.get("/topics.csv")
def give_topics(ask: AskDep) -> Response:
    """All topics of the published fit."""
    with open_snapshot() as conn:
        overview = _read_overview(conn, ask)
    return _give(ask, f"topics-{ask.source}.csv", TOPICS, overview.topics)


@router.get("/topic/{topic_id}/weeks.csv")
def give_weeks(ask: AskDep, asked: TopicDep) -> Response:
    """The weeks of a topic."""
    topic_id, overview = asked
    return _give(ask, f"topic-{ask.source}-{topic_id}-weeks.csv", WEEKS, overview.trends.get(topic_id, []))


@router.get("/topic/{topic_id}/petitions.csv")
def give_petitions(ask: AskDep, asked: TopicDep) -> Response:
    """The petitions of a topic, most agreements first, MOST_ROWS of them."""
    topic_id, overview = asked
    with open_snapshot() as conn:
        rows = _read_rows(conn, overview.order.get(topic_id, [])[:MOST_ROWS])
    return _give(ask, f"topic-{ask.source}-{topic_id}-petitions.csv", PETITIONS, rows)


@router.get("/search.csv")
def give_found(ask: AskDep, search: SearchDep) -> Response:
    """All petitions that a search found, the best first."""
    asked = take_apart(ask.source, search)
    with open_snapshot() as conn:
        found = find_petitions(conn, ask.source, search, asked)
        rows = _read_rows(conn, found.ids)
    return _give(ask, "search.csv", PETITIONS, rows)


def _read_overview(conn: Connection, ask: Ask) -> queries.Overview:
    model = queries.read_model(conn, ask.source)
    if model is None:
        raise HTTPException(404)
    return queries.read_overview(conn, ask.source, model["model_id"])


def _read_rows(conn: Connection, ids: Sequence[str]) -> Rows:
    query = """
        SELECT p.petition_id, p.source, p.title, p.category, p.status, p.n_agreements, p.begins_on, p.ends_on,
            p.topic_label, p.topic_share, p.url
        FROM petitions.current_petition AS p
        WHERE p.petition_id = ANY (:ids) ORDER BY array_position(:ids, p.petition_id)
    """
    return read_rows(conn, query, ids=list(ids))


def _give(ask: Ask, name: str, columns: Sequence[str], rows: Rows) -> Response:
    word = choose_words(ask.language)
    header = [word(_WORDS.get(column, column)) for column in columns]
    return give_table(name, header, ([_tell(word, column, row[column]) for column in columns] for row in rows))


def _tell(word: Tell, column: str, value: Any) -> object:
    """A value as people read it; shares stay numbers, to be reckoned with."""
    if isinstance(value, list):
        return " ".join(value)
    return word(value) if column in ("status", "source") else value

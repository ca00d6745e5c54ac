"""What a report begins with: what rose, fell, is copied and is new, in sentences, from rows of the views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from petitions.wording import Tell

Rows = Sequence[Mapping[str, Any]]

SURE_TOPIC, SURE_TERM = 2.0, 4.0  # z: of nine topics chance lifts one over 2 in a fifth of all windows; words are many
MOST_TOPICS, MOST_TERMS, MOST_TITLES = 3, 6, 3
BAR, TALL = 52, 90  # of the chart, in units of its drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A heading and the sentences under it."""

    heading: str
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A week of the chart: its place and height, the petitions of all topics, and the days of it in the window."""

    week: date
    n_days: int
    n_petitions: int
    x: int
    height: float


def tell_share(share: float | None) -> str:
    """A share as a percentage; a dash for none."""
    return "–" if share is None else f"{share:.1%}"


def tell_findings(
    topics: Rows, moves: Rows, terms: Rows, copies: Rows, births: Rows, loudest: Rows, word: Tell
) -> list[Finding]:
    """Say in sentences what the views hold.

    Args:
        topics: of current_topic.
        moves: of rising_topic, the last 28 days against those before.
        terms: of rising_term, likewise, the most risen first.
        copies: rows of petition_copy_group, the largest first.
        births: step 0 of topic_lineage.
        loudest: of current_petition, most agreements first, with n_over, how many reached the threshold of the site.
        word: gives the sentences of a language.
    """
    return [
        _tell_moves([row for row in moves if (row["z"] or 0) >= SURE_TOPIC], "rose", word),
        _tell_moves([row for row in reversed(moves) if (row["z"] or 0) <= -SURE_TOPIC], "fell", word),
        _tell_terms([row for row in terms if (row["z"] or 0) >= SURE_TERM], "words_rose", word),
        _tell_terms([row for row in reversed(terms) if (row["z"] or 0) <= -SURE_TERM], "words_fell", word),
        Finding(heading=word("new"), sentences=_tell_births(births, word)),
        Finding(heading=word("copied"), sentences=[_tell_copies(copies, word)]),
        Finding(heading=word("loudest_one"), sentences=_tell_loudest(loudest, word)),
        *_tell_open(sum(row["n_open"] for row in topics), word),
    ]


def tell_codes(codes: Rows, word: Tell) -> list[Finding]:
    """Name the codes of the site that are not known; `codes` are rows of unknown_code. Nothing where there is none."""
    sentences = [
        word(
            "new_code",
            kind=word(row["kind"]),
            code=" ".join(filter(None, (row["code"], row["name"]))) or word("no_code"),
            n=row["n_petitions"],
        )
        for row in codes
    ]
    return [Finding(heading=word("new_codes"), sentences=sentences)] if sentences else []


def draw_weeks(trends: Rows) -> list[Bar]:
    """The petitions of all topics by week, as bars; `trends` are rows of topic_trend."""
    counts: dict[date, int] = {}
    days = {row["week"]: row["n_days"] for row in trends}
    for row in trends:
        counts[row["week"]] = counts.get(row["week"], 0) + row["n_petitions"]
    most = max(counts.values(), default=0) or 1
    return [
        Bar(week=week, n_days=days[week], n_petitions=n, x=BAR * place, height=round(TALL * n / most, 1))
        for place, (week, n) in enumerate(sorted(counts.items()))
    ]


def _tell_moves(rows: Rows, name: str, word: Tell) -> Finding:
    told = [
        word(
            f"moved_{name}",
            label=row["label"],
            before=tell_share(row["share_a"]),
            after=tell_share(row["share_b"]),
            n=f"{row['n_b']:,}",
            z=f"{row['z']:.1f}",
        )
        for row in rows[:MOST_TOPICS]
    ]
    return Finding(heading=word(name), sentences=told or [word(f"none_{name}")])


def _tell_terms(rows: Rows, name: str, word: Tell) -> Finding:
    told = ", ".join(
        word("term", term=row["term"], before=tell_share(row["share_a"]), after=tell_share(row["share_b"]))
        for row in rows[:MOST_TERMS]
    )
    return Finding(heading=word(name), sentences=[told or word("no_words")])


def _tell_births(births: Rows, word: Tell) -> list[str]:
    if not any(row["from_topic_id"] for row in births):  # in a first fit every topic is born, which tells nothing
        return [word("first_fit")]
    return [word("born", label=row["label"]) for row in births if row["kind"] == "born"] or [word("none_born")]


def _tell_copies(copies: Rows, word: Tell) -> str:
    if not copies:
        return word("no_copies")
    largest = copies[0]
    return word(
        "copies",
        groups=f"{len(copies):,}",
        n=f"{sum(row['n'] for row in copies):,}",
        title=largest["title"],
        k=f"{largest['n']:,}",
        first=largest["first_on"],
        last=largest["last_on"],
    )


def tell_edited(edited: Rows, word: Tell) -> list[Finding]:
    """Say which petitions a moderator would likeliest edit; nothing where no scorer of that name is published.

    Args:
        edited: of current_petition, the highest moderation first, with n_scored and expected, the sum over all.
        word: gives the sentences of a language.
    """
    if not edited:
        return []
    told = [word("edited_note", n=f"{edited[0]['n_scored']:,}", expected=f"{edited[0]['expected']:,.0f}")]
    told += [
        word("edited_is", title=row["title"], probability=tell_share(row["moderation"])) for row in edited[:MOST_TITLES]
    ]
    return [Finding(heading=word("edited"), sentences=told)]


def _tell_loudest(loudest: Rows, word: Tell) -> list[str]:
    told = [
        word(
            "loudest_is",
            title=row["title"],
            n=f"{row['n_agreements']:,}",
            mark="*" if row["status"] == "open" else "",
        )
        for row in loudest[:MOST_TITLES]
    ]
    if loudest and loudest[0]["n_over"]:
        told.append(word("reached", n=f"{loudest[0]['n_over']:,}", threshold=f"{loudest[0]['threshold']:,}"))
    return told


def _tell_open(n_open: int, word: Tell) -> list[Finding]:
    return [Finding(heading=word("unripe"), sentences=[word("n_open", n=f"{n_open:,}")])] if n_open else []

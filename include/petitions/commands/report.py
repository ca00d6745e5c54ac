"""The command `petitions report`: the published fit of a source as one HTML page, for people who look, not query.

The page loads nothing. Its policy lets no script run but those of the map by pyLDAvis, which stands in a frame that
cannot reach the page around it. Every text in it is escaped.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from petitions.check_words import tell_check, tell_limit, tell_value
from petitions.commands.export import replace_file
from petitions.commands.options import open_store, source_option, source_or_setting
from petitions.commands.report_findings import draw_weeks, tell_codes, tell_edited, tell_findings, tell_share
from petitions.commands.report_words import choose_words
from petitions.errors import ConfigError, PermanentError
from petitions.records import SEOUL, Source
from petitions.settings import Settings
from petitions.wording import Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from petitions.store.artifacts import ArtifactStore
    from petitions.store.readers import Rows

T = TypeVar("T")
logger = logging.getLogger(__name__)

EXAMPLES = 5  # petitions a topic
TERMS = 20  # that rose and that fell, of which the findings tell the surest
# Of Okabe and Ito, then of Tol: told apart by most eyes; topics beyond them begin anew.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#332288", "#999933", "#882255", "#117733",
    "#AA4499", "#6699CC", "#661100", "#888888",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page tells; rows are of the views that petition_reader may read, so no petition is a hidden one."""

    model: Mapping[str, Any]  # of the view current_model
    last_seen_at: datetime | None
    topics: "Rows"
    trends: "Rows"
    moves: "Rows"  # of topics, the most risen first
    terms: "Rows"  # likewise
    copies: "Rows"
    births: "Rows"
    loudest: "Rows"
    edited: "Rows"  # the petitions that a moderator would most likely edit
    examples: "Rows"  # by topic
    checks: "Rows"
    codes: "Rows"  # of the site, that are not known
    topic_map: str  # a whole page; empty where there is none that we may read
    petition_map: "Rows"  # petitions with x and y, 0 to 1000; empty where there is none that we may read


def read_report(conn: "Connection", artifacts: "ArtifactStore", source: Source) -> Report:
    """Read what the page tells of the published fit of a source.

    Args:
        conn: of one snapshot, else a fit that is published meanwhile mixes in.
        artifacts: has the map of the fit.
        source: whose fit.

    Raises:
        ConfigError: no fit of the source is published.
    """
    from petitions.steps.petition_map import read_map
    from petitions.store import readers, report_reads
    from petitions.store.topics import PICTURE_FILE

    model = report_reads.read_current_model(conn, source)
    if model is None:
        told = f"no topics of {source} are published yet: `petitions run --source {source}` does it"
        others = [f"--source {other}" for other in report_reads.read_current_sources(conn)]
        raise ConfigError(f"{told}; there are those of {', '.join(others)}" if others else told)
    return Report(
        model=model,
        last_seen_at=report_reads.read_last_seen(conn, source),
        topics=readers.read_current_topics(conn, source),
        trends=readers.read_trends(conn, source),
        moves=report_reads.read_moves(conn, model),
        terms=report_reads.read_moved_terms(conn, model, TERMS),
        copies=report_reads.read_copies(conn, source),
        births=report_reads.read_births(conn, source),
        loudest=report_reads.read_loudest(conn, source, EXAMPLES),
        edited=report_reads.read_edited(conn, source, EXAMPLES),
        examples=report_reads.read_examples(conn, source, EXAMPLES),
        checks=report_reads.read_checks(conn, model["model_id"]),
        codes=report_reads.read_codes(conn, source),
        topic_map=_read_or_warn(lambda: artifacts.read(f"{model['artifact']}/{PICTURE_FILE}").decode()) or "",
        petition_map=report_reads.read_placed(
            conn, source, _read_or_warn(lambda: read_map(artifacts, model["artifact"])) or {}
        ),
    )


def draw_report(report: Report, language: Language = "ko") -> str:
    """Draw the page in a language; the same report gives the same."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    from petitions.topics.visualization import KOREAN_FONTS, draw_trends, hash_scripts

    word = choose_words(language)
    loader = PackageLoader("petitions.commands")
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return templates.get_template("report.html.j2").render(
        report=report,
        model=report.model,
        language=language,
        word=word,
        findings=[
            *tell_findings(
                report.topics, report.moves, report.terms, report.copies, report.births, report.loudest, word
            ),
            *tell_edited(report.edited, word),
            *tell_codes(report.codes, word),
        ],
        bars=draw_weeks(report.trends),
        trend_chart=Markup(draw_trends(report.trends, lambda n: word("days", n=n))),  # noqa: S704 - matplotlib escapes the labels
        weeks=sorted({(row["week"], row["n_days"]) for row in report.trends}),
        trend_shares={(row["week"], row["topic_id"]): row["share"] for row in report.trends},
        script_sources=hash_scripts(report.topic_map) or ["'none'"],
        colours={row["topic_id"]: COLOURS[place % len(COLOURS)] for place, row in enumerate(report.topics)},
        fonts=KOREAN_FONTS,
        tell_share=tell_share,
        tell_moment=_tell_moment,
        tell_check=lambda name: tell_check(name, language),
        tell_value=lambda value: tell_value(value, language),
        tell_limit=lambda limit: tell_limit(limit, language),
    )


@click.command()
@source_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="report.html",
    show_default=True,
    help="An HTML file.",
)
@click.option(
    "--lang", "language", type=click.Choice(["ko", "en"]), default="ko", show_default=True, help="Language of the page."
)
def report(source: Source | None, output: Path, language: Language) -> None:
    """Write the published topics of a source as one HTML page that needs no network."""
    from petitions.store.artifacts import ArtifactStore

    wanted = source_or_setting(source)
    with open_store().connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        found = read_report(conn, ArtifactStore(Settings.from_env().artifacts), wanted)
    page = draw_report(found, language)
    with replace_file(output) as file:
        file.write(page)
    click.echo(f"wrote {output}: {len(found.topics)} topics of {wanted}, {len(page.encode()):,} bytes")


def _read_or_warn(read: Callable[[], T]) -> T | None:
    """A file of the fit; None where it is missing or may not be read: a reader need not have the files."""
    try:
        return read()
    except (PermanentError, OSError) as error:
        logger.warning("the report lacks a map: %s", error)
        return None


def _tell_moment(moment: datetime | None) -> str:
    return "–" if moment is None else f"{moment.astimezone(SEOUL):%Y-%m-%d %H:%M}"


COMMANDS = (report,)

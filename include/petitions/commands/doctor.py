"""What is there and what is missing: one line a part, for `petitions doctor`."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import click

from petitions.addresses import hide_logins
from petitions.commands.console import print_rows
from petitions.commands.doctor_site import examine_site
from petitions.commands.options import json_option
from petitions.encoders.registry import ENCODERS
from petitions.errors import CheckFailedError, ConfigError, PetitionsError
from petitions.records import Source
from petitions.settings import Settings
from petitions.sources.registry import SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of the installation: is it fit for use, and what was found."""

    part: str
    is_fit: bool
    found: str


def examine(*, with_recall: bool = False) -> list[Finding]:
    """Look at every part; a part that is missing is a finding, never an error. The recall takes a minute."""
    try:
        settings = Settings.from_env()
    except ConfigError as error:
        return [Finding(part="settings", is_fit=False, found=str(error))]
    parts: list[tuple[str, Callable[[Settings], str]]] = [
        ("settings", lambda settings: f"source {settings.source}, {settings.topics} topics"),
        ("database", _examine_database),
        ("schema", _examine_schema),
        ("words", _examine_words),
        ("artifacts", _examine_artifacts),
        ("fits", _examine_fits),
        ("mecab", _examine_mecab),
        ("accelerator", _examine_accelerator),
        *((name, partial(_examine_encoder, name)) for name in ENCODERS),
        *([("scorers", _examine_scorers)] if settings.scorers else []),
        ("codes", _examine_codes),
        ("set aside", _examine_set_aside),
        ("site", examine_site),
    ]
    if with_recall:
        parts += [("recall", _examine_recall), ("known items", _examine_known_items)]
    return [_examine(part, look, settings) for part, look in parts]


def _examine(part: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(part=part, is_fit=True, found=look(settings))
    except (PetitionsError, OSError, ImportError) as error:
        return Finding(part=part, is_fit=False, found=hide_logins(f"{error}").splitlines()[0])
    except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are looked at, and the finding is told
        told = hide_logins(f"{error}").splitlines()
        return Finding(part=part, is_fit=False, found=f"{type(error).__name__}: {told[0] if told else 'no message'}")


def _examine_database(settings: Settings) -> str:
    from sqlalchemy import text

    from petitions.store.database import open_engine

    with open_engine(settings.database_url).connect() as conn:
        version = conn.execute(text("SHOW server_version")).scalar_one()
        vector = conn.execute(
            text("SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        ).scalar_one_or_none()
    if vector is None:
        raise ConfigError(f"Postgres {version} has no pgvector: install the extension `vector`")
    return f"Postgres {version}, pgvector {vector}, {'embedded' if not settings.database_url else 'by its URL'}"


def _examine_schema(settings: Settings) -> str:
    from petitions.store.database import open_engine, require_schema, schema_status

    engine = open_engine(settings.database_url)
    require_schema(engine)
    return f"at {schema_status(engine).current}"


def _examine_words(settings: Settings) -> str:
    from petitions.store.database import open_engine, require_schema
    from petitions.store.words import read_without_words, tell_without_words

    engine = open_engine(settings.database_url)
    require_schema(engine)
    with engine.connect() as conn:
        without = read_without_words(conn)
    if without:
        raise CheckFailedError("; ".join(tell_without_words(source, n) for source, n in without.items()))
    return "all published petitions can be found by theirs"


def _examine_recall(settings: Settings) -> str:
    from petitions.store.database import open_engine
    from petitions.store.recall import MIN_RECALL, measure_recall, read_searched_encoders

    with open_engine(settings.database_url).connect() as conn:
        measured = {encoder: measure_recall(conn, encoder) for encoder in read_searched_encoders(conn)}
    found = ", ".join(
        f"{encoder} {'exact, no index' if recall is None else f'recall@10 {recall:.3f}'}"
        for encoder, recall in measured.items()
    )
    if any(recall is not None and recall < MIN_RECALL for recall in measured.values()):
        raise CheckFailedError(f"{found}; must be at least {MIN_RECALL}")
    return found or "nothing is published"


def _examine_known_items(settings: Settings) -> str:
    from petitions.commands.search import refuse_other_weights
    from petitions.steps.known_items import LEAST, compare_known_items
    from petitions.store.database import open_engine
    from petitions.store.readers import read_searched
    from petitions.store.topic_reads import read_published

    told, is_worse = [], False
    with open_engine(settings.database_url).connect() as conn:
        for name in read_searched(conn):
            source = Source(name)
            refuse_other_weights(conn, settings, source)
            if (fit := read_published(conn, source)) is None:
                continue
            found = compare_known_items(conn, settings, source, fit.window, fit.encoders[0], with_vectors=True)
            told += [f"{source}, {item.tell()}" for item in found]
            is_worse |= any(item.is_worse for item in found)
            if not found:
                told.append(f"{source} has fewer than {LEAST} published petitions with vectors")
    if is_worse:
        raise CheckFailedError(f"{'; '.join(told)}: both must find as well as words, `petitions weigh-search --write`")
    return "; ".join(told) or "nothing is published"


def _examine_artifacts(settings: Settings) -> str:
    from petitions.store.artifacts import ArtifactStore

    store = ArtifactStore(settings.artifacts)
    store.write("doctor", b"")
    return f"{store.url} can be written"


def _examine_fits(settings: Settings) -> str:
    from petitions.steps.lasting_ids import TOPICS_FILE
    from petitions.store.artifacts import ArtifactStore
    from petitions.store.database import open_engine, require_schema
    from petitions.store.topic_reads import read_published
    from petitions.store.topics import PICTURE_FILE

    engine, artifacts = open_engine(settings.database_url), ArtifactStore(settings.artifacts)
    require_schema(engine)
    with engine.connect() as conn:
        fits = [fit for name in SOURCES if (fit := read_published(conn, Source(name)))]
    wanted = [f"{fit.artifact}/{name}" for fit in fits for name in (TOPICS_FILE, PICTURE_FILE)]
    if absent := [path for path in wanted if not artifacts.exists(path)]:
        raise CheckFailedError(
            f"{', '.join(absent)} not in {artifacts.url}: restore them, or the next night begins anew with its topics"
        )
    return "those published have their files" if fits else "nothing is published"


def _examine_mecab(settings: Settings) -> str:
    from petitions.text.tokenizer import TOKENIZER, Tokenizer

    return f"{TOKENIZER}: 아동학대 방지 → {' '.join(Tokenizer().tokenize('아동학대 방지'))}"


def _examine_accelerator(settings: Settings) -> str:
    from petitions.encoders.quiet_start import quiet_start

    with quiet_start():
        from petitions.encoders.device import describe_strategy, pick_strategy

    return describe_strategy(pick_strategy(settings.accelerator))


def _examine_encoder(name: str, settings: Settings) -> str:
    entry = ENCODERS[name]
    encoder = entry.load(settings)
    entry.require_heads(settings)
    heads = getattr(encoder, "heads", None)
    told = "" if heads is None else f", heads: {', '.join(heads) or 'none'}"
    engine = getattr(encoder, "engine", "")
    computed = f"; computed by {engine}" if engine else ""
    return f"{encoder.name}, {encoder.dimensions} dimensions{told}{computed}"


def _examine_scorers(settings: Settings) -> str:
    from petitions.encoders.scorers import list_scorers, name_scorer
    from petitions.steps.label import open_scorer

    models = list_scorers(settings.scorers).values()
    loaded = [open_scorer(model, settings.accelerator, settings.cpu_engine, name_scorer(model)) for model in models]
    return "; ".join(f"{one.name}, {len(one.labels.names)} labels" for one in loaded)


def _examine_codes(settings: Settings) -> str:
    from petitions.store.database import open_engine, require_schema
    from petitions.store.handling import read_unknown_codes

    engine = open_engine(settings.database_url)
    require_schema(engine)
    with engine.connect() as conn:
        told = [code.tell() for code in read_unknown_codes(conn)]
    return f"not known, kept as the site says them: {'; '.join(told)}" if told else "all that are stored are known"


def _examine_set_aside(settings: Settings) -> str:
    from petitions.store.crawl_progress import read_set_aside
    from petitions.store.database import open_engine, require_schema

    engine = open_engine(settings.database_url)
    require_schema(engine)
    with engine.connect() as conn:
        told = read_set_aside(conn)
    return "; ".join(f"{reason} (since {day})" for reason, day in told) or "no petition"


@click.command()
@click.option(
    "--recall",
    is_flag=True,
    help="Also measure search: recall@10 of the index, and known items; takes a minute.",
)
@json_option
def doctor(recall: bool, as_json: bool) -> None:
    """Say what is missing: settings, database, weights, Mecab dictionary, accelerator, site; status 1 if anything."""
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # the hub's library tells each try; the table says it once
    findings = examine(with_recall=recall)
    rows = [{"part": item.part, "fit": item.is_fit, "found": item.found} for item in findings]
    print_rows(rows, as_json=as_json)
    if not all(item.is_fit for item in findings):
        raise SystemExit(1)


COMMANDS = (doctor,)

"""A night whole: `petitions run` beside the study note's way, a script that does it all with the usual libraries.

The script: requests and html.parser one at a time, Mecab's nouns, gensim's LdaModel, one BERT call a petition, pandas'
to_sql. It keeps nothing, so each of its nights is its first. Both have the weights that ship (the note's klue/bert-base
is some ten times as large). Ours does more: masks, archive, ELMo, scores, keywords, labels, checks, search.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stages.bert import load_tensorflow
from stages.crawl import make_loop
from stages.stage import Arguments, Contestant, Stage

FIRST, SECOND, EMPTY = (
    f"ours, {name}" for name in ("first night", "second night, 2 % new", "a night with nothing new")
)
SHARE = 0.02
Call = Callable[[int], dict[str, Any]]


@contextmanager
def start(size: Arguments, folder: Path) -> Iterator[Arguments]:
    """A stand-in over what begins before the first night and on the second, as in bench/night.py, and a server."""
    import night_data
    from crawl_ground import open_ground

    from petitions.settings import MODELS
    from stand_in import run_stand_in

    n_new = max(1, round(size["n"] * SHARE))
    night_data.write_rows(folder / "rows.jsonl", size["n"] - n_new, n_new)
    with open_ground() as make, run_stand_in("bluehouse", folder / "rows.jsonl", today=night_data.FIRST) as site:
        engine, _ = make()
        url = engine.url.render_as_string(hide_password=False)
        yield {
            **size, "url": site.url, "database": url, "folder": str(folder),
            "model": str(MODELS / "sentence-small"),
        }  # fmt: skip


def make_ours(arguments: Arguments) -> Call:
    """All nights of a turn, each on a database of its own."""
    import tempfile

    import night
    import night_data
    from sqlalchemy import create_engine, make_url, text

    from petitions.store.database import open_engine, upgrade
    from stand_in import StandIn

    site, admin = StandIn(arguments["url"]), make_url(arguments["database"])

    def call(number: int) -> dict[str, Any]:
        name = f"whole_{number}"
        engine = create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            conn.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = admin.set(database=name).render_as_string(hide_password=False)
        fresh = open_engine(url)
        upgrade(fresh)
        fresh.dispose()
        place = Path(tempfile.mkdtemp(dir=arguments["folder"]))
        environ = night.make_environ(night.ROOT, url, site, place)
        nights = [night.measure_night(environ, site, name, until) for name, until in night_data.NIGHTS]
        site.control("clock", today=night_data.SECOND)  # the peer reads all
        first, second, empty = ({"seconds": one.seconds, "cpu_s": one.cpu_s} for one in nights)
        return {**first, "also": {SECOND: second, EMPTY: empty}}

    return call


def make_note(arguments: Arguments) -> Call:
    """The study note's way."""
    from mecab import MeCab

    folder, mecab, embed = arguments["folder"], MeCab(), _make_embed(arguments)
    crawl = make_loop(arguments)

    def call(number: int) -> dict[str, Any]:
        import pandas
        from gensim.corpora import Dictionary
        from gensim.models import LdaModel
        from sqlalchemy import create_engine

        marks = [time.perf_counter()]
        crawl(number)
        lines = Path(folder, f"loop-{number}.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        marks.append(time.perf_counter())
        nouns = [[noun for noun in mecab.nouns(f"{row['title']}\n{row['body']}") if len(noun) > 1] for row in rows]
        marks.append(time.perf_counter())
        dictionary = Dictionary(nouns)
        bags = [dictionary.doc2bow(words) for words in nouns]
        model = LdaModel(bags, num_topics=9, id2word=dictionary, random_state=number)
        shares = [max(model[bag], key=lambda pair: pair[1]) for bag in bags]
        marks.append(time.perf_counter())
        for row, (topic, share) in zip(rows, shares, strict=True):
            row["topic"], row["share"] = int(topic), float(share)
            row["embedding"] = json.dumps(embed(f"{row['title']}\n{row['body']}"))
        marks.append(time.perf_counter())
        engine = create_engine(arguments["database"])
        pandas.DataFrame(rows).to_sql("note_petition", engine, if_exists="replace", index=False)
        engine.dispose()
        marks.append(time.perf_counter())
        spent = [round(end - begin, 1) for begin, end in zip(marks, marks[1:], strict=False)]
        return {"crawl, nouns, LDA, BERT, to_sql, s": ", ".join(map(str, spent))}

    return call


def _make_embed(arguments: Arguments) -> Callable[[str], list[float]]:
    """One call of a text: TensorFlow, eager."""
    from transformers import AutoTokenizer

    model = load_tensorflow(arguments["model"])
    tokenizer, positions = AutoTokenizer.from_pretrained(arguments["model"]), model.config.max_position_embeddings

    def embed(text: str) -> list[float]:
        given = tokenizer(text, truncation=True, max_length=positions, return_tensors="tf")
        row: list[float] = model(**given).last_hidden_state[0].numpy().mean(axis=0).tolist()
        return row

    return embed


MAKERS = {"ours": make_ours, "note": make_note}
STAGES = {
    "whole": Stage(
        title="The whole: a night",
        module="whole",
        unit="petitions",
        contestants=(
            Contestant(name=FIRST, maker="ours"),
            Contestant(name="the study note's way, every night", maker="note", environment="tensorflow"),
        ),
        sizes={"full": {"n": 200, "rounds": 3}, "quick": {"n": 60, "rounds": 1}},
        prepare=start,
        note="The note's way reads the first window of a text, and keeps one table. Growth to 32 times the data, and "
        "nights through Airflow: bench/night.py.",
    )
}

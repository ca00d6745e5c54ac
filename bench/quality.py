"""How good what ships is, each figure beside its plain baseline: `python bench/quality.py [PART ...]`.

Parts: truth (../shared/eval/score_truth.py), masked (masked words), cards (what the cards of the models say of ELMo's
perplexity and of labels), f1 (nouns), search (known items and judged questions, after a night over three months of the
stand-in). Each is kept in .local/bench/quality/PART.json, whether it failed or not, and all that are there make
.local/bench/quality.json, which `bench/run.py full --tables` puts into docs/benchmarks.md. `--e5` measures the encoder
of ../shared/models by truth as well. Peers' environments: bench/peers.py.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import peers
from machine import name_commit
from stages.stage import ALL_MONTHS, MONTHS, SHARED, data_files

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".local" / "bench" / "quality"
PETITIONS = Path(sys.executable).with_name("petitions")
E5 = SHARED / "models/multilingual-e5-small-ko"
BASELINES = ("words",)
N_MASKED = 1000
NOTES = (
    "`klue/bert-base` needs a model hub: `PETITIONS_BERT_MODEL=klue/bert-base make bench-quality`.",
    "`intfloat/multilingual-e5-small` too: `PETITIONS_EMBEDDING_MODEL=intfloat/multilingual-e5-small "
    "PETITIONS_EMBEDDING_PROMPTS='query: |passage: ' make bench-quality`; from the folder of ../shared/models, "
    "`python bench/quality.py truth --e5`.",
)
MECAB_F1 = """
import sys
sys.path.insert(0, sys.argv[1])
from mecab import MeCab
from stages.tokens import measure_f1
print(measure_f1(MeCab().nouns))
"""
Row = dict[str, str]


def make_row(asked: str, ours: object, baseline: object) -> Row:
    return {"asked": asked, "ours": str(ours), "baseline": str(baseline)}


def measure_truth(args: argparse.Namespace, only: str = "", **settings: str) -> Iterator[Row]:
    """All figures of score_truth.py; a way of ours beside the words' figures of the same question."""
    command = [peers.find_python("words"), SHARED / "eval/score_truth.py", "--petitions", PETITIONS]
    command += [
        "--data",
        SHARED / "data",
        "--n",
        str(args.n),
        *(["--only", only, "--encoders", "bert"] if only else []),
    ]
    done = subprocess.run(command, env=os.environ | settings, check=True, stdout=subprocess.PIPE, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    plain = {row["what"]: _tell(row) for row in rows if row.get("by") in BASELINES}
    for row in rows:
        if "missing" in row:
            yield make_row(row["missing"], f"failed: {row['says']}", "")
        elif row["by"] not in BASELINES:
            yield make_row(f"{row['what']}, {row['by']}", _tell(row), plain.get(row["what"], ""))


def _tell(row: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("what", "by"))


def measure_e5(args: argparse.Namespace) -> Iterator[Row]:
    """What the larger encoder finds, from its folder."""
    settings = {"PETITIONS_EMBEDDING_MODEL": str(E5), "PETITIONS_EMBEDDING_PROMPTS": "query: |passage: "}
    for row in measure_truth(args, "finds,sts", **settings):
        yield {**row, "asked": f"{row['asked']} (multilingual-e5-small)"}


def measure_masked(args: argparse.Namespace) -> Iterator[Row]:
    """One piece of a word masked in each petition of August 2019; April to July give the counts of the baselines."""
    import numpy as np
    from stages.tokens import read_normalized

    from petitions.encoders.bert_encoder import load_bert
    from petitions.settings import Settings

    bert, rng = load_bert(Settings.from_env().bert_model, "cpu"), np.random.default_rng(0)
    after: dict[int, Counter[int]] = defaultdict(Counter)
    counts: Counter[int] = Counter()
    for pieces in bert.encode_pieces(read_normalized(ALL_MONTHS[:4])):
        counts.update(pieces)
        for one, other in pairwise(pieces):
            after[one][other] += 1
    is_word = [
        piece.lstrip("#").isalnum() for piece in bert.tokenizer.convert_ids_to_tokens(range(len(bert.tokenizer)))
    ]
    asked = []
    for whole in bert.encode_pieces(read_normalized(ALL_MONTHS[4:])[: min(args.n * 2, N_MASKED)]):
        pieces = whole[: min(bert.n_positions, 64) - 2]
        places = [place for place, piece in enumerate(pieces) if place and is_word[piece]]
        if places:
            place = int(rng.choice(places))
            asked.append((pieces, place))
    masked = [[*pieces[:place], bert.tokenizer.mask_token_id, *pieces[place + 1 :]] for pieces, place in asked]
    framed = [bert.frame(pieces, position=place + 1) for pieces, (_, place) in zip(masked, asked, strict=True)]
    logits = bert.predict_masked(framed)[:, : len(is_word)]
    found = np.where(is_word, logits, -np.inf).argmax(axis=1)  # signs are no answer, nor are they asked
    gold = np.array([pieces[place] for pieces, place in asked])
    commonest = next(piece for piece, _ in counts.most_common() if is_word[piece])
    likely = [
        next((piece for piece, _ in after[pieces[place - 1]].most_common() if is_word[piece]), commonest)
        for pieces, place in asked
    ]
    told = f"the piece most often after the one before {np.mean(np.array(likely) == gold):.3f}"
    told += f"; the commonest piece {np.mean(gold == commonest):.3f}"
    yield make_row(f"a masked piece, of {len(gold)}: accuracy", f"{np.mean(found == gold):.3f}", told)


def read_cards(_: argparse.Namespace) -> Iterator[Row]:
    """What was measured at the training, from the cards of the models that ship."""
    models = ROOT / "include/petitions/models"
    card = (models / "elmo-small/README.md").read_text("utf-8")
    ours, grams = (re.search(rf"\| {name}[^|]*\| ([^|]+) \|", card) for name in ("perplexity", "5-grams"))
    if ours and grams:
        yield make_row(
            "ELMo, held-out perplexity (its card, by bench/elmo_perplexity.py)", ours[1], f"5-grams: {grams[1]}"
        )
    card = (models / "moderation-words/README.md").read_text("utf-8")
    ours, theirs = (
        re.search(rf"^\| {name}[^|]*\| ([\d.]+) \|", card, re.MULTILINE) for name in ("moderation-", "TF-IDF")
    )
    if ours and theirs:
        yield make_row(
            "labels, the moderator edits it: AUROC (card of moderation-words)", ours[1], f"TF-IDF {theirs[1]}"
        )


def measure_nouns(_: argparse.Namespace) -> Iterator[Row]:
    """F1 of nouns against gold morphemes."""
    from stages.tokens import OUR_NOUNS, measure_f1

    from petitions.text.tokenizer import Tokenizer

    tokenizer = Tokenizer()
    ours = measure_f1(lambda text: [surface for surface, tag, _ in tokenizer.tag(text) if tag in OUR_NOUNS])
    command = [peers.find_python("words"), "-c", MECAB_F1, ROOT / "bench"]
    theirs = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    yield make_row("nouns of two letters, UD Korean Kaist: F1", ours, f"python-mecab-ko {theirs}")


def measure_search(_: argparse.Namespace) -> Iterator[Row]:
    """Known items and judged questions, over a night of the three months."""
    import night
    from crawl_ground import open_ground

    from stand_in import run_stand_in

    with (
        tempfile.TemporaryDirectory() as place,
        open_ground() as make,
        run_stand_in("bluehouse", *data_files(MONTHS), today=night.FIRST) as site,
    ):
        engine, _ = make()
        url = engine.url.render_as_string(hide_password=False)
        environ = night.make_environ(ROOT, url, site, Path(place))
        command = [PETITIONS, "run", "--until", night.FIRST, "--months", "3"]
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
        command = [PETITIONS, "weigh-search", "--source", "bluehouse", "-n", "400", "--json"]
        told = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout
        for row in _read_json_rows(told):
            asked = f"{row['of']}, known items: {row['set']}, mean reciprocal rank"
            ours = f"vectors {row['vectors']:.3f}, both {row['fused']:.3f}"
            yield make_row(asked, ours, f"words {row['words']:.3f}")
        environ["PYTHONPATH"] += os.pathsep + str(ROOT / "bench")
        done = subprocess.run(
            [sys.executable, ROOT / "bench/judged_search.py"], env=environ, capture_output=True, text=True
        )
        if done.returncode:
            yield make_row("judged questions", f"failed: {done.stderr.strip().splitlines()[-1]}", "")
        yield from _read_judged(done.stdout)


def _read_json_rows(told: str) -> list[dict[str, object]]:
    """A list, or one object a line."""
    return json.loads(told) if told.lstrip().startswith("[") else [json.loads(line) for line in told.splitlines()]


def _read_judged(told: str) -> Iterator[Row]:
    """The served way of each set, beside the others."""
    asked, ways = "", dict[str, str]()
    for line in [*told.splitlines(), ""]:
        if line.startswith("  "):
            way, _, figures = line.strip().partition(": ")
            ways[way] = figures.partition(";")[0]
        else:
            if ways:
                ours = ways.pop("served")
                yield make_row(
                    f"judged: {asked}", ours, "; ".join(f"{way}: {figures}" for way, figures in ways.items())
                )
            asked, ways = line, {}


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "truth": measure_truth, "masked": measure_masked, "cards": read_cards, "f1": measure_nouns,
    "search": measure_search,
}  # fmt: skip


def write_part(name: str, part: Callable[[argparse.Namespace], Iterator[Row]], args: argparse.Namespace) -> None:
    """Write what a part measured; one that failed is told by name, with what was measured before."""
    rows: list[Row] = []
    try:
        rows.extend(part(args))
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, ImportError) as error:
        rows.append(make_row(name, f"failed: {type(error).__name__}: {str(error)[:200]}", ""))
    (FOLDER / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    for row in rows:
        print(json.dumps(row, ensure_ascii=False), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--n", type=int, default=600, help="petitions of truth")
    parser.add_argument("--e5", action="store_true", help="measure the encoder of ../shared/models as well")
    parser.add_argument("--peers", type=Path, default=peers.FOLDER)
    args = parser.parse_args()
    if unknown := set(args.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    peers.FOLDER = args.peers.resolve()
    if missing := peers.install(peers.FOLDER):
        print(f"did not install: {', '.join(missing)}", flush=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("include", "plugins", "tests", "bench"))
    sys.path[1:1] = os.environ["PYTHONPATH"].split(os.pathsep)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in args.parts or PARTS:
        write_part(name, PARTS[name], args)
    if args.e5:
        write_part("truth-e5", measure_e5, args)
    names = [*PARTS, "truth-e5"]
    there = [FOLDER / f"{name}.json" for name in names if (FOLDER / f"{name}.json").exists()]
    rows = [row for path in there for row in json.loads(path.read_text("utf-8"))]
    told = {"rows": rows, "notes": NOTES, "commit": name_commit(), "at": datetime.now(UTC).isoformat("T", "seconds")}
    FOLDER.with_suffix(".json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Our topics beside the peers of ../shared/eval/topic_quality.py, over the same documents.

  PYTHONPATH=include python bench/topic_quality.py --python EVALENV/bin/python [--peers] [--seed 0] [--months 2019-06 …]

Fits our topics over Blue House petitions of ../shared/data, writes their terms to TOPICS.json in a temporary folder and
measures them by that script under another Python, one that has python-mecab-ko and tomotopy: they are no part of ours.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from petitions.sources.lines import read_lines
from petitions.text.normalize import normalize_text
from petitions.text.tokenizer import TOKENIZER, tokenize_many
from petitions.topics.labels import label_topics
from petitions.topics.lda import fit_topics
from petitions.topics.lda_settings import LdaSettings

SHARED = Path(__file__).resolve().parents[2] / "shared"


def read_texts(paths: list[Path]) -> list[str]:
    rows = [json.loads(line) for path in paths for line in read_lines(path)]
    rows.sort(key=lambda row: f"bluehouse:{row['id']}")
    return [normalize_text(f"{row['title']}\n{row['content']}").text for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="Python with python-mecab-ko, gensim and tomotopy")
    parser.add_argument("--peers", action="store_true", help="fit the peers as well: two to four minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--months", nargs="+", default=["2019-06", "2019-07", "2019-08"])
    args = parser.parse_args()
    paths = [SHARED / "data/bluehouse" / f"{month}.jsonl" for month in args.months]
    begin = time.perf_counter()
    documents = tokenize_many(read_texts(paths))
    tokenized = time.perf_counter()
    fit = fit_topics(documents, LdaSettings(random_seed=args.seed))
    words = [[item.term for item in topic] for topic in fit.top_terms]
    seconds = {"tokenize_s": tokenized - begin, "fit_s": time.perf_counter() - tokenized}
    ours = {"tokenizer": TOKENIZER, "npmi": fit.npmi, "c_v": fit.measure_c_v(), "diversity": fit.diversity, **seconds}
    print(json.dumps({"name": "ours, over our tokens", **ours}), flush=True)
    shares = fit.document_topic.mean(axis=0)
    for label, share, topic in zip(label_topics(words), shares, words, strict=True):
        print(f"{share:6.1%}  {label:30}  {' '.join(topic[:10])}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        topics = Path(folder, "TOPICS.json")
        topics.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        command = [args.python, SHARED / "eval/topic_quality.py", topics, "--data", *paths]
        subprocess.run([*command, "--peers"] if args.peers else command, check=True)


if __name__ == "__main__":
    main()

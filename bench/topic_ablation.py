"""What each step of a fit gains: the shared measure of the topics with one of them left out at a time.

  PYTHONPATH=include python bench/topic_ablation.py --python EVALENV/bin/python [--seeds 0 1] [--months 2019-06 ...]

Needs ../shared. All variants are measured in one run of ../shared/eval/topic_quality.py, under a Python that has its
tokenizer. Prints Markdown.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from topic_quality import SHARED, read_texts

from petitions.text.tokenizer import tokenize_many
from petitions.topics.lda import TopicFit, fit_topics
from petitions.topics.lda_settings import LdaSettings

ALL = LdaSettings()
VARIANTS = {
    "all steps": ALL,
    "without the prior at NMF's topics": replace(ALL, prior_share=0),
    "gensim's online engine from NMF's topics": replace(ALL, max_sampled_tokens=0),
    "one sample in place of eleven": replace(ALL, n_samples=1),
    "1,000 iterations before the first sample": replace(ALL, burn_in=1_000),
    "rare terms from 2 documents on": replace(ALL, no_below=2),
    "common terms up to a fifth of the documents": replace(ALL, no_above=0.2),
    "repeats counted in full": replace(ALL, max_repeats=10_000),
    "terms by relevance alone (no support)": replace(ALL, support_weight=0),
    "terms by probability and support (no lift)": replace(ALL, relevance_weight=1),
    "terms by probability alone": replace(ALL, support_weight=0, relevance_weight=1),
    "all of these left out": replace(
        ALL, prior_share=0, n_samples=1, no_below=2, no_above=0.5, max_repeats=10_000, support_weight=0,
        relevance_weight=1,
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="Python with python-mecab-ko and gensim")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--months", nargs="+", default=["2019-06", "2019-07", "2019-08"])
    args = parser.parse_args()
    paths = [SHARED / "data/bluehouse" / f"{month}.jsonl" for month in args.months]
    documents = tokenize_many(read_texts(paths))
    with tempfile.TemporaryDirectory() as folder:
        files: dict[Path, str] = {}
        for name, settings in VARIANTS.items():
            for seed in args.seeds:
                fit = fit_topics(documents, replace(settings, random_seed=seed))
                path = Path(folder, f"{len(files)}.json")
                path.write_text(json.dumps(list_words(fit), ensure_ascii=False), encoding="utf-8")
                files[path] = name
        command = [args.python, SHARED / "eval/topic_quality.py", *files, "--data", *paths]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if (name := files.get(Path(row["name"]))) is not None:
            measured[name].append(row)
    print(f"Seeds {args.seeds}, {json.dumps(asdict(ALL))}\n")
    print("| fit | NPMI | c_v | diversity |\n|---|---|---|---|")
    for name, rows in measured.items():
        npmi = ", ".join(f"{row['npmi']:.3f}" for row in rows)
        c_v, diversity = (np.mean([row[key] for row in rows]) for key in ("c_v", "diversity"))
        print(f"| {name} | {npmi} | {c_v:.2f} | {diversity:.2f} |")


def list_words(fit: TopicFit) -> list[list[str]]:
    return [[item.term for item in topic] for topic in fit.top_terms]


if __name__ == "__main__":
    main()

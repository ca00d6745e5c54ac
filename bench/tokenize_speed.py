"""Documents a second on one core: our tokenizer beside python-mecab-ko, over the same real petitions, in turns.

  PYTHONPATH=include python bench/tokenize_speed.py --python EVALENV/bin/python [--documents 1000]

The peer runs under another Python, one that has python-mecab-ko: it is no part of ours. Both read the same normalized
texts of all 3,029 petitions (or the first so many) and give nouns, each in one process of one thread, timed by the
processor's clock; the best of three turns counts. Our processes for large batches are timed as well, by the wall's.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from compare import take_turns

from petitions.sources.lines import read_lines
from petitions.text.normalize import normalize_text
from petitions.text.tokenizer import TOKENIZER, Tokenizer, tokenize_many

SHARED = Path(__file__).resolve().parents[2] / "shared"
TURNS = 3
PEER = """
import json, sys, time
from mecab import MeCab
texts = json.load(open(sys.argv[1], encoding="utf-8"))
mecab = MeCab()
begin = time.process_time()
for text in texts:
    [noun for noun in mecab.nouns(text) if len(noun) > 1]
print(time.process_time() - begin)
"""


def time_call(call: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    call()
    return clock() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="Python with python-mecab-ko")
    parser.add_argument("--documents", type=int, help="the first so many; all where it is not given")
    args = parser.parse_args()
    paths = sorted((SHARED / "data/bluehouse").glob("*.jsonl"))
    rows = [json.loads(line) for path in paths for line in read_lines(path)]
    texts = [normalize_text(f"{row['title']}\n{row['content']}").text for row in rows[: args.documents]]
    mecab = Tokenizer()
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()

        def time_peer(_: int) -> float:
            peer = subprocess.run([args.python, "-c", PEER, file.name], check=True, capture_output=True, text=True)
            return float(peer.stdout)

        ways = {
            "python-mecab-ko": time_peer,
            TOKENIZER: lambda _: time_call(lambda: [mecab.tokenize(text) for text in texts], time.process_time),
            f"{TOKENIZER}, all cores": lambda _: time_call(lambda: tokenize_many(texts), time.perf_counter),
        }
        seconds = take_turns(ways, TURNS)
    for name, turns in seconds.items():
        rates = [round(len(texts) / turn) for turn in turns]
        times_peer = round(min(seconds["python-mecab-ko"]) / min(turns), 2)
        print(json.dumps({"name": name, "documents": len(texts), "per_second": rates, "times_peer": times_peer}))


if __name__ == "__main__":
    main()

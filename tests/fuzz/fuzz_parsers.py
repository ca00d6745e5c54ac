"""Coverage-guided fuzzing of the parsers with atheris, by hand for as long as one likes.

    PYTHONPATH=include:tests:tests/fuzz .venv/bin/python tests/fuzz/fuzz_parsers.py bluehouse_detail -max_total_time=300

The first argument names the reader (`reading.READERS`), the others are libFuzzer's. Begins with the invented answers.
A crash is an exception other than ParseError, a record that does not hold together, or an input that takes over a
second; libFuzzer writes it to a file and ends with a status that is not 0.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["petitions.sources", "petitions.privacy"]):
    from reading import READERS, SEEDS

LONGEST_S = 1.0
LONGEST_INPUT = 20_000
WORDS = (
    "petitionsView_left petitionsView_title petitionsView_count petitionsView_info_list petitionsView_write"
    " View_write counter petitionsView_writeHead petitionsView_progress wvcontents og:url 청원내용 청원개요"
    " 청원진행중 카테고리 청원시작 청원마감 비공개 petitId petitSj petitCn petitObjet petitRealmCode"
    " agreBeginDe agreEndDe agreCo sttusCode resultCode petrNm item status created 2019-08-01 1,234"
    " AGRE_PROGRS </html> <div> </div> <br> <b> <!-- --> <script> </script> <iframe> <textarea> class= <li>"
    " <p> <h4> &amp; &lt; &#0; 010-1234-5678 a@b.test 800101-1234567 null true [[[[ }}}} ud800 ud83d"
)


def main() -> None:
    reader = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder) / "corpus", Path(folder) / "words"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS[reader]):
            (corpus / str(number)).write_bytes(seed)
        words.write_text("".join(f'"{_escape(word)}"\n' for word in WORDS.split()))
        options = [f"-dict={words}", f"-max_len={LONGEST_INPUT}", "-timeout=20", str(corpus)]
        atheris.Setup([sys.argv[0], *sys.argv[1:], *options], _keep_time(READERS[reader]))
        atheris.Fuzz()


def _keep_time(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def read_in_time(answer: bytes) -> None:
        # of this process: other work on the machine does not count
        began = time.process_time()
        read(answer)
        seconds = time.process_time() - began
        assert seconds < LONGEST_S, f"{len(answer)} bytes took {seconds:.1f} s"

    return read_in_time


def _escape(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    main()

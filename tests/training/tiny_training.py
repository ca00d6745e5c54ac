"""A training of seconds: invented data, a teacher of two layers, and a run that may be killed.

python tiny_training.py FOLDER STEPS
"""

import gzip
import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path

from petitions.encoders.tokenizer_files import TRIED
from petitions.training.draws import DrawSizes
from petitions.training.sources import CALIBRATION, CIVIC, GISTS, GROUPS, INFERENCE, PETITIONS, SCORED, TITLES
from petitions.training.stage_state import Progress
from petitions.training.stage_trainer import Stage
from petitions.training.stages import Recipe, make_vocabulary, teach, train
from petitions.training.wordpiece import train_wordpiece
from tiny_bert import write_bert

SIZES = DrawSizes(
    distill=8,
    joint=128,
    joint_lengths=(32,),
    fill_lengths=(32,),
    hold_lengths=(32,),
    contrast=6,
    next=6,
    rank=8,
    alike=6,
)
RECIPE = Recipe(vocab_size=800, layers=(0, 1), n_positions=128, sizes=SIZES, checkpoint_s=0.0, accelerator="cpu")
SHARES = {
    "joint": 1.0,
    "next": 1.0,
    "contrast": 1.0,
    "match": 1.0,
    "distill": 2.0,
    "rank": 1.0,
    "alike": 1.0,
    "fill": 1.0,
}
THEMES = {
    "버스": "노선 정류장 배차 기사 승객 요금 막차",
    "급식": "학교 식단 영양사 학생 알레르기 점심 조리실",
    "공원": "나무 산책로 가로등 벤치 어린이 잔디 주민",
    "소음": "공사장 새벽 확성기 창문 이웃 측정 단속",
}
ENDINGS = ("이 부족합니다", "을 늘려 주세요", "에 대한 대책이 필요합니다", "때문에 모두 힘듭니다")


def write_data(folder: Path) -> None:
    """Files of every kind that the stages read, in their places."""
    chance = random.Random(0)
    sentence = lambda theme: f"우리 동네 {theme} {chance.choice(THEMES[theme].split())}{chance.choice(ENDINGS)}."  # noqa: E731
    themes = [list(THEMES)[index % len(THEMES)] for index in range(24)]
    documents = [
        {
            "title": f"{theme} {chance.choice(THEMES[theme].split())} 문제",
            "body": " ".join(sentence(theme) for _ in range(8)),
        }
        for theme in themes
    ]
    # A tokenizer that does not know the letters of these is no Korean one to those who load it.
    documents += [{"title": TRIED[0], "body": " ".join(TRIED)}] * 4
    for name in (*PETITIONS, *CALIBRATION):
        write_rows(folder / name, [{"title": row["title"], "content": row["body"]} for row in documents])
    for name, title, text in CIVIC:
        write_rows(folder / name, [{title: row["title"], text: row["body"]} for row in documents * 3])
    write_rows(folder / TITLES, [{"title": sentence(theme)} for theme in themes])
    for name in SCORED:
        write_rows(
            folder / name, [{"a": sentence(t), "b": sentence(t), "score": index % 6} for index, t in enumerate(themes)]
        )
    labels = ("entailment", "contradiction", "neutral")
    for name in INFERENCE:
        write_rows(
            folder / name, [{"a": sentence(t), "b": sentence(t), "label": label} for t in themes for label in labels]
        )
    for name in GROUPS:
        write_rows(folder / name, [{"sentences": [sentence(theme) for _ in range(4)]} for theme in themes])
    write_rows(folder / GISTS, [{"a": sentence(theme), "b": theme} for theme in themes])


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    """Write JSON lines, compressed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_teacher(folder: Path) -> None:
    """A BERT of two layers that nobody trained, with a vocabulary of its own."""
    texts = [f"{theme} {words}{ending}" for theme, words in THEMES.items() for ending in ENDINGS]
    write_bert(folder, train_wordpiece([*texts, "query: a"], 600, 128))  # all letters, where ties would decide


def prepare(folder: Path) -> None:
    """Data, teacher, vocabulary and vectors: all that comes before the stages."""
    write_data(folder / "data")
    write_teacher(folder / "teacher")
    make_vocabulary(folder / "data", folder / "work", RECIPE)
    teach(folder / "data", folder / "teacher", folder / "work", RECIPE)


def train_tiny(folder: Path, n_steps: int, name: str = "tiny", shares: Mapping[str, float] = SHARES) -> Progress:
    """Train a stage of so many steps, from the state that is there."""
    stage = Stage(name=name, n_steps=n_steps, shares=dict(shares), rate=1e-3, n_rise=10, is_last=True)
    return train(folder / "data", folder / "teacher", folder / "work", stage, RECIPE)


if __name__ == "__main__":
    train_tiny(Path(sys.argv[1]), int(sys.argv[2]))

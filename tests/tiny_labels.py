"""Invented petitions of four themes, and a BERT of two layers that nobody trained: a fine-tuning of seconds."""

import random
from datetime import date, timedelta
from pathlib import Path

from petitions.encoders.tokenizer_files import TRIED
from petitions.training.labelled import Example, SplitDays
from petitions.training.wordpiece import train_wordpiece
from tiny_bert import write_bert

DAYS = SplitDays(since=date(2024, 1, 1), stop_from=date(2024, 3, 1), test_from=date(2024, 4, 1), until=date(2024, 5, 1))
THEMES = {
    "버스": "노선 정류장 배차 기사 승객 요금 막차",
    "급식": "학교 식단 영양사 학생 알레르기 점심 조리실",
    "공원": "나무 산책로 가로등 벤치 어린이 잔디 주민",
    "소음": "공사장 새벽 확성기 창문 이웃 측정 단속",
}
ENDINGS = ("이 부족합니다", "을 늘려 주세요", "에 대한 대책이 필요합니다", "때문에 모두 힘듭니다")


def make_examples(n: int = 240, seed: int = 0) -> list[Example]:
    """N petitions that begin on the days in turn, each of one theme, which is its label."""
    chance = random.Random(seed)
    n_days = (DAYS.until - DAYS.since).days
    return [
        make_example(number, list(THEMES)[number % len(THEMES)], DAYS.since + timedelta(days=number % n_days), chance)
        for number in range(n)
    ]


def make_example(number: int, theme: str, begins_on: date, chance: random.Random) -> Example:
    said = [f"우리 동네 {theme} {chance.choice(THEMES[theme].split())}{chance.choice(ENDINGS)}." for _ in range(6)]
    return Example(
        petition_id=f"sample:a-{number:03d}",
        begins_on=begins_on,
        title=f"{theme} {chance.choice(THEMES[theme].split())} 문제 {number}",
        below_title=" ".join(said),
        label=theme,
    )


def write_model(folder: Path) -> Path:
    """The folder of that BERT."""
    texts = [f"{theme} {words}{end}" for theme, words in THEMES.items() for end in ENDINGS]
    write_bert(folder, train_wordpiece([*texts, *TRIED * 4], 400, 128))
    return folder

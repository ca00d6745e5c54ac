"""Invented petitions and moments for the tests of the store."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from petitions.records import Petition, Source, Status, Window

WINDOW = Window(since=date(2024, 4, 1), until=date(2024, 7, 1))
MONDAY = datetime(2024, 7, 1, 3, 0, tzinfo=UTC)
LATER = MONDAY + timedelta(hours=5)  # the same day
TUESDAY = MONDAY + timedelta(days=1)

PETITION = Petition(
    source=Source.SAMPLE,
    source_id="a-001",
    title="학교 앞 건널목에 신호등을 놓아 주세요",
    purpose="아이들의 안전",
    body="아침마다 아이들이 차를 피해 길을 건넙니다.",
    category="교통/건축/국토",
    status=Status.OPEN,
    n_agreements=12,
    begins_on=date(2024, 5, 1),
    ends_on=date(2024, 5, 31),
    url="https://example.org/a-001",
)


def make_petitions(n: int) -> list[Petition]:
    """N petitions with ids a-001, a-002, ... that begin on successive days of the window."""
    return [
        replace(
            PETITION,
            source_id=f"a-{number:03d}",
            title=f"{number}번째 건널목에 신호등을 놓아 주세요",
            begins_on=WINDOW.since + timedelta(days=number % 90),
            ends_on=WINDOW.since + timedelta(days=number % 90 + 30),
        )
        for number in range(1, n + 1)
    ]

from dataclasses import replace
from datetime import date

import pytest

from invented import PETITION
from petitions.errors import ConfigError
from petitions.records import Window


def test_a_window_holds_its_first_day_and_not_its_last():
    window = Window.ending(date(2019, 9, 1))
    assert window.since == date(2019, 6, 1)
    assert date(2019, 6, 1) in window
    assert date(2019, 8, 31) in window
    assert date(2019, 9, 1) not in window


def test_a_window_that_ends_on_a_day_which_an_earlier_month_lacks_begins_on_the_last_day_of_that_month():
    assert Window.ending(date(2024, 5, 31)).since == date(2024, 2, 29)


@pytest.mark.parametrize(("until", "months"), [(date(2024, 1, 1), 0), (date(2024, 1, 1), 121), (date(1, 1, 1), 3)])
def test_a_window_that_cannot_be_is_refused(until, months):
    with pytest.raises(ConfigError):
        Window.ending(until, months)


def test_the_content_hash_follows_the_text_and_nothing_else():
    assert replace(PETITION, n_agreements=PETITION.n_agreements + 1).content_hash == PETITION.content_hash
    hashes = {replace(PETITION, **{name: "다른 글"}).content_hash for name in ("title", "purpose", "body")}
    assert len(hashes | {PETITION.content_hash}) == 4


def test_text_that_moves_between_title_and_body_changes_the_hash():
    assert (
        replace(PETITION, title="가", body="나다").content_hash
        != replace(PETITION, title="가나", body="다").content_hash
    )

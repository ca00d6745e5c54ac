import pickle

import pytest

from petitions.addresses import Login, drop_login, hide_login, hide_logins, split_login
from petitions.errors import FetchError

PLACE = "http://mirror.test:8080/a?b=c@d"


@pytest.mark.parametrize(
    ("told", "user", "password"),
    [("me:pw@", "me", "pw"), ("me@", "me", ""), (":pw@", "", "pw"), ("m%40e:p%2F%3A%EA%B0%80@", "m@e", "p/:가"),
     ("me:p:w@", "me", "p:w"), ("me:p@w@", "me", "p@w")],
)  # fmt: skip
def test_an_address_is_the_place_and_who_asks(told, user, password):
    assert split_login(PLACE.replace("://", f"://{told}")) == (PLACE, Login(user=user, password=password))


def test_an_address_without_a_login_stays_as_it_is():
    for address in (PLACE, "http://mirror.test?", "/folder/a@b", "", "raw/2019.warc.gz#17"):
        assert split_login(address) == (address, None)
        assert drop_login(address) == address


def test_a_login_is_sent_in_utf8():
    assert Login(user="가", password="é").for_requests == (
        "가".encode().decode("latin-1"),
        "é".encode().decode("latin-1"),
    )


@pytest.mark.parametrize("told", ["me:pw", "me:p/w", "me:p@w", "me:p w", "me:p?w#", "me:12/pw", "pw"])
@pytest.mark.parametrize("scheme", ["http://", "postgresql+psycopg://", ""])
def test_nothing_before_the_last_at_of_an_address_is_shown(scheme, told):
    assert hide_login(f"{scheme}{told}@host:1/x") == f"{scheme}...@host:1/x"


def test_an_error_of_ours_holds_no_login_and_travels_between_processes():
    error = FetchError("http://me:p/w@a.test/x: no answer, http://b.test/y by ftp://pw@c.test; write to me@d.test")
    assert str(error) == "http://...@a.test/x: no answer, http://b.test/y by ftp://...@c.test; write to me@d.test"
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == hide_logins(str(error))
    assert str(FetchError()) == ""

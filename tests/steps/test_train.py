"""What the stored petitions are trained on is what they are encoded by."""

import pytest

from invented import MONDAY, PETITION, WINDOW
from petitions.records import Source
from petitions.steps.train import read_documents
from petitions.store.petitions import read_texts, upsert_petitions

pytestmark = pytest.mark.postgres


def test_a_document_to_train_on_is_the_text_that_is_encoded_with_its_purpose(conn):
    upsert_petitions(conn, [PETITION], seen_at=MONDAY)
    documents = read_documents(conn, Source("sample"), WINDOW)
    assert documents == [f"{PETITION.title}\n{PETITION.purpose}\n{PETITION.body}"]
    assert documents == [text.whole for text in read_texts(conn, Source("sample"), WINDOW)]

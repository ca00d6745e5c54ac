"""The table of the senses of words."""

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Double, Integer, Table, Text

from petitions.store.tables import At, Key, check_share, metadata

word_sense = Table(
    "word_sense",
    metadata,
    Column("word", Key, primary_key=True),
    Column("source", Key, primary_key=True, comment="whose petitions were read; empty: all sources together"),
    Column("since", Date, primary_key=True, comment="first day of beginning that was read"),
    Column("until", Date, primary_key=True, comment="the first day after"),
    Column("encoder", Key, primary_key=True, comment="names of the weights whose vectors tell the senses apart"),
    Column("sense", Integer, primary_key=True, comment="from 1, the most frequent"),
    Column("share", Double, nullable=False, comment="of the occurrences that were compared"),
    Column("n_occurrences", Integer, nullable=False, comment="of this sense among those that were compared"),
    Column("n_found", Integer, nullable=False, comment="occurrences of the word in all that was read"),
    Column("neighbours", ARRAY(Text), nullable=False, comment="words beside it, the most telling first"),
    Column("petition_ids", ARRAY(Text), nullable=False, comment="where it stands in its most typical sentences"),
    Column("method", Text, nullable=False, comment="version of what found it: tokenizer and rules"),
    Column("found_at", At, nullable=False, comment="when these rows were first found as they are"),
    CheckConstraint("sense >= 1", name="sense"),
    CheckConstraint("n_occurrences >= 1 AND n_found >= n_occurrences", name="n_occurrences"),
    check_share("share"),
    comment="One row is one sense that a word has in the petitions of a source and some days.",
)

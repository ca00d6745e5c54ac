"""The tables of copies: what tells them, the comparisons of texts, and the pairs that a run has found."""

from sqlalchemy import Column, Double, ForeignKey, Integer, LargeBinary, Table, Text

from petitions.store.tables import SCHEMA, Key, check_not_negative, check_share, make_petition_key, metadata

petition_fingerprint = Table(
    "petition_fingerprint",
    metadata,
    make_petition_key(),
    Column("method", Key, primary_key=True, comment="name and version of what made it"),
    Column(
        "spelling", Text, nullable=False, comment="hash of title, purpose and body but for case, spaces and punctuation"
    ),
    Column(
        "fingerprints",
        LargeBinary,
        nullable=False,
        comment="sorted hashes of runs of letters of purpose and body, int64, big-endian",
    ),
    Column("content_hash", Text, nullable=False, comment="petition.content_hash of the text this was made from"),
    comment="One row is what tells the copies of one petition.",
)

petition_copy = Table(
    "petition_copy",
    metadata,
    Column("run_id", Key, ForeignKey(f"{SCHEMA}.pipeline_run.run_id"), primary_key=True),
    Column("earlier_id", Key, primary_key=True, comment="petition_id of the one that began first"),
    Column("later_id", Key, primary_key=True, comment="petition_id of the other"),
    Column("group_id", Key, nullable=False, comment="petition_id of the first one of all that hang together by pairs"),
    Column("earlier_in_later", Double, nullable=False, comment="share of the earlier one that the later one has too"),
    Column("later_in_earlier", Double, nullable=False, comment="share of the later one that the earlier one has too"),
    check_share("earlier_in_later"),
    check_share("later_in_earlier"),
    comment="One row is two petitions of the window of a run of which one stands in the other, by 0.4 or more.",
)

copy_comparison = Table(
    "copy_comparison",
    metadata,
    Column("method", Key, primary_key=True, comment="as of petition_fingerprint"),
    Column("earlier_id", Key, primary_key=True, comment="petition_id of the one that began first"),
    Column("later_id", Key, primary_key=True, comment="petition_id of the other"),
    Column("earlier_hash", Text, nullable=False, comment="petition.content_hash of its text that was compared"),
    Column("later_hash", Text, nullable=False, comment="petition.content_hash of the other text"),
    Column("earlier_in_later", Double, nullable=False, comment="share of the earlier one that the later one has too"),
    Column("later_in_earlier", Double, nullable=False, comment="share of the later one that the earlier one has too"),
    check_share("earlier_in_later"),
    check_share("later_in_earlier"),
    comment="One row is two petitions whose texts were compared run by run, copies or not: no night does so again.",
)

copy_search = Table(
    "copy_search",
    metadata,
    Column("run_id", Key, ForeignKey(f"{SCHEMA}.pipeline_run.run_id"), primary_key=True),
    Column("texts", Text, nullable=False, comment="hash of the method, and of days, ids and texts of the window"),
    Column("n_pairs", Integer, nullable=False, comment="pairs of copies that were found"),
    check_not_negative("n_pairs"),
    comment="One row is a window all of whose copies were found: with the same texts a run has nothing to do.",
)

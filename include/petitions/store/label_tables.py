"""The table of the labels that fine-tuned models give petitions."""

from sqlalchemy import CheckConstraint, Column, Double, Integer, Table, Text

from petitions.store.tables import Key, check_share, make_petition_key, metadata

petition_label = Table(
    "petition_label",
    metadata,
    make_petition_key(),
    Column("scorer", Key, primary_key=True, comment="name of the fine-tuned weights and their hash"),
    Column("rank", Integer, primary_key=True, comment="from 1, the likeliest label"),
    Column("label", Text, nullable=False, comment="one of those that the scorer was trained on"),
    Column("probability", Double, nullable=False, comment="of the label among all that the scorer knows; calibrated"),
    Column("content_hash", Text, nullable=False, comment="petition.content_hash of the text this was made from"),
    CheckConstraint("rank >= 1", name="rank"),
    check_share("probability"),
    comment="One row is one of the likeliest labels of one petition by one fine-tuned model.",
)

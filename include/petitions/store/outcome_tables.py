"""The tables of what became of petitions: as their site says it by day, and as the official open data does."""

from sqlalchemy import Column, Date, Integer, Table, Text

from petitions.store.tables import Key, check_not_negative, make_handling_columns, make_petition_key, metadata

petition_handling = Table(
    "petition_handling",
    metadata,
    make_petition_key(),
    Column("seen_on", Date, primary_key=True, comment="first day on which we saw it so, Korean time"),
    *make_handling_columns(),
    comment="One row is what a site said had become of a petition, from the day we first saw it so.",
)

bill_outcome = Table(
    "bill_outcome",
    metadata,
    Column("bill_id", Key, primary_key=True, comment="BILL_ID of the open portal; petition.bill_id"),
    Column("petition_no", Text, nullable=False, server_default="", comment="number that the Assembly gave it"),
    Column("committee_name", Text, nullable=False, server_default="", comment="it was referred to"),
    Column("n_agreements", Integer, comment="when it was received; null where not told"),
    Column("received_on", Date, comment="by the Assembly; null where not told, as the days below"),
    Column("referred_on", Date, comment="to the committee"),
    Column("presented_on", Date, comment="to a session of the committee"),
    Column("processed_on", Date, comment="decided by the committee"),
    Column("committee_result", Text, nullable=False, server_default="", comment="empty: none yet"),
    Column("plenary_result", Text, nullable=False, server_default="", comment="empty: none yet"),
    Column("government_result_on", Date, comment="when the government told what it made of it"),
    Column("asked_on", Date, nullable=False, comment="day, Korean time, on which it was asked for last"),
    check_not_negative("n_agreements"),
    comment="One row is a petition that became a bill, as the official open data of the Assembly tells of it.",
)

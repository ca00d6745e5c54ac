"""Keep what became of a petition, its codes as the site says them, and what the official open data says of it."""

import sqlalchemy as sa
from alembic import op

from petitions.sources.categories import ASSEMBLY_REALMS

revision = "0024"
down_revision = "0023"

SCHEMA = "petitions"
BILLS = "bill_outcome"
BILL_TEXTS = {"committee_result": "empty: none yet", "plenary_result": "empty: none yet"}
CATEGORY = "as the site names it; by its code where the site has codes that we know"
CATEGORY_BEFORE = "as the site names it"
PENDING = "formed or referred, and without a result yet: looked at weekly"
HANDLING = {
    "state_code": "as the site says it; empty where it has none",
    "state_name": "of that code, as the site says it",
    "result_code": "what it came to, as the site says it; empty: nothing yet",
    "result_name": "of that code, as the site says it",
    "stage_code": "of deliberation, as the site says it",
    "stage_name": "of that code, as the site says it",
    "committee_code": "the committee it was referred to, as the site says it",
    "committee_name": "of that code, as the site says it",
    "bill_id": "of the bill that the petition became: BILL_ID of the open portal of the Assembly",
}


def upgrade() -> None:
    for column in _list_columns():
        op.add_column("petition", column, schema=SCHEMA)
    op.alter_column("petition", "category", comment=CATEGORY, existing_comment=CATEGORY_BEFORE, schema=SCHEMA)
    op.create_check_constraint(op.f("petition_threshold_check"), "petition", "threshold >= 0", schema=SCHEMA)
    is_pending = sa.text("is_pending")
    names = ["source", "last_seen_at"]
    op.create_index(op.f("petition_pending_idx"), "petition", names, schema=SCHEMA, postgresql_where=is_pending)
    _name_known_realms()
    op.create_table(
        "petition_handling",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False, comment="first day on which we saw it so, Korean time"),
        *_list_texts(HANDLING),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            [f"{SCHEMA}.petition.petition_id"],
            name=op.f("petition_handling_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", "seen_on", name=op.f("petition_handling_pkey")),
        schema=SCHEMA,
        comment="One row is what a site said had become of a petition, from the day we first saw it so.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.petition_handling TO petition_writer")
    _create_bill_outcome()


def downgrade() -> None:
    op.drop_table(BILLS, schema=SCHEMA)
    op.drop_table("petition_handling", schema=SCHEMA)
    op.drop_index(op.f("petition_pending_idx"), "petition", schema=SCHEMA)
    op.alter_column("petition", "category", comment=CATEGORY_BEFORE, existing_comment=CATEGORY, schema=SCHEMA)
    for column in _list_columns():
        op.drop_column("petition", column.name, schema=SCHEMA)


def _list_columns() -> list[sa.Column[object]]:
    return [
        *_list_texts(HANDLING),
        *_list_texts(
            {
                "category_code": "of the category, as the site says it",
                "category_name": "of that code, as the site says it",
            }
        ),
        sa.Column("is_pending", sa.Boolean(), nullable=False, server_default=sa.false(), comment=PENDING),
        sa.Column(
            "threshold", sa.Integer(), comment="agreements that its site wants of it; null where the site does not say"
        ),
        sa.Column("registered_on", sa.Date(), comment="Korean time; null where the site does not say"),
        sa.Column(
            "closed_on",
            sa.Date(),
            comment="day on which the site ended it, Korean time; null: not ended, or not told",
        ),
    ]


def _list_texts(told: dict[str, str]) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default="", comment=text) for name, text in told.items()]


def _name_known_realms() -> None:
    """Give the petitions of before the code of their category: only known ones were stored."""
    realm = sa.values(sa.column("code", sa.Text()), sa.column("name", sa.Text()), name="realm")
    told = realm.data(list(ASSEMBLY_REALMS.items()))
    petition = sa.table(
        "petition", *(sa.column(name) for name in ("source", "category", "category_code")), schema=SCHEMA
    )
    is_of = (petition.c.source == "assembly") & (petition.c.category == told.c.name)
    op.execute(petition.update().values(category_code=told.c.code).where(is_of))


def _create_bill_outcome() -> None:
    op.create_table(
        BILLS,
        sa.Column(
            "bill_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="BILL_ID of the open portal; petition.bill_id",
        ),
        _make_text("petition_no", "number that the Assembly gave it"),
        _make_text("committee_name", "it was referred to"),
        sa.Column("n_agreements", sa.Integer(), comment="when it was received; null where not told"),
        sa.Column("received_on", sa.Date(), comment="by the Assembly; null where not told, as the days below"),
        sa.Column("referred_on", sa.Date(), comment="to the committee"),
        sa.Column("presented_on", sa.Date(), comment="to a session of the committee"),
        sa.Column("processed_on", sa.Date(), comment="decided by the committee"),
        *(_make_text(name, told) for name, told in BILL_TEXTS.items()),
        sa.Column("government_result_on", sa.Date(), comment="when the government told what it made of it"),
        sa.Column("asked_on", sa.Date(), nullable=False, comment="day, Korean time, on which it was asked for last"),
        sa.CheckConstraint("n_agreements >= 0", name=op.f(f"{BILLS}_n_agreements_check")),
        sa.PrimaryKeyConstraint("bill_id", name=op.f(f"{BILLS}_pkey")),
        schema=SCHEMA,
        comment="One row is a petition that became a bill, as the official open data of the Assembly tells of it.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{BILLS} TO petition_writer")


def _make_text(name: str, told: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="", comment=told)

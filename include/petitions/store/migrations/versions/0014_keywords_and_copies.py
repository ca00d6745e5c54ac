"""Keep what tells copies and the pairs of them; name what found keywords, and call their number a weight.

The weight was called a probability when BERT alone found them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

SCHEMA = "petitions"
TABLE = "petition_keyword"
WEIGHT = "0 to 1; higher for a word that a title of this text would sooner name"
COMMENT = "One row is one noun or compound that a petition is about, by frequency, rarity, place and masked words."
OLD_COMMENT = "One row is one word that masked-LM prompting gives for a petition."
COPY_TABLES = f"{SCHEMA}.petition_fingerprint, {SCHEMA}.petition_copy"
EXTRACTOR = "version of what found it: rules, table of frequencies, weights; empty of one that was found by BERT alone"


def upgrade() -> None:
    _rename("probability", "weight", WEIGHT)
    op.add_column(
        TABLE,
        sa.Column("extractor", sa.Text(), nullable=False, server_default="", comment=EXTRACTOR),
        schema=SCHEMA,
    )
    op.alter_column(TABLE, "extractor", server_default=None, schema=SCHEMA)
    op.create_table_comment(TABLE, COMMENT, existing_comment=OLD_COMMENT, schema=SCHEMA)
    _create_fingerprints()
    _create_copies()
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {COPY_TABLES} TO petition_writer")
    op.execute(f"GRANT DELETE ON {SCHEMA}.petition_copy TO petition_writer")


def downgrade() -> None:
    op.drop_table("petition_copy", schema=SCHEMA)
    op.drop_table("petition_fingerprint", schema=SCHEMA)
    op.create_table_comment(TABLE, OLD_COMMENT, existing_comment=COMMENT, schema=SCHEMA)
    op.drop_column(TABLE, "extractor", schema=SCHEMA)
    _rename("weight", "probability", None)


def _rename(old: str, new: str, comment: str | None) -> None:
    op.drop_constraint(op.f(f"{TABLE}_{old}_check"), TABLE, schema=SCHEMA)
    op.alter_column(TABLE, old, new_column_name=new, comment=comment, schema=SCHEMA)
    op.create_check_constraint(op.f(f"{TABLE}_{new}_check"), TABLE, f"{new} >= 0 AND {new} <= 1", schema=SCHEMA)


def _create_fingerprints() -> None:
    op.create_table(
        "petition_fingerprint",
        _key("petition_id"),
        _key("method", "name and version of what made it"),
        sa.Column(
            "spelling",
            sa.Text(),
            nullable=False,
            comment="hash of title, purpose and body but for case, spaces and punctuation",
        ),
        sa.Column(
            "fingerprints",
            sa.LargeBinary(),
            nullable=False,
            comment="sorted hashes of runs of letters of purpose and body, int64, big-endian",
        ),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            comment="petition.content_hash of the text this was made from",
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            [f"{SCHEMA}.petition.petition_id"],
            name=op.f("petition_fingerprint_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", "method", name=op.f("petition_fingerprint_pkey")),
        schema=SCHEMA,
        comment="One row is what tells the copies of one petition.",
    )


def _create_copies() -> None:
    shares = ("earlier_in_later", "later_in_earlier")
    op.create_table(
        "petition_copy",
        _key("run_id"),
        _key("earlier_id", "petition_id of the one that began first"),
        _key("later_id", "petition_id of the other"),
        _key("group_id", "petition_id of the first one of all that hang together by pairs"),
        _share("earlier_in_later", "share of the earlier one that the later one has too"),
        _share("later_in_earlier", "share of the later one that the earlier one has too"),
        *(
            sa.CheckConstraint(f"{name} >= 0 AND {name} <= 1", name=op.f(f"petition_copy_{name}_check"))
            for name in shares
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], [f"{SCHEMA}.pipeline_run.run_id"], name=op.f("petition_copy_run_id_pipeline_run_fkey")
        ),
        sa.PrimaryKeyConstraint("run_id", "earlier_id", "later_id", name=op.f("petition_copy_pkey")),
        schema=SCHEMA,
        comment="One row is two petitions of the window of a run of which one stands in the other, by 0.4 or more.",
    )


def _key(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, comment=comment)


def _share(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False, comment=comment)

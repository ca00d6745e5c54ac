"""Keep the comparisons of texts, of which texts a run has found all copies, and whom and which regions texts name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"

SCHEMA = "petitions"
SHARES = ("earlier_in_later", "later_in_earlier")


def upgrade() -> None:
    op.create_table(
        "copy_comparison",
        _key("method", "as of petition_fingerprint"),
        _key("earlier_id", "petition_id of the one that began first"),
        _key("later_id", "petition_id of the other"),
        _text("earlier_hash", "petition.content_hash of its text that was compared"),
        _text("later_hash", "petition.content_hash of the other text"),
        _share("earlier_in_later", "share of the earlier one that the later one has too"),
        _share("later_in_earlier", "share of the later one that the earlier one has too"),
        *(
            sa.CheckConstraint(f"{name} >= 0 AND {name} <= 1", name=op.f(f"copy_comparison_{name}_check"))
            for name in SHARES
        ),
        sa.PrimaryKeyConstraint("method", "earlier_id", "later_id", name=op.f("copy_comparison_pkey")),
        schema=SCHEMA,
        comment="One row is two petitions whose texts were compared run by run, copies or not: no night does so again.",
    )
    op.create_table(
        "copy_search",
        _key("run_id"),
        _text("texts", "hash of the method, and of days, ids and texts of the window"),
        sa.Column("n_pairs", sa.Integer(), nullable=False, comment="pairs of copies that were found"),
        sa.CheckConstraint("n_pairs >= 0", name=op.f("copy_search_n_pairs_check")),
        sa.ForeignKeyConstraint(
            ["run_id"], [f"{SCHEMA}.pipeline_run.run_id"], name=op.f("copy_search_run_id_pipeline_run_fkey")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("copy_search_pkey")),
        schema=SCHEMA,
        comment="One row is a window all of whose copies were found: with the same texts a run has nothing to do.",
    )
    _create_mentions()
    for table in ("copy_comparison", "copy_search", "petition_mentions"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {SCHEMA}.{table} TO petition_writer")
    op.execute(f"GRANT DELETE ON {SCHEMA}.copy_search TO petition_writer")


def _create_mentions() -> None:
    op.create_table(
        "petition_mentions",
        _key("petition_id"),
        _text("content_hash", "petition.content_hash of the text this was made from"),
        _text("lists", "hash of what the lists addressee and region held"),
        sa.Column(
            "mentions",
            JSONB(),
            nullable=False,
            comment='[{"list": "region", "name": "서울", "n_mentions": 2, "is_in_title": true}, ...]; may be empty',
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            [f"{SCHEMA}.petition.petition_id"],
            name=op.f("petition_mentions_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", name=op.f("petition_mentions_pkey")),
        schema=SCHEMA,
        comment="One row is whom of the list addressee, and which of the list region, one petition names.",
    )


def downgrade() -> None:
    op.drop_table("petition_mentions", schema=SCHEMA)
    op.drop_table("copy_search", schema=SCHEMA)
    op.drop_table("copy_comparison", schema=SCHEMA)


def _key(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False, comment=comment)


def _text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _share(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False, comment=comment)

"""What the encoders say: vectors, scores, keywords."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import VECTOR

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "petition_embedding",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("encoder", sa.Text(collation="C"), nullable=False, comment="name of the weights and their hash"),
        sa.Column("embedding", VECTOR(), nullable=False, comment="unit length; the width is the encoder's"),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            ["petitions.petition.petition_id"],
            name=op.f("petition_embedding_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", "encoder", name=op.f("petition_embedding_pkey")),
        schema="petitions",
        comment="One row is one petition as one encoder sees it.",
    )
    op.create_table(
        "petition_score",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("encoder", sa.Text(collation="C"), nullable=False, comment="name of the weights and their hash"),
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column(
            "model_id",
            sa.Text(collation="C"),
            server_default="",
            nullable=False,
            comment="the fit of a topic_similarity, else empty; in the key, so that the next fit leaves it alone",
        ),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.CheckConstraint(
            "(score = 'topic_similarity') = (model_id <> '')", name=op.f("petition_score_model_id_check")
        ),
        sa.CheckConstraint(
            "score IN ('next_sentence', 'pseudo_log_likelihood', 'moderation', 'topic_similarity')",
            name=op.f("petition_score_score_check"),
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petitions.petition.petition_id"], name=op.f("petition_score_petition_id_petition_fkey")
        ),
        sa.PrimaryKeyConstraint("petition_id", "encoder", "score", "model_id", name=op.f("petition_score_pkey")),
        schema="petitions",
        comment="One row is one score of one petition by one encoder.",
    )
    op.create_table(
        "petition_keyword",
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("encoder", sa.Text(collation="C"), nullable=False, comment="name of the weights and their hash"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="from 1"),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name=op.f("petition_keyword_probability_check")),
        sa.CheckConstraint("rank >= 1", name=op.f("petition_keyword_rank_check")),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petitions.petition.petition_id"], name=op.f("petition_keyword_petition_id_petition_fkey")
        ),
        sa.PrimaryKeyConstraint("petition_id", "encoder", "rank", name=op.f("petition_keyword_pkey")),
        schema="petitions",
        comment="One row is one word that masked-LM prompting gives for a petition.",
    )
    # A vector of up to 2,000 numbers stays in the row: a scan reads it without a look-up in the TOAST table.
    op.execute("ALTER TABLE petitions.petition_embedding SET (toast_tuple_target = 8160)")


def downgrade() -> None:
    op.drop_table("petition_keyword", schema="petitions")
    op.drop_table("petition_score", schema="petitions")
    op.drop_table("petition_embedding", schema="petitions")

"""Fits of topics."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "topic_model",
        sa.Column(
            "model_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="made from window, corpus, engine, seed and settings",
        ),
        sa.Column("run_id", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False, comment="first day after the window"),
        sa.Column("engine", sa.Text(), nullable=False, comment="name and version of what fitted"),
        sa.Column("tokenizer", sa.Text(), nullable=False, comment="petition_tokens.tokenizer of the corpus"),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("n_topics", sa.Integer(), nullable=False),
        sa.Column("n_petitions", sa.Integer(), nullable=False, comment="documents of the corpus"),
        sa.Column("n_terms", sa.Integer(), nullable=False, comment="size of the dictionary"),
        sa.Column("npmi", sa.Double(), nullable=False, comment="coherence, mean of the topics; -1 to 1"),
        sa.Column("c_v", sa.Double(), nullable=False, comment="coherence, mean of the topics; 0 to 1"),
        sa.Column("diversity", sa.Double(), nullable=False, comment="distinct words among the top terms of all topics"),
        sa.Column(
            "stability",
            sa.Double(),
            nullable=True,
            comment="agreement of fits from other seeds; null where not measured",
        ),
        sa.Column("artifact", sa.Text(), nullable=False, comment="folder of the whole fit in the artifact store"),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null until published; the greatest of a source is what readers see",
        ),
        sa.Column(
            "encoders",
            sa.ARRAY(sa.Text()),
            nullable=True,
            comment="whose vectors and scores the views show; the first one is searched",
        ),
        sa.CheckConstraint("source IN ('assembly', 'bluehouse', 'sample')", name=op.f("topic_model_source_check")),
        sa.CheckConstraint("(published_at IS NULL) = (encoders IS NULL)", name=op.f("topic_model_encoders_check")),
        sa.CheckConstraint("diversity >= 0 AND diversity <= 1", name=op.f("topic_model_diversity_check")),
        sa.CheckConstraint("n_petitions >= 0", name=op.f("topic_model_n_petitions_check")),
        sa.CheckConstraint("n_terms >= 0", name=op.f("topic_model_n_terms_check")),
        sa.CheckConstraint("n_topics >= 0", name=op.f("topic_model_n_topics_check")),
        sa.CheckConstraint("since < until", name=op.f("topic_model_until_check")),
        sa.CheckConstraint("stability >= 0 AND stability <= 1", name=op.f("topic_model_stability_check")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["petitions.pipeline_run.run_id"], name=op.f("topic_model_run_id_pipeline_run_fkey")
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("topic_model_pkey")),
        schema="petitions",
        comment="One row is one fit of the topics of a window.",
    )
    op.create_index(
        op.f("topic_model_source_published_at_idx"),
        "topic_model",
        ["source", "published_at"],
        unique=False,
        schema="petitions",
    )
    op.create_table(
        "topic",
        sa.Column("model_id", sa.Text(collation="C"), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False, comment="from 1; the same topic keeps it from fit to fit"),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False, comment="of all petitions of the fit; the topics sum to 1"),
        sa.Column("npmi", sa.Double(), nullable=True, comment="coherence; null where its terms never meet"),
        sa.Column("top_terms", sa.ARRAY(sa.Text()), nullable=False, comment="most relevant first"),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("topic_share_check")),
        sa.CheckConstraint("topic_id >= 1", name=op.f("topic_topic_id_check")),
        sa.ForeignKeyConstraint(
            ["model_id"], ["petitions.topic_model.model_id"], name=op.f("topic_model_id_topic_model_fkey")
        ),
        sa.PrimaryKeyConstraint("model_id", "topic_id", name=op.f("topic_pkey")),
        schema="petitions",
        comment="One row is one topic of one fit.",
    )
    op.create_table(
        "topic_term",
        sa.Column("model_id", sa.Text(collation="C"), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="from 1, by relevance"),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False, comment="of the term within the topic"),
        sa.Column("relevance", sa.Double(), nullable=False, comment="of Sievert and Shirley 2014; a logarithm"),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name=op.f("topic_term_probability_check")),
        sa.CheckConstraint("rank >= 1", name=op.f("topic_term_rank_check")),
        sa.ForeignKeyConstraint(
            ["model_id", "topic_id"],
            ["petitions.topic.model_id", "petitions.topic.topic_id"],
            name=op.f("topic_term_model_id_topic_fkey"),
        ),
        sa.PrimaryKeyConstraint("model_id", "topic_id", "rank", name=op.f("topic_term_pkey")),
        schema="petitions",
        comment="One row is one of the top terms of a topic; the whole topic-word matrix is in the artifact.",
    )
    op.create_table(
        "topic_event",
        sa.Column(
            "event_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="SHA-256 of fit, kind, topic and what it came from",
        ),
        sa.Column("model_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=True, comment="in this fit; null when the topic died"),
        sa.Column("from_model_id", sa.Text(collation="C"), nullable=True, comment="null when born"),
        sa.Column("from_topic_id", sa.Integer(), nullable=True, comment="in the fit before; null when born"),
        sa.Column(
            "distance",
            sa.Double(),
            nullable=True,
            comment="Jensen-Shannon distance of the two topics, 0 to 1; null when born",
        ),
        sa.CheckConstraint(
            "kind IN ('born', 'died', 'split', 'merged', 'continued')", name=op.f("topic_event_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["from_model_id", "from_topic_id"],
            ["petitions.topic.model_id", "petitions.topic.topic_id"],
            name=op.f("topic_event_from_model_id_topic_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["from_model_id"],
            ["petitions.topic_model.model_id"],
            name=op.f("topic_event_from_model_id_topic_model_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["model_id", "topic_id"],
            ["petitions.topic.model_id", "petitions.topic.topic_id"],
            name=op.f("topic_event_model_id_topic_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["petitions.topic_model.model_id"], name=op.f("topic_event_model_id_topic_model_fkey")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("topic_event_pkey")),
        schema="petitions",
        comment="One row is what became of a topic from one fit to the next.",
    )
    op.create_index(op.f("topic_event_model_id_idx"), "topic_event", ["model_id"], unique=False, schema="petitions")
    op.create_table(
        "petition_topic",
        sa.Column("model_id", sa.Text(collation="C"), nullable=False),
        sa.Column("petition_id", sa.Text(collation="C"), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column(
            "share", sa.Double(), nullable=False, comment="of the topic in the petition; a petition's shares sum to 1"
        ),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("petition_topic_share_check")),
        sa.ForeignKeyConstraint(
            ["model_id", "topic_id"],
            ["petitions.topic.model_id", "petitions.topic.topic_id"],
            name=op.f("petition_topic_model_id_topic_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"], ["petitions.petition.petition_id"], name=op.f("petition_topic_petition_id_petition_fkey")
        ),
        sa.PrimaryKeyConstraint("model_id", "petition_id", "topic_id", name=op.f("petition_topic_pkey")),
        schema="petitions",
        comment="One row is the share of one topic in one petition, by one fit.",
    )


def downgrade() -> None:
    op.drop_table("petition_topic", schema="petitions")
    op.drop_table("topic_event", schema="petitions")
    op.drop_table("topic_term", schema="petitions")
    op.drop_table("topic", schema="petitions")
    op.drop_table("topic_model", schema="petitions")

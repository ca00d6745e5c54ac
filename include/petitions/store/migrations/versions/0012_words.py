"""The words that petitions are found by, apart from the tokens of topics, and how much vectors count beside them."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import SPARSEVEC

revision = "0012"
down_revision = "0011"

SCHEMA = "petitions"
KEY = sa.Text(collation="C")
OF_TOKENS = f"COMMENT ON TABLE {SCHEMA}.petition_tokens IS 'One row is the tokens of one petition by one tokenizer"


def upgrade() -> None:
    op.create_table(
        "petition_words",
        sa.Column("petition_id", KEY, nullable=False),
        sa.Column(
            "tokenizer", KEY, nullable=False, comment="name and version of what found the words; not that of topics"
        ),
        sa.Column(
            "words", sa.ARRAY(sa.Text()), nullable=False, comment="each once, sorted; compounds whole and in parts"
        ),
        sa.Column(
            "weights", SPARSEVEC(1_000_000_000), nullable=False, comment="of each word by BM25F, at the word's number"
        ),
        sa.Column(
            "levels",
            sa.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="16 x number of a word + its weight in sixteenths",
        ),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="petition.content_hash of the text this was made from"
        ),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            [f"{SCHEMA}.petition.petition_id"],
            name=op.f("petition_words_petition_id_petition_fkey"),
        ),
        sa.PrimaryKeyConstraint("petition_id", name=op.f("petition_words_pkey")),
        schema=SCHEMA,
        comment="One row is the words that one petition is found by, and how much each says of it.",
    )
    # What is ranked by stays in the row, to be read without a detour; the rest is seldom looked at.
    op.execute(f"ALTER TABLE {SCHEMA}.petition_words ALTER weights SET STORAGE MAIN")
    op.execute(f"ALTER TABLE {SCHEMA}.petition_words ALTER levels SET STORAGE EXTENDED")
    op.create_index(
        op.f("petition_words_levels_idx"), "petition_words", ["levels"], schema=SCHEMA, postgresql_using="gin"
    )
    op.create_table(
        "word_level",
        sa.Column(
            "level",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="petition_words.levels; 0: of any",
        ),
        sa.Column("n_petitions", sa.Integer(), nullable=False, comment="that have it, when search was last prepared"),
        sa.CheckConstraint("n_petitions >= 0", name=op.f("word_level_n_petitions_check")),
        sa.PrimaryKeyConstraint("level", name=op.f("word_level_pkey")),
        schema=SCHEMA,
        comment="One row is a word at one level of weight: how common it is, so that search weighs rare words more.",
    )
    op.create_table(
        "encoder_weight",
        sa.Column("encoder", KEY, nullable=False, comment="name of the weights and their hash"),
        sa.Column(
            "search_weight",
            sa.Double(),
            nullable=False,
            comment="of its list beside that of words in search; 0: unused",
        ),
        sa.Column("similar_weight", sa.Double(), nullable=False, comment="the same among the petitions most like one"),
        sa.CheckConstraint("search_weight >= 0", name=op.f("encoder_weight_search_weight_check")),
        sa.CheckConstraint("similar_weight >= 0", name=op.f("encoder_weight_similar_weight_check")),
        sa.PrimaryKeyConstraint("encoder", name=op.f("encoder_weight_pkey")),
        schema=SCHEMA,
        comment="One row is how much the vectors of one encoder count beside plain words, as measured; without one 0.",
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {SCHEMA}.petition_words, {SCHEMA}.encoder_weight TO petition_writer")
    op.drop_table("token_frequency", schema=SCHEMA)
    op.drop_index(op.f("petition_tokens_tokens_idx"), "petition_tokens", schema=SCHEMA)
    op.execute(f"{OF_TOKENS}: what topics are fitted from.'")


def downgrade() -> None:
    op.execute(f"{OF_TOKENS}.'")
    op.create_index(
        op.f("petition_tokens_tokens_idx"), "petition_tokens", ["tokens"], schema=SCHEMA, postgresql_using="gin"
    )
    op.create_table(
        "token_frequency",
        sa.Column("tokenizer", KEY, nullable=False, comment="name and version of tokenizer, dictionary and stop words"),
        sa.Column("token", KEY, nullable=False),
        sa.Column("n_petitions", sa.Integer(), nullable=False, comment="that have it, when search was last prepared"),
        sa.CheckConstraint("n_petitions >= 0", name=op.f("token_frequency_n_petitions_check")),
        sa.PrimaryKeyConstraint("tokenizer", "token", name=op.f("token_frequency_pkey")),
        schema=SCHEMA,
        comment="One row is one token of one tokenizer: how common it is, so that search weighs rare ones more.",
    )
    for table in ("encoder_weight", "word_level", "petition_words"):
        op.drop_table(table, schema=SCHEMA)

"""The tables of schema `petitions`; DESIGN.md fixes names, keys and columns, Alembic (migrations/) makes them.

Keys are texts of the things themselves, never counters, so that a run that was killed and started again makes the
same rows. Their collation is "C": the order of a key is the same on every server, and paging by key is exact.
"""

from pgvector.sqlalchemy import SPARSEVEC, VECTOR
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from petitions.records import NAME_PATTERN, Status

SCHEMA = "petitions"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_%(referred_table_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    },
)

_VANISHED = "hidden since the site answers that there is no such petition; else its administrator hid it"
_ARTIFACT = 'the raw answer that the row was read from: "file#offset" in the archive; empty for the sample'
_FIT_OF_SCORE = "the fit of a topic_similarity, else empty; in the key, so that the next fit leaves it alone"
_CATEGORY = "as the site names it; by its code where the site has codes that we know"
_PENDING = "formed or referred, and without a result yet: looked at weekly"
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
_WEIGHT_OF_KEYWORD = "0 to 1; higher for a word that a title of this text would sooner name"
_EXTRACTOR = "version of what found it: rules, table of frequencies, weights; empty of one that was found by BERT alone"
Key = Text(collation="C")
At = DateTime(timezone=True)


def check_one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The constraint that a column holds one of these texts."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def check_source() -> CheckConstraint:
    """The constraint that a source may stand before the colon of a petition_id; the code knows which there are."""
    return CheckConstraint(f"source ~ '^{NAME_PATTERN}$'", name="source")


def check_share(column: str) -> CheckConstraint:
    """The constraint that a column is 0 to 1, or null."""
    return CheckConstraint(f"{column} >= 0 AND {column} <= 1", name=column)


def check_not_negative(column: str) -> CheckConstraint:
    """The constraint that a column is 0 or more, or null."""
    return CheckConstraint(f"{column} >= 0", name=column)


def make_petition_key() -> Column[str]:
    """A column that names a petition and is of the primary key."""
    return Column("petition_id", Key, ForeignKey(f"{SCHEMA}.petition.petition_id"), primary_key=True)


def make_handling_columns() -> list[Column[str]]:
    """What a site says has become of a petition; empty where it says nothing."""
    return [Column(name, Text, nullable=False, server_default="", comment=told) for name, told in HANDLING.items()]


def _content_hash() -> Column[str]:
    return Column("content_hash", Text, nullable=False, comment="petition.content_hash of the text this was made from")


petition = Table(
    "petition",
    metadata,
    Column("petition_id", Key, primary_key=True, comment='"source:source_id"'),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False, comment="the id that the site itself gives"),
    Column("title", Text, nullable=False),
    Column("purpose", Text, nullable=False, server_default="", comment="청원의 취지 of the Assembly; elsewhere empty"),
    Column("body", Text, nullable=False, comment="normalized; phone, e-mail and resident numbers masked"),
    Column("category", Text, nullable=False, comment=_CATEGORY),
    Column("status", Text, nullable=False, comment="hidden: the site no longer shows it, and neither do the views"),
    Column("n_agreements", Integer, nullable=False, comment="as last seen; by day in petition_agreement"),
    Column("begins_on", Date, nullable=False, comment="first day of agreement, Korean time; decides the window"),
    Column("ends_on", Date, nullable=False, comment="last day of agreement, Korean time"),
    Column("url", Text, nullable=False),
    Column("is_moderated", Boolean, nullable=False, comment="a moderator's notice stood in the text and was cut"),
    Column("is_vanished", Boolean, nullable=False, server_default=false(), comment=_VANISHED),
    Column("artifact", Text, nullable=False, server_default="", comment=_ARTIFACT),
    Column("content_hash", Text, nullable=False, comment="SHA-256 of title, purpose and body"),
    *make_handling_columns(),
    Column("category_code", Text, nullable=False, server_default="", comment="of the category, as the site says it"),
    Column("category_name", Text, nullable=False, server_default="", comment="of that code, as the site says it"),
    Column("is_pending", Boolean, nullable=False, server_default=false(), comment=_PENDING),
    Column("threshold", Integer, comment="agreements that its site wants of it; null where the site does not say"),
    Column("registered_on", Date, comment="Korean time; null where the site does not say"),
    Column("closed_on", Date, comment="day on which the site ended it, Korean time; null: not ended, or not told"),
    Column("first_seen_at", At, nullable=False),
    Column("last_seen_at", At, nullable=False, comment="moves once a Korean day, so that a second run writes nothing"),
    Column("changed_at", At, nullable=False, comment="when the text or the status last changed"),
    UniqueConstraint("source", "source_id"),
    CheckConstraint("petition_id = source || ':' || source_id", name="petition_id"),
    CheckConstraint("title <> ''", name="title"),
    CheckConstraint("ends_on >= begins_on", name="ends_on"),
    check_source(),
    check_one_of("status", tuple(Status)),
    check_not_negative("n_agreements"),
    CheckConstraint("NOT is_vanished OR status = 'hidden'", name="is_vanished"),
    Index(None, "source", "begins_on"),
    Index(None, "source", "last_seen_at"),
    Index(None, "source", "category", "status", "begins_on"),
    Index("petition_pending_idx", "source", "last_seen_at", postgresql_where=text("is_pending")),
    check_not_negative("threshold"),
    comment="One row is one petition as last seen. The petitioner's name is never stored.",
)

petition_agreement = Table(
    "petition_agreement",
    metadata,
    make_petition_key(),
    Column("seen_on", Date, primary_key=True, comment="the day we looked, Korean time"),
    Column("n_agreements", Integer, nullable=False),
    check_not_negative("n_agreements"),
    comment="One row is the number of agreements of a petition on a day we looked.",
)

pipeline_run = Table(
    "pipeline_run",
    metadata,
    Column("run_id", Key, primary_key=True, comment='"source_since_until"'),
    Column("source", Text, nullable=False),
    Column("since", Date, nullable=False, comment="first day of the window"),
    Column("until", Date, nullable=False, comment="first day after the window"),
    Column("model_id", Text, comment="the fit that the run made last; null before it"),
    CheckConstraint("since < until", name="until"),
    check_source(),
    comment="One row is one source over one window; its steps tell how its latest run went.",
)

tokenizer_version = Table(
    "tokenizer_version",
    metadata,
    Column("tokenizer", Key, primary_key=True, comment="name and version of tokenizer, dictionary and stop words"),
    Column("tagger", Text, nullable=False, comment="name and version of what tags the morphemes"),
    Column("dictionary", Text, nullable=False, comment="name and version of its dictionary"),
    Column("stop_words", Text, nullable=False, comment="SHA-256 of the stop words, sorted, one a line; 12 digits"),
    Column("rules", Integer, nullable=False, comment="version of the code that makes words of morphemes"),
    comment="One row is one tokenizer: what its name stands for.",
)

petition_tokens = Table(
    "petition_tokens",
    metadata,
    make_petition_key(),
    Column("tokenizer", Key, primary_key=True, comment="name and version of tokenizer, dictionary and stop words"),
    Column("tokens", ARRAY(Text), nullable=False, comment="in the order of the text; may be empty"),
    _content_hash(),
    comment="One row is the tokens of one petition by one tokenizer: what topics are fitted from.",
)

petition_words = Table(
    "petition_words",
    metadata,
    make_petition_key(),
    Column("tokenizer", Key, nullable=False, comment="name and version of what found the words; not that of topics"),
    Column("words", ARRAY(Text), nullable=False, comment="each once, sorted; compounds whole and in parts"),
    Column("weights", SPARSEVEC(1_000_000_000), nullable=False, comment="of each word by BM25F, at the word's number"),
    Column("levels", ARRAY(BigInteger), nullable=False, comment="16 x number of a word + its weight in sixteenths"),
    _content_hash(),
    Index(None, "levels", postgresql_using="gin"),
    comment="One row is the words that one petition is found by, and how much each says of it.",
)

word_level = Table(
    "word_level",
    metadata,
    Column("level", BigInteger, primary_key=True, autoincrement=False, comment="petition_words.levels; 0: of any"),
    Column("n_petitions", Integer, nullable=False, comment="that have it, when search was last prepared"),
    Column("numbers", ARRAY(Integer), nullable=False, comment="searched_petition.number of them"),
    check_not_negative("n_petitions"),
    comment="One row is a word at one level of weight: how common it is, so that search weighs rare words more.",
)

searched_petition = Table(
    "searched_petition",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 1, by day and id"),
    Column("petition_id", Key, ForeignKey(f"{SCHEMA}.petition.petition_id"), nullable=False, unique=True),
    Column("source", Text, nullable=False, comment="of the petition, as the rest"),
    Column("begins_on", Date, nullable=False),
    Column("category", Text, nullable=False),
    Column("status", Text, nullable=False),
    comment="One row is a petition that has words, when search was last prepared, by a short number.",
)

encoder_weight = Table(
    "encoder_weight",
    metadata,
    Column("encoder", Key, primary_key=True, comment="name of the weights and their hash"),
    Column(
        "search_weight",
        Double,
        nullable=False,
        comment="of the cosine beside the best score by words in search; 0: unused",
    ),
    Column("similar_weight", Double, nullable=False, comment="the same among the petitions most like one"),
    check_not_negative("search_weight"),
    check_not_negative("similar_weight"),
    comment="One row is how much the vectors of one encoder count beside plain words, as measured; without one 0.",
)

petition_embedding = Table(
    "petition_embedding",
    metadata,
    make_petition_key(),
    Column("encoder", Key, primary_key=True, comment="name of the weights and their hash"),
    Column("embedding", VECTOR(), nullable=False, comment="unit length; the width is the encoder's"),
    _content_hash(),
    comment="One row is one petition as one encoder sees it.",
)

petition_score = Table(
    "petition_score",
    metadata,
    make_petition_key(),
    Column("encoder", Key, primary_key=True, comment="name of the weights and their hash"),
    Column("score", Text, primary_key=True),
    Column("model_id", Key, primary_key=True, server_default="", comment=_FIT_OF_SCORE),
    Column("value", Double, nullable=False),
    _content_hash(),
    CheckConstraint("(score = 'topic_similarity') = (model_id <> '')", name="model_id"),
    CheckConstraint(f"score ~ '^{NAME_PATTERN}$'", name="score"),
    comment="One row is one score of one petition by one encoder.",
)

petition_keyword = Table(
    "petition_keyword",
    metadata,
    make_petition_key(),
    Column("encoder", Key, primary_key=True, comment="name of the weights and their hash"),
    Column("rank", Integer, primary_key=True, comment="from 1"),
    Column("word", Text, nullable=False),
    Column("weight", Double, nullable=False, comment=_WEIGHT_OF_KEYWORD),
    _content_hash(),
    Column("extractor", Text, nullable=False, comment=_EXTRACTOR),
    CheckConstraint("rank >= 1", name="rank"),
    check_share("weight"),
    comment="One row is one noun or compound that a petition is about, by frequency, rarity, place and masked words.",
)

petition_mentions = Table(
    "petition_mentions",
    metadata,
    make_petition_key(),
    _content_hash(),
    Column("lists", Text, nullable=False, comment="hash of what the lists addressee and region held"),
    Column(
        "mentions",
        JSONB,
        nullable=False,
        comment='[{"list": "region", "name": "서울", "n_mentions": 2, "is_in_title": true}, ...]; may be empty',
    ),
    comment="One row is whom of the list addressee, and which of the list region, one petition names.",
)

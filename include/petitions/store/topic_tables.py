"""The tables of a fit of topics: the model, its topics and their terms, what became of them, and their shares."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from petitions.store.tables import (
    SCHEMA,
    At,
    Key,
    check_not_negative,
    check_one_of,
    check_share,
    check_source,
    make_petition_key,
    metadata,
)

EVENT_KINDS = ("born", "died", "split", "merged", "continued")
_CHANGED = "of the petitions in both windows, those that have another main topic than in the fit before; null: none"
_NOTE = "what readers should know, such as why there are fewer topics than asked for"
_CURVE = 'where PETITIONS_TOPICS is auto, what it chose from: [{"n_topics": 9, "npmi": 0.1, "stability": 0.8}, ...]'
_MIXTURE = "mean over all petitions of the fit of how much of each is the topic; the topics sum to 1"
_OVERLAP = "of petitions in both windows with either as main topic, those with both; null: too few, or not two topics"


def _topic_link() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["model_id", "topic_id"], [f"{SCHEMA}.topic.model_id", f"{SCHEMA}.topic.topic_id"])


_FROM_FIT = "null when born, and where that fit was pruned"

topic_model = Table(
    "topic_model",
    metadata,
    Column("model_id", Key, primary_key=True, comment="made from window, corpus, engine, seed and settings"),
    Column("run_id", Key, ForeignKey(f"{SCHEMA}.pipeline_run.run_id"), nullable=False),
    Column("source", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False, comment="first day after the window"),
    Column("engine", Text, nullable=False, comment="name and version of what fitted"),
    Column("tokenizer", Text, nullable=False, comment="petition_tokens.tokenizer of the corpus"),
    Column("seed", Integer, nullable=False),
    Column("n_topics", Integer, nullable=False),
    Column("n_petitions", Integer, nullable=False, comment="documents of the corpus"),
    Column("n_terms", Integer, nullable=False, comment="size of the dictionary"),
    Column("npmi", Double, nullable=False, comment="coherence, mean of the topics; -1 to 1"),
    Column("c_v", Double, nullable=False, comment="coherence, mean of the topics; 0 to 1"),
    Column("diversity", Double, nullable=False, comment="distinct words among the top terms of all topics"),
    Column("stability", Double, comment="agreement of fits from other seeds; null where not measured"),
    Column("changed_share", Double, comment=_CHANGED),
    Column("note", Text, comment=_NOTE),
    Column("curve", JSONB(none_as_null=True), comment=_CURVE),
    Column("artifact", Text, nullable=False, comment="folder of the whole fit in the artifact store"),
    Column("fitted_at", At, nullable=False),
    Column("published_at", At, comment="null until published; the greatest of a source is what readers see"),
    Column("encoders", ARRAY(Text), comment="whose vectors and scores the views show; the first one is searched"),
    CheckConstraint("since < until", name="until"),
    CheckConstraint("(published_at IS NULL) = (encoders IS NULL)", name="encoders"),
    check_source(),
    check_share("diversity"),
    check_share("stability"),
    check_share("changed_share"),
    *(check_not_negative(name) for name in ("n_topics", "n_petitions", "n_terms")),
    Index(None, "source", "published_at"),
    comment="One row is one fit of the topics of a window.",
)

topic = Table(
    "topic",
    metadata,
    Column("model_id", Key, ForeignKey(f"{SCHEMA}.topic_model.model_id"), primary_key=True),
    Column("topic_id", Integer, primary_key=True, comment="from 1; the same topic keeps it from fit to fit"),
    Column("label", Text, nullable=False),
    Column("mixture_share", Double, nullable=False, comment=_MIXTURE),
    Column("npmi", Double, comment="coherence; null where its terms never meet"),
    Column("top_terms", ARRAY(Text), nullable=False, comment="most relevant first"),
    CheckConstraint("topic_id >= 1", name="topic_id"),
    check_share("mixture_share"),
    comment="One row is one topic of one fit.",
)

topic_term = Table(
    "topic_term",
    metadata,
    Column("model_id", Key, primary_key=True),
    Column("topic_id", Integer, primary_key=True),
    Column("rank", Integer, primary_key=True, comment="from 1, by relevance"),
    Column("term", Text, nullable=False),
    Column("probability", Double, nullable=False, comment="of the term within the topic"),
    Column("relevance", Double, nullable=False, comment="of Sievert and Shirley 2014; a logarithm"),
    _topic_link(),
    CheckConstraint("rank >= 1", name="rank"),
    check_share("probability"),
    comment="One row is one of the top terms of a topic; the whole topic-word matrix is in the artifact.",
)

topic_event = Table(
    "topic_event",
    metadata,
    Column("event_id", Key, primary_key=True, comment="SHA-256 of fit, kind, topic and what it came from"),
    Column("model_id", Key, ForeignKey(f"{SCHEMA}.topic_model.model_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic_id", Integer, comment="in this fit; null when the topic died"),
    Column("from_model_id", Key, ForeignKey(f"{SCHEMA}.topic_model.model_id"), comment=_FROM_FIT),
    Column("from_topic_id", Integer, comment="in the fit before; null when born"),
    Column("distance", Double, comment="Jensen-Shannon distance of the two topics, 0 to 1; null when born or died"),
    Column("overlap", Double, comment=_OVERLAP),
    _topic_link(),
    ForeignKeyConstraint(["from_model_id", "from_topic_id"], [topic.c.model_id, topic.c.topic_id]),
    check_one_of("kind", EVENT_KINDS),
    check_share("overlap"),
    Index(None, "model_id"),
    comment="One row is what became of a topic from one fit to the next.",
)

petition_topic = Table(
    "petition_topic",
    metadata,
    Column("model_id", Key, primary_key=True),
    make_petition_key(),
    Column("topic_id", Integer, primary_key=True),
    Column("share", Double, nullable=False, comment="of the topic in the petition; a petition's shares sum to 1"),
    Column(
        "is_main",
        Boolean,
        nullable=False,
        comment="it has the largest share of the petition; of equal ones the lowest topic_id",
    ),
    Column(
        "is_borne",
        Boolean,
        comment="whether the petition holds enough of its terms; null but for the main topic, and in older fits",
    ),
    _topic_link(),
    Index(
        "petition_topic_main_idx",
        "model_id",
        "petition_id",
        postgresql_include=["topic_id", "share", "is_borne"],
        postgresql_where=text("is_main"),
    ),
    check_share("share"),
    comment="One row is the share of one topic in one petition, by one fit.",
)

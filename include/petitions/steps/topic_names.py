"""The labels of a fit's topics, from the titles in the store: the glue between tagger, labels and tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from petitions.records import PetitionText
from petitions.store.petitions import read_texts_of
from petitions.text.tokenizer import Tokenizer, get_tokenizer
from petitions.topics.labels import Embed, Evidence, choose_evidence, keep_labels, label_topics
from petitions.topics.lda import TopicFit
from petitions.topics.phrases import find_phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The label of a topic, and the terms that the topic had when it got that label."""

    label: str
    terms: list[str]


def name_topics(
    conn: Connection,
    fit: TopicFit,
    petition_ids: Sequence[str],
    topic_ids: Sequence[int],
    old: Mapping[int, Name],
    embed: Embed | None,
) -> list[Name]:
    """Name the topics of a fit; one that lasts keeps its name while its terms are those that it was given for.

    Args:
        conn: in a transaction that sees the petitions of the fit.
        fit: K topics in N petitions.
        petition_ids: [N].
        topic_ids: [K], the lasting ids.
        old: the names in the published fit by topic_id.
        embed: see `label_topics`.
    """
    terms = [[item.term for item in topic] for topic in fit.top_terms]
    kept = keep_labels(topic_ids, terms, {topic_id: (name.label, name.terms) for topic_id, name in old.items()})
    if len(kept) == len(topic_ids):
        return [old[topic_id] for topic_id in topic_ids]
    rows = choose_evidence(fit.document_topic)
    texts = {text.petition_id: text for text in read_texts_of(conn, [petition_ids[row] for row in rows])}
    tokenizer, known = get_tokenizer(), frozenset(fit.terms)
    evidence = [
        _read_evidence(tokenizer, known, texts[petition_ids[row]], fit, row)
        for row in rows
        if petition_ids[row] in texts
    ]
    labels = label_topics(terms, evidence, kept, embed)
    return [
        old[topic_ids[row]] if row in kept else Name(label=label, terms=terms[row]) for row, label in enumerate(labels)
    ]


def _read_evidence(
    tokenizer: Tokenizer, known: Collection[str], text: PetitionText, fit: TopicFit, row: int
) -> Evidence:
    return Evidence(
        shares=fit.document_topic[row],
        title=text.title,
        title_phrases=find_phrases(tokenizer.tag_compounds(text.title), known),
        body_phrases=find_phrases(tokenizer.tag_compounds(text.below_title), known),
    )

"""The terms of topics and the phrases of their best petitions come in; a short Korean label for each goes out.

A label is a broad word of the topic and a phrase that sets it apart, as in 병원과 의료사고; both stand in titles.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from petitions.topics.phrases import Phrase

Embed = Callable[[Sequence[str]], NDArray[np.float32]]  # n texts to [n, D]

MAX_LETTERS = 20  # of a label
MIN_PETITIONS = 4  # that hold a phrase, so that no label is the words of one person
MIN_COVERAGE = 0.2  # of a topic's petitions that hold a phrase: 고용안정지원금 stood in a hundredth of those it named
PETITIONS_PER_TOPIC = 100  # that phrases are taken from: 200 cost twice the time for labels no better
SHARED = 0.5  # of the coverage that a term has elsewhere, to stand beside a word that would be a label alone
TERMS_COMPARED = 10
MIN_TERMS_SHARED = 5  # of TERMS_COMPARED, for a label to stay
TIE = 0.9  # of the best score: what is this near to it is as good
TITLES_EMBEDDED = 20  # of a topic; their mean says which of equal phrases is nearest
MOSTLY = 0.4  # of the uses of a word are in a longer phrase: the phrase is the better name (해산, 정당해산)
# Powers and factors below were chosen by reading the labels of the Blue House's 2019-06 to 08.
TITLE_POWER = 0.3
COVERAGE_POWER = 0.35  # of the second part, which may be rarer than the first
WEAK = 0.25  # of the first part's score as a second part: what is below says little (일본과 세계), a term says more
COMPOUND_FACTOR = 3.0  # of a phrase of two nouns or more: it says more than a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A petition that speaks for a topic: its shares of all K topics, its title, and the phrases of title and body."""

    shares: NDArray[np.floating]  # [K]
    title: str
    title_phrases: Sequence[Phrase]
    body_phrases: Sequence[Phrase]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A phrase under the topic that it covers most."""

    text: str
    key: str
    words: tuple[str, ...]
    coverage: float  # share of the topic's petitions that hold it
    as_first: float  # scores
    as_second: float


def choose_evidence(document_topic: NDArray[np.floating]) -> list[int]:
    """The rows of the petitions with the highest shares, `PETITIONS_PER_TOPIC` of each topic, in their order.

    Args:
        document_topic: [N, K].
    """
    best = np.argsort(-document_topic, axis=0, kind="stable")[:PETITIONS_PER_TOPIC]  # [n, K]
    return sorted(set(best.ravel().tolist()))


def keep_labels(
    topic_ids: Sequence[int],
    top_terms: Sequence[Sequence[str]],
    old: Mapping[int, tuple[str, Sequence[str]]],
) -> dict[int, str]:
    """The labels that stay: those of lasting topics whose terms are still what the label was chosen for.

    Args:
        topic_ids: [K], the lasting ids.
        top_terms: K lists of terms, best first.
        old: of a topic_id, its label and the terms of the topic when it got that label.

    Returns:
        Labels by the row of their topic, where at least `MIN_TERMS_SHARED` of the first `TERMS_COMPARED` terms are
        shared.
    """
    kept: dict[int, str] = {}
    for row, (topic_id, terms) in enumerate(zip(topic_ids, top_terms, strict=True)):
        label, old_terms = old.get(topic_id, ("", ()))
        if len(set(terms[:TERMS_COMPARED]) & set(old_terms[:TERMS_COMPARED])) >= MIN_TERMS_SHARED:
            kept[row] = label
    return kept


def label_topics(
    top_terms: Sequence[Sequence[str]],
    evidence: Sequence[Evidence] = (),
    kept: Mapping[int, str] | None = None,
    embed: Embed | None = None,
) -> list[str]:
    """Name each topic by two phrases of its best petitions' titles, no two labels alike or within each other.

    A phrase counts for the topic that it covers most, at least `MIN_COVERAGE` of it. It is scored by relevance (the
    ranks of its words among the topic's terms), coverage (the share of the topic's petitions that hold it),
    distinctness (coverage here over that in all topics) and the number of titles; a noun that is mostly a verb
    (폐지하다) counts less.

    Args:
        top_terms: K lists of terms, best first.
        evidence: the petitions that `choose_evidence` chose; without any, all topics are named by their terms.
        kept: labels that stay, by row, as `keep_labels` gives them.
        embed: tells which of nearly equal phrases is nearest to the topic's best titles; the best score without it.

    Returns:
        K labels of at most `MAX_LETTERS` letters. Beside a phrase that has no good second one stands the best term that
        enough petitions hold; a topic without any phrase is named by its terms: 버스·노선.
    """
    kept = kept or {}
    candidates = _score_phrases(top_terms, evidence)
    labels = dict(kept)
    taken = [label.replace(" ", "") for label in kept.values()]
    alone: dict[int, str] = {}
    for row, terms in enumerate(top_terms):
        if row in kept:
            continue
        free = [item for item in candidates[row] if _is_apart(item.key, taken)]
        parts = _choose_parts(free, _tie_breaker(row, evidence, embed))
        words = [item.text for item in parts] or _choose_terms(terms, taken)
        if len(parts) == 1:
            words += _choose_borne_term(terms, row, evidence, [*taken, parts[0].key])
            if len(words) == 1 and len(parts[0].words) == 1:
                alone[row] = words[0]
        label = _join(words)
        same = sum(label == other or other.startswith(f"{label} (") for other in labels.values())
        labels[row] = f"{label} ({same + 1})" if same else label
        taken += [word.replace(" ", "") for word in words]
    for row, word in alone.items():  # when all are named: 주민과 아파트 says more than 주민, but names no other topic
        term = _choose_borne_term(top_terms[row], row, evidence, [*taken, word], SHARED)
        labels[row] = _join([word, *term]) if term else labels[row]
        taken += term
    return [labels[row] for row in range(len(top_terms))]


def _score_phrases(top_terms: Sequence[Sequence[str]], evidence: Sequence[Evidence]) -> list[list[_Candidate]]:
    """The phrases of each topic that stand in a title and in enough petitions."""
    rank = [{term: 1 - i / len(terms) for i, term in enumerate(terms)} for terms in top_terms]
    shares = np.array([item.shares for item in evidence], dtype=np.float64).reshape(len(evidence), len(top_terms))
    total = np.maximum(shares.sum(axis=0), 1e-12)  # [K]
    candidates: list[list[_Candidate]] = [[] for _ in top_terms]
    for n_titles, rows, uses in _collect(evidence):
        spelling = Counter(use.text for use in uses).most_common(1)[0][0]
        words = uses[0].words
        coverage = shares[rows].sum(axis=0) / total  # [K]
        k = int(coverage.argmax())
        relevance = float(np.mean([rank[k].get(word, 0) for word in words]))
        if relevance == 0 or coverage[k] < MIN_COVERAGE:
            continue
        weight = float(coverage[k] / coverage.sum()) * n_titles**TITLE_POWER
        if len(words) == 1:
            weight *= 1 - sum(use.is_verb for use in uses) / len(uses)
        is_plain = spelling.upper() == words[0]  # 교육, not 교육권
        candidates[k].append(
            _Candidate(
                text=spelling,
                key=uses[0].key,
                words=words,
                coverage=float(coverage[k]),
                as_first=weight * float(coverage[k]) * relevance * is_plain,
                as_second=weight
                * float(coverage[k]) ** COVERAGE_POWER
                * relevance**0.5
                * (COMPOUND_FACTOR if len(words) > 1 else 1),
            )
        )
    return candidates


def _collect(evidence: Sequence[Evidence]) -> Iterator[tuple[int, list[int], list[Phrase]]]:
    """For each phrase its number of titles, the rows of the petitions that hold it, and its uses."""
    titles: Counter[str] = Counter()
    uses: dict[str, list[Phrase]] = {}
    rows: dict[str, list[int]] = {}
    for row, item in enumerate(evidence):
        in_title = {phrase.key for phrase in item.title_phrases}
        titles.update(in_title)
        for phrase in (*item.title_phrases, *item.body_phrases):
            uses.setdefault(phrase.key, []).append(phrase)
        for key in dict.fromkeys(phrase.key for phrase in (*item.title_phrases, *item.body_phrases)):
            rows.setdefault(key, []).append(row)
    for key, n_titles in sorted(titles.items()):
        if len(rows[key]) >= MIN_PETITIONS:
            yield n_titles, rows[key], uses[key]


def _choose_parts(
    candidates: Sequence[_Candidate], nearest: Callable[[Sequence[_Candidate]], _Candidate]
) -> list[_Candidate]:
    """The broad word, or the phrase that it mostly stands in, and the best phrase beside it."""
    if not candidates:
        return []
    word = max(candidates, key=lambda item: item.as_first)
    longer = [
        item
        for item in candidates
        if len(item.words) > 1 and set(word.words) < set(item.words) and item.coverage >= MOSTLY * word.coverage
    ]
    first = max(longer, key=lambda item: item.as_second, default=word)
    beside = [
        item
        for item in candidates
        if _is_apart(item.key, [first.key, word.key])
        and not {noun[:2] for noun in item.words} & {noun[:2] for noun in first.words}  # 경찰, 경찰서
        and len(_join([first.text, item.text])) <= MAX_LETTERS
    ]
    best = max((item.as_second for item in beside), default=0.0)
    if best < WEAK * first.as_second:
        return [first]
    return [first, nearest([item for item in beside if item.as_second >= TIE * best])]


def _tie_breaker(
    row: int, evidence: Sequence[Evidence], embed: Embed | None
) -> Callable[[Sequence[_Candidate]], _Candidate]:
    """Choose among nearly equal phrases: the nearest to the mean of the topic's best titles, or the best score."""

    def choose(ties: Sequence[_Candidate]) -> _Candidate:
        ranked = sorted(ties, key=lambda item: -item.as_second)
        if embed is None or len(ranked) == 1:
            return ranked[0]
        best = sorted(evidence, key=lambda item: -item.shares[row])[:TITLES_EMBEDDED]
        vectors = embed([*(item.text for item in ranked), *(item.title for item in best)])  # [n, D]
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        nearness = vectors[: len(ranked)] @ vectors[len(ranked) :].mean(axis=0)  # [ties]
        return ranked[int(nearness.argmax())]

    return choose


def _is_apart(key: str, taken: Sequence[str]) -> bool:
    return not any(key.lower() in other.lower() or other.lower() in key.lower() for other in taken)


def _choose_terms(terms: Sequence[str], taken: Sequence[str]) -> list[str]:
    """The first terms that are in no other label and not within each other; without such, the first ones."""
    chosen: list[str] = []
    for term in terms:
        if len(chosen) < 3 and _is_apart(term, [*taken, *chosen]) and len(_join([*chosen, term])) <= MAX_LETTERS:
            chosen.append(term)
    return chosen or list(terms[:3])


def _choose_borne_term(
    terms: Sequence[str], row: int, evidence: Sequence[Evidence], taken: Sequence[str], share: float = 1.0
) -> list[str]:
    """The best term that is in no label, that enough of the topic's petitions hold, and no other topic's more.

    With a share below 1 other topics' petitions may hold it more, as long as this one's do so by that share of theirs.
    """
    held = [{word for use in (*item.title_phrases, *item.body_phrases) for word in use.words} for item in evidence]
    shares = np.array([item.shares for item in evidence], dtype=np.float64)  # [n, K]
    for term in terms:
        if not _is_apart(term, taken) or term[:2] == taken[-1][:2] or len(_join([taken[-1], term])) > MAX_LETTERS:
            continue
        rows = [place for place, words in enumerate(held) if term in words]
        coverage = shares[rows].sum(axis=0) / np.maximum(shares.sum(axis=0), 1e-12)  # [K]
        if len(rows) >= MIN_PETITIONS and coverage[row] >= max(MIN_COVERAGE, share * float(coverage.max())):
            return [term]
    return []


def _join(words: Sequence[str]) -> str:
    """Two phrases by 과 after a final consonant and 와 after a vowel (KS X 1001 order); others by a dot."""
    last = ord(words[0][-1]) - ord("가") if words else -1
    if len(words) != 2 or not 0 <= last <= ord("힣") - ord("가"):
        return "·".join(words)
    return f"{words[0]}{'과' if last % 28 else '와'} {words[1]}"

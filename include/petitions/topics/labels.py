"""The top terms of topics come in; a short label for each goes out, no two alike."""

from collections import Counter
from collections.abc import Sequence

TERMS_IN_LABEL = 3
SEPARATOR = " · "


def label_topics(top_terms: Sequence[Sequence[str]]) -> list[str]:
    """Join the first terms of each topic that no other topic has among its own; the rest fills up.

    Args:
        top_terms: K lists of terms, best first.

    Returns:
        K labels such as "버스 · 지하철 · 노선". A term that is part of one already taken (경찰, 경찰서) is passed over
        while there are others. Topics with the very same terms are told apart by a number.
    """
    n_topics_with = Counter(term for topic in top_terms for term in set(topic))
    labels: list[str] = []
    for topic in top_terms:
        own_first = sorted(topic, key=lambda term: n_topics_with[term] > 1)  # stable: the best stay first
        label = SEPARATOR.join(_choose_terms(own_first))
        same = sum(label == other or other.startswith(f"{label} (") for other in labels)
        labels.append(f"{label} ({same + 1})" if same else label)
    return labels


def _choose_terms(terms: Sequence[str]) -> list[str]:
    chosen: list[str] = []
    for term in terms:
        if len(chosen) < TERMS_IN_LABEL and not any(term in other or other in term for other in chosen):
            chosen.append(term)
    return chosen + [term for term in terms if term not in chosen][: TERMS_IN_LABEL - len(chosen)]

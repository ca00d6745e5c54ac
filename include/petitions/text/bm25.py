"""The words of a title and of what stands below it come in; how much each word says of the petition goes out.

BM25F (Robertson, Zaragoza, Taylor 2004): a word is counted in each field by its length, the fields are added by their
weights, and the sum is bent once. The mean lengths are constants, measured over the Blue House petitions of 2019-04 to
2019-08: so the weight of a word depends on its text alone, and no petition must be weighed again for another one. How
rare a word is comes in when it is asked for.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

K1 = 1.2
MOST = K1 + 1  # no word weighs as much
TITLE_WEIGHT, BODY_WEIGHT = 3.0, 1.0
TITLE_B, BODY_B = 0.5, 0.75
TITLE_LENGTH, BODY_LENGTH = 10.0, 370.0  # words of search, which count a compound and its parts


def weigh_words(
    title: Sequence[str],
    body: Sequence[str],
    title_length: float = TITLE_LENGTH,
    body_length: float = BODY_LENGTH,
) -> dict[str, float]:
    """Weigh the words of a petition, more than 0 and less than MOST each; without words the answer is empty.

    Args:
        title: its words, repeats kept.
        body: the words of what stands below the title.
        title_length: the mean number of words of a title.
        body_length: the same of a body.
    """
    counts: Counter[str] = Counter()
    _add(counts, title, TITLE_WEIGHT, TITLE_B, title_length)
    _add(counts, body, BODY_WEIGHT, BODY_B, body_length)
    found: Mapping[str, float] = counts
    return {word: count * MOST / (K1 + count) for word, count in found.items()}


def _add(counts: Counter[str], words: Sequence[str], weight: float, b: float, mean_length: float) -> None:
    share = weight / (1 - b + b * len(words) / mean_length)
    for word, n in Counter(words).items():
        counts[word] += n * share  # type: ignore[assignment]  # a Counter of floats

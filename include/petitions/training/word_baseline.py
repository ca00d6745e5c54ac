"""What plain words reach: TF-IDF with logistic regression, and with cosines, over the texts that BERT is judged by."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer

from petitions.training.judge import Logits, Truth, decide, fit_logistic

STRENGTHS = (1.0, 10.0, 100.0)
Morphemes = Callable[[str], list[str]]


class WordBaseline:
    """Holds the counts of the texts to train on."""

    def __init__(self, morphemes: Morphemes, train: Sequence[str]) -> None:
        self.counts = TfidfVectorizer(analyzer=morphemes, min_df=2, sublinear_tf=True)
        self.train = self.counts.fit_transform(train)  # [N, W]

    def classify(self, truth: Truth, stop: tuple[Sequence[str], Truth], test: Sequence[str]) -> tuple[Logits, Logits]:
        """Logits [N, L] of the texts to stop by and to test on; what was strongest on the first was taken."""
        stopped = self.counts.transform(stop[0])
        model, _ = fit_logistic((self.train, truth), (stopped, stop[1]), STRENGTHS)
        return decide(model, stopped), decide(model, self.counts.transform(test))

    def compare(self, firsts: Sequence[str], seconds: Sequence[str]) -> npt.NDArray[np.float64]:
        """Cosines of all firsts with all seconds [N, N]."""
        return np.asarray((self.counts.transform(firsts) @ self.counts.transform(seconds).T).todense())

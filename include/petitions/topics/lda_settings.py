"""All that decides a fit besides its documents; without gensim, so that a stored fit is found by its name alone."""

from dataclasses import dataclass

from petitions.errors import ConfigError

RULES = 4  # raise it when the code gives other topics for the same documents and settings
MIN_DOCUMENTS_PER_TOPIC = 10
RANGES = {
    "n_topics": (2, 200),
    "random_seed": (0, 2**32 - 1),
    "no_above": (1e-6, 1),
    "relevance_weight": (0, 1),
    "support_weight": (0, 100),
    "prior_share": (0, 100),
    "alpha": (1e-6, 100),
    "eta": (1e-6, 100),
    **dict.fromkeys(
        (
            "no_below",
            "max_repeats",
            "nmf_updates",
            "warm_updates",
            "burn_in",
            "warm_burn_in",
            "n_samples",
            "sample_every",
        ),
        (1, 10_000),
    ),
    "max_terms": (1, 1_000_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LdaSettings:
    """All that decides a fit besides its documents. The defaults were chosen on the Blue House's 2019-06 to 08."""

    n_topics: int = 9
    random_seed: int = 0
    no_below: int = 10
    no_above: float = 0.9  # 코로나 stands in 51 % of the petitions of early 2020, and is what three topics are about
    max_repeats: int = 3
    max_terms: int = 30_000
    nmf_updates: int = 100
    warm_updates: int = 20  # of topics that begin at the published fit's: more wander off to other ones
    prior_share: float = 1.0  # pseudo-counts at the topics of NMF, as a share of the tokens
    alpha: float = 0.1  # of each topic at the beginning; fitted while sampling
    eta: float = 0.2  # pseudo-count of each term in each topic besides
    burn_in: int = 300  # iterations before the first sample
    warm_burn_in: int = 100  # of topics that begin at the published fit's: as good as 300 (docs/topics.md)
    n_samples: int = 11  # whose mean is the fit
    sample_every: int = 10
    relevance_weight: float = 0.6  # lambda of Sievert and Shirley, by which the terms of a topic are ranked
    support_weight: float = 4.0  # of their NPMI with the topic's best terms, beside the relevance
    max_sampled_tokens: int = 25_000_000  # beyond, a sampler would need more than about 2 GB

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name} must be {least} to {most}, got {getattr(self, name)}")

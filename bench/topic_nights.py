"""Ninety nights of refits over real petitions: which topics keep their id, what becomes of the others, at what quality.

  PYTHONPATH=include python bench/topic_nights.py [bluehouse] [assembly] [--nights 90] [--cold] [--plot FILE.svg]

Needs ../shared. The window of three months slides by a day and ends with the data's last day. Each night is refitted
from the topics of the night before, passes the gate and is aligned with them, as in fit_lasting; with --cold it begins
anew, without the gate. The last window is fitted cold as well, to show what ninety nights cost. Prints Markdown.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import matplotlib
import numpy as np
from matplotlib import pyplot
from topic_quality import SHARED

from petitions.records import Window
from petitions.sources.lines import read_lines
from petitions.text.normalize import normalize_text
from petitions.text.tokenizer import tokenize_many
from petitions.topics.alignment import BEST_TERMS, NO_TOPICS, Topics, align_topics, assign_topic_ids, compare_topics
from petitions.topics.events import tell_events
from petitions.topics.gate import Quality, find_faults
from petitions.topics.lda import Start, TopicFit, fit_topics
from petitions.topics.lda_settings import LdaSettings
from petitions.topics.refit import MOST_TURNOVER, refit_topics

LAST_DAYS = {"bluehouse": date(2019, 8, 31), "assembly": date(2024, 6, 28)}  # first day after the data
KINDS = ("continued", "born", "died", "split", "merged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Petition:
    """What a fit needs of a petition."""

    petition_id: str
    begins_on: date
    tokens: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A fit, under lasting ids, and how it goes on from the night before."""

    until: date
    petition_ids: list[str]
    fit: TopicFit
    topic_ids: list[int]
    kinds: Counter[str]
    n_shared: list[int]  # of the best terms, of each topic that kept its id
    moved_share: float  # of the petitions of both nights: main topic under another id
    seconds: float = 0.0  # of all the fits that the night took
    turnover: float = 0.0  # since a fit was made anew; 0 where that was tonight

    @property
    def shares(self) -> dict[int, float]:
        """The mean share of each topic."""
        return dict(zip(self.topic_ids, self.fit.document_topic.mean(axis=0).tolist(), strict=True))


def read_petitions(source: str) -> list[Petition]:
    paths = sorted((SHARED / "data" / source).glob("*.jsonl"))
    rows = [json.loads(line) for path in paths for line in read_lines(path)]
    rows.sort(key=lambda row: str(row["id"]))
    documents = tokenize_many([normalize_text(f"{row['title']}\n{row['content']}").text for row in rows])
    return [
        Petition(petition_id=str(row["id"]), begins_on=date.fromisoformat(row["begin"]), tokens=tokens)
        for row, tokens in zip(rows, documents, strict=True)
    ]


def take_topics(fit: TopicFit) -> Topics:
    words = [[item.term for item in terms] for terms in fit.top_terms]
    return Topics(topic_word=fit.topic_word, terms=fit.terms, top_terms=words)


def take_shares(before: Night, petition_ids: Sequence[str]) -> np.ndarray:
    """The shares of last night in tonight's petitions; zeros for the new ones."""
    row_of = {petition_id: row for row, petition_id in enumerate(before.petition_ids)}
    shares = np.zeros((len(petition_ids), len(before.topic_ids)), np.float32)
    for row, petition_id in enumerate(petition_ids):
        if petition_id in row_of:
            shares[row] = before.fit.document_topic[row_of[petition_id]]
    return shares


def fit_night(
    window: list[Petition], until: date, before: Night | None, highest_id: int, *, is_cold: bool
) -> Night | None:
    """The first fit that may be published after the one before, as in fit_lasting; None: the last one stays."""
    documents = [petition.tokens for petition in window]
    begin = time.perf_counter()
    if before is None or is_cold:
        night = align_night(fit_topics(documents, LdaSettings()), window, until, before, highest_id)
        return replace(night, seconds=time.perf_counter() - begin)
    start = Start(topic_word=before.fit.topic_word, terms=before.fit.terms)
    turnover = before.turnover + measure_turnover(set(before.petition_ids), {item.petition_id for item in window})
    trusted = before.fit.npmi if turnover <= MOST_TURNOVER else None
    for refit in refit_topics(documents, LdaSettings(), start, trusted_npmi=trusted):
        fit = refit.fit
        night = align_night(fit, window, until, before, highest_id)
        is_measured = len(fit.topic_word) == len(before.fit.topic_word)
        if not is_measured or not find_faults(take_quality(fit), take_quality(before.fit), night.moved_share):
            seconds = time.perf_counter() - begin
            return replace(night, seconds=seconds, turnover=0.0 if refit.is_compared else turnover)
    return None


def measure_turnover(before: set[str], now: set[str]) -> float:
    """The share of petitions that came, or that went, as in lasting_ids."""
    return max(len(now - before) / len(now), len(before - now) / len(before))


def take_quality(fit: TopicFit) -> Quality:
    return Quality(npmi=fit.npmi, diversity=fit.diversity)


def align_night(fit: TopicFit, window: list[Petition], until: date, before: Night | None, highest_id: int) -> Night:
    petition_ids = [petition.petition_id for petition in window]
    old = NO_TOPICS if before is None else take_topics(before.fit)
    old_shares = np.zeros((len(window), 0)) if before is None else take_shares(before, petition_ids)
    comparison = compare_topics(take_topics(fit), old, fit.document_topic, old_shares)
    alignments = align_topics(comparison)
    kept = [(item.new, item.old) for item in alignments if item.old is not None]
    n_common = np.zeros((0, 0)) if comparison.n_common is None else comparison.n_common
    stayed = sum(n_common[pair] for pair in kept) if n_common.any() else 0
    return Night(
        until=until,
        petition_ids=petition_ids,
        fit=fit,
        topic_ids=assign_topic_ids(alignments, before.topic_ids if before else [], highest_id),
        kinds=Counter(event.kind for event in tell_events(alignments, comparison)),
        n_shared=[int(comparison.n_shared[pair]) for pair in kept],
        moved_share=1 - float(stayed / n_common.sum()) if n_common.any() else 0.0,
    )


def simulate(petitions: list[Petition], last_day: date, n_nights: int, *, is_cold: bool) -> list[Night]:
    """The nights that published a fit."""
    nights: list[Night] = []
    for until in (last_day - timedelta(days=ago) for ago in reversed(range(n_nights))):
        window = Window.ending(until)
        inside = [petition for petition in petitions if petition.begins_on in window]
        highest_id = max((topic_id for night in nights for topic_id in night.topic_ids), default=0)
        before = nights[-1] if nights else None
        night = fit_night(inside, until, before, highest_id, is_cold=is_cold)
        nights += [night] if night else []
    return nights


def tell(source: str, nights: list[Night], n_nights: int, cold: TopicFit) -> None:
    later, last = nights[1:], nights[-1]
    n_topics = sum(len(night.topic_ids) for night in later)
    shared = [n for night in later for n in night.n_shared]
    moved = [night.moved_share for night in later]
    kinds = sum((night.kinds for night in later), Counter())
    lasting = set.intersection(*(set(night.topic_ids) for night in nights))
    sizes = [len(night.petition_ids) for night in nights]
    print(f"\n**{source}**, {n_nights} nights to {last.until}, {min(sizes)} to {max(sizes)} petitions a window\n")
    print(f"- nights whose fit the gate refused, so that the last one stayed: {n_nights - len(nights)}")
    print(f"- topics that kept their id: {kinds['continued']} of {n_topics}, {kinds['continued'] / n_topics:.2%}")
    print(f"- their shared terms of {BEST_TERMS}: least {min(shared)}, mean {np.mean(shared):.2f}")
    print(f"- topics there on every night: {len(lasting)} of {len(nights[0].topic_ids)}")
    print("- events: " + ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS))
    print(f"- petitions whose topic changed: median {np.median(moved):.1%}, most {max(moved):.1%} a night")
    for name, values in (("NPMI", [n.fit.npmi for n in nights]), ("diversity", [n.fit.diversity for n in nights])):
        print(f"- {name}: first {values[0]:.4f}, mean {np.mean(values):.4f}, last {values[-1]:.4f}", end="")
        print(f"; greatest fall in a night {-min(np.diff(values)):.4f}", end="")
        print(f"; cold on the last window {cold.npmi if name == 'NPMI' else cold.diversity:.4f}")
    print(f"- nights of which a fit was made anew: {sum(night.turnover == 0 for night in later)}")
    print(f"- seconds a night: {np.mean([night.seconds for night in nights]):.1f}\n")
    print("| topic | terms on the first night | terms on the last night |\n|---|---|---|")
    first_terms, last_terms = (dict(zip(n.topic_ids, words(n.fit), strict=True)) for n in (nights[0], last))
    for topic_id in sorted({*first_terms, *last_terms}):
        print(f"| {topic_id} | {first_terms.get(topic_id, '')} | {last_terms.get(topic_id, '')} |")
    print("\nCold on the last window: " + "; ".join(words(cold)), flush=True)


def words(fit: TopicFit) -> list[str]:
    return [" ".join(item.term for item in terms[:BEST_TERMS]) for terms in fit.top_terms]


def draw(simulated: dict[str, list[Night]], path: str) -> None:
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "topic-nights"  # the same plot from the same figures
    matplotlib.rcParams["font.size"] = 8
    figure, axes = pyplot.subplots(
        3, len(simulated), figsize=(5 * len(simulated), 7), sharex="col", squeeze=False, layout="constrained",
        height_ratios=(3, 1, 1),
    )  # fmt: skip
    for (areas, terms, quality), (source, nights) in zip(axes.T, simulated.items(), strict=True):
        days = [night.until for night in nights]
        ids = sorted({topic_id for night in nights for topic_id in night.topic_ids})
        shares = [[night.shares.get(topic_id, 0) for night in nights] for topic_id in ids]
        areas.stackplot(days, shares, labels=[str(topic_id) for topic_id in ids], colors=pyplot.cm.tab20.colors)
        areas.set_title(f"{source}: share of petitions by lasting topic")
        areas.set_ylim(0, 1)
        if len(ids) <= 20:
            areas.legend(loc="upper left", ncols=5, framealpha=0.8)
        terms.plot(days[1:], [np.mean(night.n_shared) for night in nights[1:]], label="mean")
        terms.plot(days[1:], [min(night.n_shared) for night in nights[1:]], label="least of the topics")
        terms.set_ylabel("terms kept of 10")
        terms.set_ylim(0, 10.5)
        terms.legend(loc="lower left")
        quality.plot(days, [night.fit.npmi for night in nights])
        quality.set_ylabel("NPMI")
        quality.tick_params(axis="x", rotation=30)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=list(LAST_DAYS), help="bluehouse, assembly")
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--cold", action="store_true", help="begin every night at nothing")
    parser.add_argument("--plot")
    args = parser.parse_args()
    simulated = {}
    for source in args.sources:
        petitions = read_petitions(source)
        nights = simulate(petitions, LAST_DAYS[source], args.nights, is_cold=args.cold)
        last = Window.ending(LAST_DAYS[source])
        cold = fit_topics([petition.tokens for petition in petitions if petition.begins_on in last], LdaSettings())
        tell(source, nights, args.nights, cold)
        simulated[source] = nights
    if args.plot:
        draw(simulated, args.plot)


if __name__ == "__main__":
    main()

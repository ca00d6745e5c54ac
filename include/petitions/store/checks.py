"""The checks of a run before it is published, from the rules of `check_rules`.

Write, audit, publish: nothing here changes a row. A planned check can be run by whoever has its text and values, in
another process too; the caller stores the result in `check_result` and acts on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from petitions.records import Source, Window
from petitions.store.check_rules import RULES, RULES_BY_ENCODER, RULES_BY_SCORER, UNKNOWN_CODE, Rule
from petitions.store.handling import UnknownCode, read_unknown_codes
from petitions.store.recall import MIN_RECALL, measure_recall

# Its value is found beforehand by `measure_recall`, which asks many times.
RECALL = Rule(name="recall", sql="SELECT CAST(:recall AS float8)", at_least=MIN_RECALL)

Values = Mapping[str, str | float | list[str] | list[float]]
Scores = Mapping[str, Mapping[str, tuple[float, float]]]  # by encoder: its scores, with the range of each


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCheck:
    """A rule of a run: the name of its result, and the values that its query is given (days as YYYY-MM-DD)."""

    name: str
    rule: Rule
    values: Values
    encoder: str = ""  # whose vectors and scores it looks at; empty: the fit alone


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found: the value, the range that it must keep, and whether it does."""

    name: str
    value: float
    limit: str
    passed: bool


def plan_checks(
    conn: Connection,
    source: Source,
    window: Window,
    model_id: str,
    scores: Scores,
    scorers: Sequence[str] = (),
) -> list[PlannedCheck]:
    """List the checks on what a run wrote.

    Args:
        conn: an open connection; only read from, to measure recall.
        source: whose petitions.
        window: the window of the run.
        model_id: the fit that is to be published.
        scores: for each encoder of the run, the scores that it must have given, and the least and most of each.
        scorers: fine-tuned models whose labels every petition must have.

    Returns:
        The checks of an encoder or scorer are named "<rule> <encoder>"; that of recall is there where it has an index.
        "unknown_<kind> <code> <name>" only warns of a code of the site that is not known.
    """
    of_run: Values = {
        "source": str(source), "since": window.since.isoformat(), "until": window.until.isoformat(),
        "model_id": model_id,
    }  # fmt: skip
    planned = [PlannedCheck(name=rule.name, rule=rule, values=of_run) for rule in RULES]
    for encoder, ranges in scores.items():
        least, most = ([limits[place] for limits in ranges.values()] for place in (0, 1))
        values: Values = {**of_run, "encoder": encoder, "scores": list(ranges), "least": least, "most": most}
        rules = {f"{rule.name} {encoder}": rule for rule in RULES_BY_ENCODER}
        planned += [PlannedCheck(name=name, rule=rule, values=values, encoder=encoder) for name, rule in rules.items()]
        recall = measure_recall(conn, encoder)
        if recall is not None:
            values = {"recall": recall}
            planned.append(PlannedCheck(name=f"{RECALL.name} {encoder}", rule=RECALL, values=values, encoder=encoder))
    planned += [_plan_unknown_code(code) for code in read_unknown_codes(conn, source)]
    for scorer in scorers:
        named = {f"{rule.name} {scorer}": rule for rule in RULES_BY_SCORER}
        values = {**of_run, "encoder": scorer}
        planned += [PlannedCheck(name=name, rule=rule, values=values, encoder=scorer) for name, rule in named.items()]
    return planned


def _plan_unknown_code(code: UnknownCode) -> PlannedCheck:
    """A warning of a code of the site that is not known, by its name: how many petitions have it; it stops nothing."""
    rule = Rule(name=f"unknown_{code.kind}", sql=UNKNOWN_CODE, at_least=0)
    values = {"source": code.source, "kind": code.kind, "code": code.code, "code_name": code.name}
    named = " ".join(filter(None, (code.code, code.name))) or "without"
    return PlannedCheck(name=f"{rule.name} {named}", rule=rule, values=values)


def plan_known_item(encoder: str, questions: str, *, fused: float, at_least: float) -> PlannedCheck:
    """The check that words and vectors together, measured beforehand, find a set of known items as words alone do."""
    name = f"known_items_by_{questions.replace(' ', '_')}"
    rule = Rule(name=name, sql="SELECT CAST(:fused AS float8)", at_least=at_least)
    return PlannedCheck(name=f"{name} {encoder}", rule=rule, values={"fused": fused}, encoder=encoder)


def measure(conn: Connection, sql: str, values: Values) -> float:
    """Run the query of a check; NaN without an answer."""
    answer = conn.execute(text(sql), values).scalar_one_or_none()
    return float("nan") if answer is None else float(answer)


def tell_limit(rule: Rule) -> str:
    """The range that a value must keep to, such as "at least 400"."""
    return f"at least {rule.at_least:g}" if rule.at_least is not None else f"at most {rule.at_most or 0.0:g}"


def tell_fault(result: CheckResult) -> str:
    """What a check that did not pass has found."""
    return f"{result.name} is {result.value:g}, must be {result.limit}"


def find_faults(results: Sequence[CheckResult], encoders: Sequence[str]) -> list[str]:
    """Say what speaks against publishing a fit: checks that it must pass, and that failed or were not planned.

    Args:
        results: of that fit, and of these encoders.
        encoders: whose vectors, scores and labels would be shown.
    """
    wanted = [rule.name for rule in RULES]
    known = {item.name for item in results}
    of_labels = [f"{RULES_BY_SCORER[0].name} {encoder}" in known for encoder in encoders]  # what was checked as such
    wanted += [
        f"{rule.name} {encoder}"
        for encoder, is_scorer in zip(encoders, of_labels, strict=True)
        for rule in (RULES_BY_SCORER if is_scorer else RULES_BY_ENCODER)
    ]
    absent = [f"{name} has not been checked" for name in wanted if name not in known]
    return [tell_fault(item) for item in results if not item.passed] + absent


def judge(name: str, rule: Rule, value: float) -> CheckResult:
    """Say whether a value keeps the limit of its rule; NaN does not."""
    passed = value >= rule.at_least if rule.at_least is not None else value <= (rule.at_most or 0.0)
    return CheckResult(name=name, value=value, limit=tell_limit(rule), passed=passed)


def run_check(conn: Connection, planned: PlannedCheck) -> CheckResult:
    """Run one check; a query without an answer has failed, with the value NaN."""
    return judge(planned.name, planned.rule, measure(conn, planned.rule.sql, planned.values))

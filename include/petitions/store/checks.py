"""The checks of a run before it is published: each is one query with one number and the limit it must keep.

Write, audit, publish: nothing here changes a row. `run_checks` gives the results, which the caller stores in
`check_result` and acts on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from petitions.records import Source, Window
from petitions.store.recall import MIN_RECALL, measure_recall

_WINDOW = """
    SELECT petition_id, content_hash, begins_on FROM petitions.petition
    WHERE source = :source AND begins_on >= :since AND begins_on < :until AND status <> 'hidden'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found: the value, the range that it must keep, and whether it does."""

    name: str
    value: float
    limit: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    name: str
    sql: str
    at_least: float | None = None
    at_most: float | None = None


_CHECKS = (
    _Check(name="petitions_in_window", sql=f"WITH w AS ({_WINDOW}) SELECT count(*) FROM w", at_least=1),  # noqa: S608
    _Check(
        name="share_of_petitions_with_topics",
        sql=f"""WITH w AS ({_WINDOW}) SELECT avg((EXISTS (SELECT FROM petitions.petition_topic AS t
                WHERE t.model_id = :model_id AND t.petition_id = w.petition_id))::int) FROM w""",  # noqa: S608
        at_least=1,
    ),
    _Check(
        name="topic_share_error",
        sql="""SELECT max(abs(total - 1)) FROM (SELECT sum(share) AS total FROM petitions.petition_topic
               WHERE model_id = :model_id GROUP BY petition_id) AS by_petition""",
        at_most=0.001,
    ),
    _Check(
        name="topics_with_20_terms",
        sql="""SELECT avg((n >= least(20, m.n_terms))::int) FROM petitions.topic_model AS m
               JOIN petitions.topic AS t USING (model_id)
               CROSS JOIN LATERAL (SELECT count(*) AS n FROM petitions.topic_term AS terms
                 WHERE terms.model_id = t.model_id AND terms.topic_id = t.topic_id) AS counted
               WHERE m.model_id = :model_id""",
        at_least=1,
    ),
    _Check(
        name="topic_diversity",
        sql="SELECT diversity FROM petitions.topic_model WHERE model_id = :model_id",
        at_least=0.5,
    ),
)
_CHECKS_BY_ENCODER = (
    _Check(
        name="embeddings_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w WHERE NOT EXISTS (
                SELECT FROM petitions.petition_embedding AS e WHERE e.petition_id = w.petition_id
                AND e.encoder = :encoder AND e.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
    _Check(
        name="embedding_length_error",
        sql=f"""WITH w AS ({_WINDOW}) SELECT max(abs(vector_norm(e.embedding) - 1)) FROM w
                JOIN petitions.petition_embedding AS e USING (petition_id) WHERE e.encoder = :encoder""",  # noqa: S608
        at_most=0.001,
    ),
    _Check(
        name="scores_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w CROSS JOIN unnest(CAST(:scores AS text[])) AS name
                WHERE NOT EXISTS (SELECT FROM petitions.petition_score AS s WHERE s.petition_id = w.petition_id
                AND s.encoder = :encoder AND s.score = name AND s.content_hash = w.content_hash
                AND s.model_id IN ('', :model_id))""",  # noqa: S608
        at_most=0,
    ),
    _Check(
        name="scores_out_of_range",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w JOIN petitions.petition_score AS s USING (petition_id)
                WHERE s.encoder = :encoder AND s.model_id IN ('', :model_id) AND NOT (s.value BETWEEN
                  CASE s.score WHEN 'topic_similarity' THEN -1.001 ELSE 0 END AND 1.001)""",  # noqa: S608
        at_most=0,
    ),
)


def run_checks(
    conn: Connection, source: Source, window: Window, model_id: str, scores: Mapping[str, Sequence[str]]
) -> list[CheckResult]:
    """Run every check on what a run wrote.

    Args:
        conn: an open connection; only read from.
        source: whose petitions.
        window: the window of the run.
        model_id: the fit that is to be published.
        scores: for each encoder of the run, the names of the scores that it must have given.

    Returns:
        One result a check; the checks of an encoder are named "<check> <encoder>", and the one of recall is there
        where the encoder has an index. A query without an answer (no row
        to look at) counts as failed, with the value NaN.
    """
    window_of = {"source": str(source), "since": window.since, "until": window.until, "model_id": model_id}
    results = [_run(conn, check, check.name, window_of) for check in _CHECKS]
    for encoder, names in scores.items():
        bound = {**window_of, "encoder": encoder, "scores": list(names)}
        results += [_run(conn, check, f"{check.name} {encoder}", bound) for check in _CHECKS_BY_ENCODER]
        recall = measure_recall(conn, encoder)
        if recall is not None:
            results.append(_judge(f"recall {encoder}", recall, at_least=MIN_RECALL))
    return results


def _run(conn: Connection, check: _Check, name: str, bound: Mapping[str, object]) -> CheckResult:
    answer = conn.execute(text(check.sql), bound).scalar_one_or_none()
    value = float("nan") if answer is None else float(answer)
    return _judge(name, value, at_least=check.at_least, at_most=check.at_most)


def _judge(name: str, value: float, *, at_least: float | None, at_most: float | None = None) -> CheckResult:
    if at_least is not None:
        return CheckResult(name=name, value=value, limit=f"at least {at_least:g}", passed=value >= at_least)
    limit = at_most if at_most is not None else 0.0
    return CheckResult(name=name, value=value, limit=f"at most {limit:g}", passed=value <= limit)

"""What a run must keep before it is published: each rule is one query with one number, and the range it must stay in.

Declarations alone, without a database: `petitions check` and the DAG run the same ones. The queries read the names
:source, :since, :until and :model_id; those of an encoder :encoder, :scores, :least and :most too. No answer (nothing
to look at) counts as failed, so that a query whose answer may rightly be empty says `coalesce`.
"""

from dataclasses import dataclass

# Windows of two nights share all days but one. On half of the petitions a day the site or the crawl is broken.
MIN_VOLUME = 0.5
# A petition without a text is rare: 2 of 100 at most in a month of the Blue House.
MOST_EMPTY_BODIES = 0.1
MOST_DAYS_UNSEEN = 1  # a run may take place around midnight

_WINDOW = """
    SELECT petition_id, title, body, category, url, status, content_hash, begins_on, ends_on, n_agreements,
        first_seen_at, last_seen_at, changed_at
    FROM petitions.petition
    WHERE source = :source AND begins_on >= :since AND begins_on < :until AND status <> 'hidden'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check: a query of one number, and the least or the most that it may be."""

    name: str
    sql: str
    at_least: float | None = None
    at_most: float | None = None


RULES = (
    Rule(name="petitions_in_window", sql=f"WITH w AS ({_WINDOW}) SELECT count(*) FROM w", at_least=1),  # noqa: S608
    Rule(  # petitions a day, against the published fit whose window this one meets; 1 where there is none
        name="volume_against_published",
        sql=f"""WITH w AS ({_WINDOW}) SELECT coalesce((
                SELECT (SELECT count(*) FROM w)::float8 / (CAST(:until AS date) - CAST(:since AS date))
                    / nullif(m.n_petitions::float8 / (m.until - m.since), 0)
                FROM petitions.published_model JOIN petitions.topic_model AS m USING (model_id)
                WHERE m.source = :source AND m.since < :until AND m.until > :since), 1)""",  # noqa: S608
        at_least=MIN_VOLUME,
    ),
    Rule(  # from the run's crawl, which asks for them; last_seen_at moves once a Korean day; 0 where all have ended
        name="days_since_open_petitions_were_seen",
        sql=f"""WITH w AS ({_WINDOW}) SELECT greatest(0, coalesce(
                    (s.started_at AT TIME ZONE 'Asia/Seoul')::date
                        - (SELECT (max(last_seen_at) AT TIME ZONE 'Asia/Seoul')::date FROM w WHERE status = 'open'), 0))
                FROM petitions.pipeline_run AS r JOIN petitions.pipeline_step AS s USING (run_id)
                WHERE r.source = :source AND r.since = :since AND r.until = :until AND s.step = 'crawl'""",  # noqa: S608
        at_most=MOST_DAYS_UNSEEN,
    ),
    Rule(
        name="petitions_with_empty_fields",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w
                WHERE '' IN (btrim(title), btrim(category), btrim(url), content_hash)""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="share_of_empty_bodies",
        sql=f"WITH w AS ({_WINDOW}) SELECT avg((btrim(body) = '')::int) FROM w",  # noqa: S608
        at_most=MOST_EMPTY_BODIES,
    ),
    Rule(  # what the constraints of the table do not say
        name="petitions_out_of_range",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w
                WHERE ends_on > begins_on + 366 OR first_seen_at > last_seen_at OR changed_at > last_seen_at""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="tokens_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w CROSS JOIN petitions.topic_model AS m
                WHERE m.model_id = :model_id AND NOT EXISTS (SELECT FROM petitions.petition_tokens AS t
                WHERE t.petition_id = w.petition_id AND t.tokenizer = m.tokenizer
                AND t.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="search_words_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w WHERE NOT EXISTS (
                SELECT FROM petitions.petition_words AS f WHERE f.petition_id = w.petition_id
                AND f.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
    Rule(  # petitions that the step find_copies of the run has not seen, all of them where it is not done
        name="petitions_not_looked_at_for_copies",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w WHERE NOT EXISTS (
                SELECT FROM petitions.pipeline_run AS r JOIN petitions.pipeline_step AS s USING (run_id)
                JOIN petitions.petition_fingerprint AS f ON f.method = s.made_by
                WHERE r.source = :source AND r.since = :since AND r.until = :until
                AND s.step = 'find_copies' AND s.state = 'done'
                AND f.petition_id = w.petition_id AND f.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="share_of_petitions_with_topics",
        sql=f"""WITH w AS ({_WINDOW}) SELECT avg((EXISTS (SELECT FROM petitions.petition_topic AS t
                WHERE t.model_id = :model_id AND t.petition_id = w.petition_id))::int) FROM w""",  # noqa: S608
        at_least=1,
    ),
    Rule(
        name="topic_share_error",
        sql="""SELECT max(abs(total - 1)) FROM (SELECT sum(share) AS total FROM petitions.petition_topic
               WHERE model_id = :model_id GROUP BY petition_id) AS by_petition""",
        at_most=0.001,
    ),
    Rule(
        name="topic_total_error",
        sql="SELECT abs(sum(mixture_share) - 1) FROM petitions.topic WHERE model_id = :model_id",
        at_most=0.001,
    ),
    Rule(
        name="topics_with_20_terms",
        sql="""SELECT avg((n >= least(20, m.n_terms))::int) FROM petitions.topic_model AS m
               JOIN petitions.topic AS t USING (model_id)
               CROSS JOIN LATERAL (SELECT count(*) AS n FROM petitions.topic_term AS terms
                 WHERE terms.model_id = t.model_id AND terms.topic_id = t.topic_id) AS counted
               WHERE m.model_id = :model_id""",
        at_least=1,
    ),
    Rule(
        name="topic_diversity",
        sql="SELECT diversity FROM petitions.topic_model WHERE model_id = :model_id",
        at_least=0.5,
    ),
    Rule(  # petition_score.model_id has no foreign key, since it is empty for the scores of no fit
        name="scores_without_fit",
        sql="""SELECT count(*) FROM (SELECT DISTINCT model_id FROM petitions.petition_score WHERE model_id <> '') AS s
               WHERE NOT EXISTS (SELECT FROM petitions.topic_model AS m WHERE m.model_id = s.model_id)""",
        at_most=0,
    ),
)
UNKNOWN_CODE = """SELECT coalesce((SELECT n_petitions FROM petitions.unknown_code WHERE source = :source
    AND kind = :kind AND code = :code AND name = :code_name), 0)"""
RULES_BY_ENCODER = (
    Rule(
        name="embeddings_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w WHERE NOT EXISTS (
                SELECT FROM petitions.petition_embedding AS e WHERE e.petition_id = w.petition_id
                AND e.encoder = :encoder AND e.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="embedding_length_error",
        sql=f"""WITH w AS ({_WINDOW}) SELECT max(abs(vector_norm(e.embedding) - 1)) FROM w
                JOIN petitions.petition_embedding AS e USING (petition_id) WHERE e.encoder = :encoder""",  # noqa: S608
        at_most=0.001,
    ),
    Rule(
        name="embedding_widths",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(DISTINCT vector_dims(e.embedding)) FROM w
                JOIN petitions.petition_embedding AS e USING (petition_id) WHERE e.encoder = :encoder""",  # noqa: S608
        at_most=1,
    ),
    Rule(
        name="scores_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w CROSS JOIN unnest(CAST(:scores AS text[])) AS name
                WHERE NOT EXISTS (SELECT FROM petitions.petition_score AS s WHERE s.petition_id = w.petition_id
                AND s.encoder = :encoder AND s.score = name AND s.content_hash = w.content_hash
                AND s.model_id IN ('', :model_id))""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="scores_out_of_range",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w JOIN petitions.petition_score AS s USING (petition_id)
                JOIN unnest(CAST(:scores AS text[]), CAST(:least AS float8[]), CAST(:most AS float8[]))
                  AS one (score, least, most) USING (score)
                WHERE s.encoder = :encoder AND s.model_id IN ('', :model_id)
                AND NOT (s.value BETWEEN one.least - 0.001 AND one.most + 0.001)""",  # noqa: S608
        at_most=0,
    ),
    Rule(
        name="keywords_of_older_texts",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w JOIN petitions.petition_keyword AS k USING (petition_id)
                WHERE k.encoder = :encoder AND k.content_hash <> w.content_hash""",  # noqa: S608
        at_most=0,
    ),
)
RULES_BY_SCORER = (  # of a fine-tuned model, whose name is :encoder here too
    Rule(
        name="labels_missing",
        sql=f"""WITH w AS ({_WINDOW}) SELECT count(*) FROM w WHERE NOT EXISTS (
                SELECT FROM petitions.petition_label AS l WHERE l.petition_id = w.petition_id
                AND l.scorer = :encoder AND l.rank = 1 AND l.content_hash = w.content_hash)""",  # noqa: S608
        at_most=0,
    ),
)

-- What became of petitions: of all that are stored, since a committee decides long after the window that was published.

CREATE VIEW petitions.unknown_code AS
SELECT
    p.source, said.kind, said.code, said.name, count(*) AS n_petitions,
    (min(p.first_seen_at) AT TIME ZONE 'Asia/Seoul')::date AS since
FROM petitions.petition AS p
CROSS JOIN LATERAL (VALUES
    ('category', p.category_code, p.category_name), ('state', p.state_code, p.state_name),
    ('result', p.result_code, p.result_name), ('stage', p.stage_code, p.stage_name)
) AS said (kind, code, name)
LEFT JOIN petitions.known_code AS k ON k.source = p.source AND k.kind = said.kind AND k.code = said.code
WHERE p.status <> 'hidden' AND p.source IN (SELECT source FROM petitions.known_code)
    AND CASE
        WHEN k.code IS NULL THEN said.code <> '' OR said.kind = 'category'
        ELSE said.kind = 'category' AND said.name NOT IN ('', k.name)
    END
GROUP BY p.source, said.kind, said.code, said.name;
COMMENT ON VIEW petitions.unknown_code IS
    'One row is a code that a site says of petitions and that this version does not know, or a category that it calls by
another name now: nothing is lost by it, and the petition is stored with what the site says.';
COMMENT ON COLUMN petitions.unknown_code.kind IS 'category, state, result or stage';
COMMENT ON COLUMN petitions.unknown_code.code IS 'as the site says it; empty where it leaves the category out';
COMMENT ON COLUMN petitions.unknown_code.name IS 'of the code, as the site says it';
COMMENT ON COLUMN petitions.unknown_code.n_petitions IS 'that have it today, hidden ones left out';
COMMENT ON COLUMN petitions.unknown_code.since IS 'day, Korean time, on which the first of them was first seen';

CREATE VIEW petitions.petition_outcome AS
SELECT
    p.petition_id, p.source, p.title, p.category, p.begins_on, p.ends_on, p.url, p.n_agreements, limits.threshold,
    p.n_agreements >= limits.threshold AS is_reached,
    p.registered_on, days.referred_on,
    coalesce(nullif(p.committee_name, ''), nullif(p.committee_code, ''), nullif(b.committee_name, '')) AS committee,
    p.state_code, coalesce(nullif(p.state_name, ''), state.name, nullif(p.state_code, '')) AS state,
    p.result_code, coalesce(nullif(p.result_name, ''), result.name, nullif(p.result_code, '')) AS result,
    days.result_on,
    coalesce(nullif(p.stage_name, ''), stage.name, nullif(p.stage_code, '')) AS stage,
    p.closed_on, p.is_pending, nullif(p.bill_id, '') AS bill_id,
    CASE
        WHEN p.is_pending THEN (p.last_seen_at AT TIME ZONE 'Asia/Seoul')::date
        ELSE days.result_on
    END - days.referred_on AS n_days,
    coalesce(nullif(b.plenary_result, ''), nullif(b.committee_result, '')) AS official_result, b.government_result_on,
    p.last_seen_at
FROM petitions.petition AS p
LEFT JOIN LATERAL (
    SELECT h.n_agreements AS threshold FROM petitions.agreement_threshold AS h
    WHERE h.source = p.source AND h.since <= p.begins_on ORDER BY h.since DESC LIMIT 1
) AS usual ON true
CROSS JOIN LATERAL (SELECT coalesce(p.threshold, usual.threshold) AS threshold) AS limits
CROSS JOIN LATERAL (
    SELECT
        min(h.seen_on) FILTER (WHERE h.bill_id <> '' OR h.committee_code <> '') AS referred_on,
        min(h.seen_on) FILTER (WHERE h.result_code = p.result_code) AS result_on
    FROM petitions.petition_handling AS h WHERE h.petition_id = p.petition_id
) AS seen
LEFT JOIN petitions.bill_outcome AS b ON p.source = 'assembly' AND b.bill_id = p.bill_id
CROSS JOIN LATERAL (
    SELECT
        coalesce(b.referred_on, seen.referred_on) AS referred_on,
        CASE WHEN NOT p.is_pending AND p.result_code <> '' THEN coalesce(b.processed_on, seen.result_on) END AS result_on
) AS days
LEFT JOIN petitions.known_code AS state
    ON state.source = p.source AND state.kind = 'state' AND state.code = p.state_code
LEFT JOIN petitions.known_code AS result
    ON result.source = p.source AND result.kind = 'result' AND result.code = p.result_code
LEFT JOIN petitions.known_code AS stage
    ON stage.source = p.source AND stage.kind = 'stage' AND stage.code = p.stage_code
WHERE p.status <> 'hidden';
COMMENT ON VIEW petitions.petition_outcome IS
    'One row is one petition of any window, hidden ones left out, and what became of it.';
COMMENT ON COLUMN petitions.petition_outcome.threshold IS
    'agreements that its site wants of it, else those of agreement_threshold; null: it had none';
COMMENT ON COLUMN petitions.petition_outcome.is_reached IS 'has as many agreements';
COMMENT ON COLUMN petitions.petition_outcome.registered_on IS 'Korean time; null where the site does not say';
COMMENT ON COLUMN petitions.petition_outcome.referred_on IS
    'by the official open data, or else the day, Korean time, on which we first saw it with a committee or as a bill;
null: never';
COMMENT ON COLUMN petitions.petition_outcome.committee IS 'it was referred to; null: none';
COMMENT ON COLUMN petitions.petition_outcome.state_code IS 'as the site says it; empty where it has none';
COMMENT ON COLUMN petitions.petition_outcome.state IS 'name of that code, by the site or else by known_code';
COMMENT ON COLUMN petitions.petition_outcome.result_code IS 'what it came to, as the site says it; empty: nothing yet';
COMMENT ON COLUMN petitions.petition_outcome.result IS 'name of that code, by the site or else by known_code';
COMMENT ON COLUMN petitions.petition_outcome.result_on IS
    'by the official open data, or else the day, Korean time, on which we first saw that result; null while it is pending';
COMMENT ON COLUMN petitions.petition_outcome.stage IS 'how far the deliberation has come; null: none';
COMMENT ON COLUMN petitions.petition_outcome.closed_on IS 'day on which the site ended it; null: not ended, or not told';
COMMENT ON COLUMN petitions.petition_outcome.is_pending IS
    'formed or referred, and without a result yet: the crawl looks at it weekly';
COMMENT ON COLUMN petitions.petition_outcome.bill_id IS 'BILL_ID of the open portal of the Assembly; null: no bill';
COMMENT ON COLUMN petitions.petition_outcome.n_days IS
    'from referred_on to result_on, or for one that is pending to the day we last looked';
COMMENT ON COLUMN petitions.petition_outcome.official_result IS
    'by the official open data: of the plenary, else of the committee; null: none, or it was not asked';
COMMENT ON COLUMN petitions.petition_outcome.government_result_on IS
    'day on which the government told what it made of it, by the official open data; null: none, or it was not asked';
COMMENT ON COLUMN petitions.petition_outcome.last_seen_at IS 'at its site; moves once a Korean day';

CREATE VIEW petitions.outcome_by_topic AS
WITH placed AS (
    -- the topic by the fit of the latest window that readers saw and that holds the petition
    SELECT DISTINCT ON (t.petition_id) t.petition_id, m.source, t.topic_id, t.model_id
    FROM petitions.topic_model AS m
    JOIN petitions.petition_topic AS t USING (model_id)
    WHERE m.published_at IS NOT NULL AND t.is_main
    ORDER BY t.petition_id, m.until DESC, m.published_at DESC
)
SELECT
    placed.source, placed.topic_id, coalesce(today.label, min(earlier.label)) AS label, count(*) AS n_petitions,
    count(*) FILTER (WHERE o.is_reached) AS n_reached,
    count(*) FILTER (WHERE o.referred_on IS NOT NULL OR o.bill_id IS NOT NULL) AS n_referred,
    count(*) FILTER (WHERE o.is_pending) AS n_pending,
    count(*) FILTER (WHERE o.bill_id IS NOT NULL AND o.result_on IS NOT NULL) AS n_decided,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY o.n_days) FILTER (WHERE o.result_on IS NOT NULL) AS median_n_days
FROM placed
JOIN petitions.petition_outcome AS o USING (petition_id)
JOIN petitions.topic AS earlier USING (model_id, topic_id)
LEFT JOIN petitions.published_model AS m ON m.source = placed.source
LEFT JOIN petitions.topic AS today ON today.model_id = m.model_id AND today.topic_id = placed.topic_id
GROUP BY placed.source, placed.topic_id, today.label;
COMMENT ON VIEW petitions.outcome_by_topic IS
    'One row is one topic and what became of its petitions: of all windows that were published, each petition once, by its
main topic in the latest of them. A topic keeps its number from fit to fit.';
COMMENT ON COLUMN petitions.outcome_by_topic.label IS 'of the published fit; of an earlier one where that lacks the topic';
COMMENT ON COLUMN petitions.outcome_by_topic.n_petitions IS 'with the topic as main topic';
COMMENT ON COLUMN petitions.outcome_by_topic.n_reached IS 'of them with as many agreements as their site wants';
COMMENT ON COLUMN petitions.outcome_by_topic.n_referred IS 'of them that were referred to a committee';
COMMENT ON COLUMN petitions.outcome_by_topic.n_pending IS 'of them formed or referred, and without a result yet';
COMMENT ON COLUMN petitions.outcome_by_topic.n_decided IS 'of the bills among them those with a result';
COMMENT ON COLUMN petitions.outcome_by_topic.median_n_days IS 'from referral to result; null where none has one';

GRANT SELECT ON petitions.unknown_code, petitions.petition_outcome, petitions.outcome_by_topic
    TO petition_reader, petition_writer;

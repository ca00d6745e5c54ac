-- The petitions of the published fits.

CREATE VIEW petitions.current_petition AS
SELECT
    p.petition_id, p.source, p.title, p.purpose, p.body, p.category, p.status, p.n_agreements, p.begins_on, p.ends_on,
    p.url, p.is_moderated,
    t.topic_id, t.label AS topic_label, main.share AS topic_share,
    s.next_sentence, edited.moderation, s.topic_similarity,
    ARRAY(
        SELECT k.word FROM petitions.petition_keyword AS k
        WHERE k.petition_id = p.petition_id AND k.encoder = m.encoders[1] ORDER BY k.rank
    ) AS keywords,
    m.model_id, m.encoders[1] AS encoder, main.share < 0.5 OR NOT coalesce(main.is_borne, true) AS is_mixed,
    (
        SELECT a.n_agreements FROM petitions.petition_agreement AS a
        WHERE a.petition_id = p.petition_id AND a.seen_on = p.begins_on + 7
    ) AS n_agreements_day_7,
    limits.threshold,
    (
        SELECT first_over.seen_on
        FROM (
            SELECT min(a.seen_on) AS seen_on FROM petitions.petition_agreement AS a
            WHERE a.petition_id = p.petition_id AND a.n_agreements >= limits.threshold
        ) AS first_over
        WHERE first_over.seen_on = p.begins_on OR EXISTS (
            SELECT FROM petitions.petition_agreement AS a
            WHERE a.petition_id = p.petition_id AND a.seen_on < first_over.seen_on
        )
    ) AS reached_threshold_on,
    edited.moderation_scorer
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
LEFT JOIN petitions.petition_topic AS main
    ON main.model_id = m.model_id AND main.petition_id = p.petition_id AND main.is_main
LEFT JOIN petitions.topic AS t ON t.model_id = m.model_id AND t.topic_id = main.topic_id
CROSS JOIN LATERAL (
    -- of the published encoders the first that gives a score
    SELECT
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'next_sentence'))[1] AS next_sentence,
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'topic_similarity'))[1] AS topic_similarity
    FROM (
        SELECT one.score, one.value, array_position(m.encoders, one.encoder) AS place
        FROM petitions.petition_score AS one
        WHERE one.petition_id = p.petition_id AND one.encoder = ANY (m.encoders)
            AND one.model_id IN ('', m.model_id)
    ) AS placed
) AS s
LEFT JOIN LATERAL (
    -- by the first published scorer of that name: the one that ships, or one of one's own
    SELECT l.probability AS moderation, l.scorer AS moderation_scorer
    FROM petitions.petition_label AS l
    WHERE l.petition_id = p.petition_id AND l.scorer = ANY (m.encoders) AND l.content_hash = p.content_hash
        AND l.scorer ~ '^moderation[^@]*@' AND l.label = 'moderated'
    ORDER BY array_position(m.encoders, l.scorer) LIMIT 1
) AS edited ON true
LEFT JOIN LATERAL (
    SELECT h.n_agreements AS threshold FROM petitions.agreement_threshold AS h
    WHERE h.source = p.source AND h.since <= p.begins_on ORDER BY h.since DESC LIMIT 1
) AS limits ON true;
COMMENT ON VIEW petitions.current_petition IS
    'One row is one petition of the window of its source''s published fit, with topic, scores and keywords.';
COMMENT ON COLUMN petitions.current_petition.topic_id IS
    'the topic with the largest share; null when the petition came into the window after the fit';
COMMENT ON COLUMN petitions.current_petition.topic_share IS 'of that topic in the petition';
COMMENT ON COLUMN petitions.current_petition.next_sentence IS 'probability that the body follows the title';
COMMENT ON COLUMN petitions.current_petition.topic_similarity IS
    'cosine with the mean of its topic, less that with the nearest other; under 0: another topic is nearer';
COMMENT ON COLUMN petitions.current_petition.keywords IS 'nouns and compounds that it is about, the weightiest first';
COMMENT ON COLUMN petitions.current_petition.encoder IS 'what similar_petitions and search_petitions compare by';

COMMENT ON COLUMN petitions.current_petition.n_agreements IS 'as last seen; not final while status is open';
COMMENT ON COLUMN petitions.current_petition.moderation IS
    'probability that the Blue House''s moderator would edit it, learned from what was edited; no judgement of truth; null: no scorer';
COMMENT ON COLUMN petitions.current_petition.moderation_scorer IS 'weights that gave moderation, and their hash';
COMMENT ON COLUMN petitions.current_petition.is_mixed IS
    'no topic has half of it, or it holds few of the terms of the one that has; null where it has none';
COMMENT ON COLUMN petitions.current_petition.n_agreements_day_7 IS
    'on the seventh day after begins_on: compares petitions at equal age; null where we did not look on that day';
COMMENT ON COLUMN petitions.current_petition.threshold IS
    'agreements from which its site promised to take it up, see agreement_threshold; null: it had none';
COMMENT ON COLUMN petitions.current_petition.reached_threshold_on IS
    'first day, Korean time, on which we saw it at the threshold or above; null: never, or it was there when first seen';

CREATE VIEW petitions.agreement_curve AS
SELECT
    p.source, a.petition_id, a.seen_on, a.n_agreements,
    a.n_agreements - lag(a.n_agreements) OVER one_petition AS gain,
    a.seen_on - lag(a.seen_on) OVER one_petition AS n_days
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
JOIN petitions.petition_agreement AS a USING (petition_id)
WINDOW one_petition AS (PARTITION BY a.petition_id ORDER BY a.seen_on);
COMMENT ON VIEW petitions.agreement_curve IS
    'One row is the agreements of one petition of the published window on one day we looked.';
COMMENT ON COLUMN petitions.agreement_curve.seen_on IS 'the day we looked, Korean time';
COMMENT ON COLUMN petitions.agreement_curve.n_agreements IS 'on that day, as last seen on it';
COMMENT ON COLUMN petitions.agreement_curve.gain IS
    'agreements since the day we looked before; null on the first; below 0 where the site took some back';
COMMENT ON COLUMN petitions.agreement_curve.n_days IS 'days since then: gain / n_days is the gain a day';

GRANT SELECT ON petitions.current_petition, petitions.agreement_curve TO petition_reader, petition_writer;

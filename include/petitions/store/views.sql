-- What readers see: views and functions over the published fit of each source. Applied by store.database.upgrade, in
-- one transaction with the migrations. Only petition_reader's grants, at the end, decide what a reader may touch;
-- published_model and main_topic are steps on the way and not for readers.

CREATE VIEW petitions.published_model AS
SELECT DISTINCT ON (source) *
FROM petitions.topic_model
WHERE published_at IS NOT NULL
ORDER BY source, published_at DESC, model_id;
COMMENT ON VIEW petitions.published_model IS 'One row is the fit of a source that readers see: the one published last.';

CREATE VIEW petitions.main_topic AS
SELECT DISTINCT ON (t.model_id, t.petition_id) t.model_id, t.petition_id, t.topic_id, t.share
FROM petitions.published_model AS m
JOIN petitions.petition_topic AS t USING (model_id)
JOIN petitions.petition AS p USING (petition_id)
WHERE p.status <> 'hidden'
ORDER BY t.model_id, t.petition_id, t.share DESC, t.topic_id;
COMMENT ON VIEW petitions.main_topic IS
    'One row is a petition of a published fit, not hidden, and the topic that has the largest share of it.';

CREATE VIEW petitions.current_topic AS
SELECT
    m.source, t.topic_id, t.label, t.share, t.balanced_share, t.agreement_share,
    coalesce(n.n_petitions, 0) AS n_petitions, coalesce(n.n_agreements, 0) AS n_agreements, t.npmi, t.top_terms,
    m.since, m.until, m.model_id, m.published_at
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
LEFT JOIN (
    SELECT main.model_id, main.topic_id, count(*) AS n_petitions, sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY main.model_id, main.topic_id
) AS n USING (model_id, topic_id);
COMMENT ON VIEW petitions.current_topic IS 'One row is one topic of the published fit of a source.';
COMMENT ON COLUMN petitions.current_topic.share IS 'of all text of the fit; the topics of a source sum to 1';
COMMENT ON COLUMN petitions.current_topic.balanced_share IS
    'share where every category weighs the same, so that a loud one does not hide the rest; null in older fits';
COMMENT ON COLUMN petitions.current_topic.agreement_share IS
    'share where every agreement weighs the same, as many as there were at the fit; null in older fits';
COMMENT ON COLUMN petitions.current_topic.n_petitions IS 'petitions of which it is the main topic';
COMMENT ON COLUMN petitions.current_topic.n_agreements IS 'of those petitions, as last seen';

CREATE VIEW petitions.current_petition AS
SELECT
    p.petition_id, p.source, p.title, p.purpose, p.body, p.category, p.status, p.n_agreements, p.begins_on, p.ends_on,
    p.url, p.is_moderated,
    t.topic_id, t.label AS topic_label, main.share AS topic_share,
    s.next_sentence, s.pseudo_log_likelihood, s.moderation, s.topic_similarity,
    ARRAY(
        SELECT k.word FROM petitions.petition_keyword AS k
        WHERE k.petition_id = p.petition_id AND k.encoder = m.encoders[1] ORDER BY k.rank
    ) AS keywords,
    m.model_id, m.encoders[1] AS encoder
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
LEFT JOIN LATERAL (
    -- main_topic again, in a form that one petition is looked up in by its key
    SELECT one.topic_id, one.share FROM petitions.petition_topic AS one
    WHERE one.model_id = m.model_id AND one.petition_id = p.petition_id
    ORDER BY one.share DESC, one.topic_id LIMIT 1
) AS main ON true
LEFT JOIN petitions.topic AS t ON t.model_id = m.model_id AND t.topic_id = main.topic_id
CROSS JOIN LATERAL (
    -- of the published encoders the first that gives a score
    SELECT
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'next_sentence'))[1] AS next_sentence,
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'pseudo_log_likelihood'))[1] AS pseudo_log_likelihood,
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'moderation'))[1] AS moderation,
        (array_agg(value ORDER BY place) FILTER (WHERE score = 'topic_similarity'))[1] AS topic_similarity
    FROM (
        SELECT one.score, one.value, array_position(m.encoders, one.encoder) AS place
        FROM petitions.petition_score AS one
        WHERE one.petition_id = p.petition_id AND one.encoder = ANY (m.encoders)
            AND one.model_id IN ('', m.model_id)
    ) AS placed
) AS s;
COMMENT ON VIEW petitions.current_petition IS
    'One row is one petition of the window of its source''s published fit, with topic, scores and keywords.';
COMMENT ON COLUMN petitions.current_petition.topic_id IS
    'the topic with the largest share; null when the petition came into the window after the fit';
COMMENT ON COLUMN petitions.current_petition.topic_share IS 'of that topic in the petition';
COMMENT ON COLUMN petitions.current_petition.next_sentence IS 'probability that the body follows the title';
COMMENT ON COLUMN petitions.current_petition.topic_similarity IS
    'cosine of the petition with the mean of its topic; low: it fits its topic badly';
COMMENT ON COLUMN petitions.current_petition.keywords IS 'words that the encoder gives for it, most probable first';
COMMENT ON COLUMN petitions.current_petition.encoder IS 'what similar_petitions and search_petitions compare by';

CREATE VIEW petitions.topic_trend AS
WITH counted AS (
    SELECT
        main.model_id, main.topic_id, date_trunc('week', p.begins_on::timestamp)::date AS week, p.category,
        count(*) AS n_petitions, sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY main.model_id, main.topic_id, week, p.category
), balanced AS (
    SELECT
        counted.*,
        n_petitions::double precision / sum(n_petitions) OVER (PARTITION BY model_id, week, category) AS of_category
    FROM counted
), summed AS (
    SELECT
        model_id, topic_id, week,
        sum(n_petitions) AS n_petitions, sum(n_agreements) AS n_agreements, sum(of_category) AS of_categories
    FROM balanced
    GROUP BY model_id, topic_id, week
), shared AS (
    SELECT
        summed.*,
        (n_petitions / sum(n_petitions) OVER one_week)::double precision AS share,
        of_categories / sum(of_categories) OVER one_week AS balanced_share,
        (n_agreements / nullif(sum(n_agreements) OVER one_week, 0))::double precision AS agreement_share
    FROM summed
    WINDOW one_week AS (PARTITION BY model_id, week)
)
SELECT
    m.source, w.week::date AS week, t.topic_id, t.label, coalesce(c.n_petitions, 0)::bigint AS n_petitions,
    coalesce(c.share, 0) AS share, coalesce(c.balanced_share, 0) AS balanced_share,
    coalesce(c.agreement_share, c.share, 0) AS agreement_share, coalesce(c.n_agreements, 0)::bigint AS n_agreements,
    m.model_id
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
CROSS JOIN LATERAL generate_series(
    date_trunc('week', m.since::timestamp), m.until::timestamp - interval '1 day', interval '1 week'
) AS w (week)
LEFT JOIN shared AS c ON c.model_id = m.model_id AND c.topic_id = t.topic_id AND c.week = w.week::date;
COMMENT ON VIEW petitions.topic_trend IS
    'One row is one topic in one week of the window, under the published fit; weeks without a petition are there.';
COMMENT ON COLUMN petitions.topic_trend.week IS
    'its Monday; the first and the last week of a window may be cut short by it';
COMMENT ON COLUMN petitions.topic_trend.n_petitions IS 'that began in the week and have it as main topic';
COMMENT ON COLUMN petitions.topic_trend.share IS 'of the petitions that began in the week; 0 in a week without any';
COMMENT ON COLUMN petitions.topic_trend.balanced_share IS
    'share where every category of the week weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.topic_trend.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share in a week without any';
COMMENT ON COLUMN petitions.topic_trend.n_agreements IS 'of those petitions, as last seen';
COMMENT ON COLUMN petitions.topic_trend.model_id IS 'the fit that says so';

CREATE VIEW petitions.emerging_topic AS
WITH counted AS (
    SELECT
        m.source, m.model_id, t.topic_id, t.label,
        count(*) FILTER (WHERE p.begins_on >= m.until - 28) AS n_recent,
        count(*) FILTER (WHERE p.begins_on < m.until - 28) AS n_before
    FROM petitions.published_model AS m
    JOIN petitions.topic AS t USING (model_id)
    JOIN petitions.main_topic AS main USING (model_id, topic_id)
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY m.source, m.model_id, t.topic_id, t.label
), totalled AS (
    SELECT
        counted.*,
        (sum(n_recent) OVER every_topic)::bigint AS n_recent_all,
        (sum(n_before) OVER every_topic)::bigint AS n_before_all
    FROM counted
    WINDOW every_topic AS (PARTITION BY model_id)
), shared AS (
    SELECT
        totalled.*,
        n_recent::double precision / n_recent_all AS share_recent,
        n_before::double precision / n_before_all AS share_before,
        (n_recent + n_before)::double precision / (n_recent_all + n_before_all) AS share_all
    FROM totalled
    WHERE n_recent_all > 0 AND n_before_all > 0
)
SELECT
    source, topic_id, label, share_recent, share_before, share_recent / nullif(share_before, 0) AS growth,
    (share_recent - share_before)
        / sqrt(share_all * (1 - share_all) * (1.0 / n_recent_all + 1.0 / n_before_all)) AS z,
    n_recent, n_recent_all, n_before, n_before_all, model_id
FROM shared
WHERE share_recent > share_before;
COMMENT ON VIEW petitions.emerging_topic IS
    'One row is one topic whose share of petitions was larger in the last 28 days of the window than before them.';
COMMENT ON COLUMN petitions.emerging_topic.growth IS 'share_recent by share_before; null for a topic that was not there';
COMMENT ON COLUMN petitions.emerging_topic.z IS
    'two-proportion z of the four counts beside it: (share_recent - share_before) by the root of
p (1 - p) (1 / n_recent_all + 1 / n_before_all), p = (n_recent + n_before) / (n_recent_all + n_before_all). Of nine
topics that do not change, chance lifts one over 2 in a fifth of all windows, and over 3 in a fiftieth';
COMMENT ON COLUMN petitions.emerging_topic.n_recent IS 'petitions of the topic in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_recent_all IS 'petitions of all topics in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_before IS 'petitions of the topic before them';
COMMENT ON COLUMN petitions.emerging_topic.n_before_all IS 'petitions of all topics before them';

CREATE FUNCTION petitions.search_petitions(embedding vector, k integer DEFAULT 10)
RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT p.petition_id, p.title, p.url, p.source, 1 - (e.embedding <=> search_petitions.embedding)
    FROM petitions.published_model AS m
    JOIN petitions.petition AS p
        ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE vector_dims(e.embedding) = vector_dims(search_petitions.embedding)
    ORDER BY e.embedding <=> search_petitions.embedding, p.petition_id
    LIMIT k;
    IF NOT FOUND AND k > 0 AND EXISTS (SELECT FROM petitions.published_model) THEN
        RAISE EXCEPTION 'no published encoder gives vectors of % numbers', vector_dims(search_petitions.embedding);
    END IF;
END $$;
COMMENT ON FUNCTION petitions.search_petitions IS
    'The k published petitions nearest to a vector by exact cosine; embed the question with current_petition.encoder.';

CREATE FUNCTION petitions.similar_petitions(similar_to text, k integer DEFAULT 10)
RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
DECLARE
    wanted vector;
    made_by text;
BEGIN
    SELECT e.embedding, e.encoder INTO wanted, made_by
    FROM petitions.petition AS p
    JOIN petitions.published_model AS m ON m.source = p.source
    JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE p.petition_id = similar_to AND p.status <> 'hidden';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no published petition is called %', similar_to;
    END IF;
    RETURN QUERY
    SELECT p.petition_id, p.title, p.url, p.source, 1 - (e.embedding <=> wanted)
    FROM petitions.published_model AS m
    JOIN petitions.petition AS p
        ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE m.encoders[1] = made_by AND p.petition_id <> similar_to
    ORDER BY e.embedding <=> wanted, p.petition_id
    LIMIT k;
END $$;
COMMENT ON FUNCTION petitions.similar_petitions IS
    'The k published petitions nearest to a petition, by exact cosine under the published encoder, without itself.';

REVOKE ALL ON FUNCTION petitions.search_petitions, petitions.similar_petitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION petitions.search_petitions, petitions.similar_petitions TO petition_reader, petition_writer;
GRANT SELECT ON petitions.current_topic, petitions.current_petition, petitions.topic_trend, petitions.emerging_topic
    TO petition_reader, petition_writer;

-- What rose and fell between any two periods, what lies between topics, and what a petition is made of.

CREATE VIEW petitions.current_petition_topic AS
SELECT m.source, s.petition_id, s.topic_id, t.label, s.share AS topic_share, s.is_main, m.model_id
FROM petitions.published_model AS m
JOIN petitions.petition_topic AS s USING (model_id)
JOIN petitions.topic AS t USING (model_id, topic_id)
JOIN petitions.petition AS p USING (petition_id)
WHERE p.status <> 'hidden';
COMMENT ON VIEW petitions.current_petition_topic IS
    'One row is one topic of one petition under the published fit: all that it is made of, not its main topic alone.';
COMMENT ON COLUMN petitions.current_petition_topic.topic_share IS 'of the topic in the petition; they sum to 1';
COMMENT ON COLUMN petitions.current_petition_topic.is_main IS
    'no other has a larger share of the petition; of equal ones the lowest topic_id';

CREATE VIEW petitions.two_topic_petition AS
SELECT
    p.source, p.petition_id, p.title, main.topic_id, t.label, main.share AS topic_share,
    second.topic_id AS second_topic_id, u.label AS second_label, second.share AS second_share, p.n_agreements, p.begins_on,
    p.url, main.model_id
FROM petitions.main_topic AS main
JOIN petitions.petition AS p USING (petition_id)
JOIN petitions.topic AS t USING (model_id, topic_id)
CROSS JOIN LATERAL (
    SELECT s.topic_id, s.share FROM petitions.petition_topic AS s
    WHERE s.model_id = main.model_id AND s.petition_id = main.petition_id AND NOT s.is_main AND s.share >= 0.3
    ORDER BY s.share DESC, s.topic_id LIMIT 1
) AS second
JOIN petitions.topic AS u ON u.model_id = main.model_id AND u.topic_id = second.topic_id;
COMMENT ON VIEW petitions.two_topic_petition IS
    'One row is one petition of two topics under the published fit: the second one has 0.3 of it or more.';
COMMENT ON COLUMN petitions.two_topic_petition.topic_id IS 'its main topic, with label and share beside it';
COMMENT ON COLUMN petitions.two_topic_petition.topic_share IS 'of its main topic in the petition';
COMMENT ON COLUMN petitions.two_topic_petition.second_topic_id IS 'the topic with the next largest share';
COMMENT ON COLUMN petitions.two_topic_petition.second_label IS 'of that topic';
COMMENT ON COLUMN petitions.two_topic_petition.second_share IS 'of that topic in the petition; 0.3 to 0.5';

CREATE VIEW petitions.current_petition_tokens AS
SELECT m.source, p.petition_id, k.tokens, k.tokenizer
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
JOIN petitions.petition_tokens AS k
    ON k.petition_id = p.petition_id AND k.tokenizer = m.tokenizer AND k.content_hash = p.content_hash;
COMMENT ON VIEW petitions.current_petition_tokens IS
    'One row is the words of one petition of the published window, as the topics were fitted on them.';
COMMENT ON COLUMN petitions.current_petition_tokens.tokens IS 'in the order of the text; may be empty';
COMMENT ON COLUMN petitions.current_petition_tokens.tokenizer IS 'name and version of tokenizer, dictionary and stop words';

CREATE VIEW petitions.mention AS
SELECT p.source, p.petition_id, found.list, found.name, found.n_mentions, found.is_in_title
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
LEFT JOIN petitions.petition_mentions AS kept
    ON kept.petition_id = p.petition_id AND kept.content_hash = p.content_hash
        AND kept.lists = (SELECT lists FROM petitions.lists_today)
CROSS JOIN LATERAL (
    SELECT list, name, n_mentions, is_in_title
    FROM jsonb_to_recordset(kept.mentions)
        AS each (list text, name text, n_mentions integer, is_in_title boolean)
    UNION ALL
    SELECT read.list, read.name, read.n_mentions, read.is_in_title
    FROM petitions.found_mention AS read WHERE read.petition_id = p.petition_id AND kept.petition_id IS NULL
) AS found;
COMMENT ON VIEW petitions.mention IS
    'One row is one petition of the published window and one of the lists addressee and region that its text names: as kept
by the step tokenize, or from the text itself where that was edited since, or the lists were; not for readers.';

CREATE VIEW petitions.addressed_to AS
SELECT f.source, f.petition_id, a.addressee, a.kind, f.n_mentions, f.is_in_title
FROM petitions.mention AS f
JOIN petitions.addressee AS a ON f.list = 'addressee' AND a.addressee = f.name;
COMMENT ON VIEW petitions.addressed_to IS
    'One row is one petition of the published window and one whom its text names: a ministry, the Assembly, the president,
police and courts, local government. Named is not always addressed: n_mentions and is_in_title tell how much it is about
them. The list is the view addressee.';
COMMENT ON COLUMN petitions.addressed_to.addressee IS 'see the view addressee';
COMMENT ON COLUMN petitions.addressed_to.kind IS 'president, assembly, ministry (an agency too), justice or local government';
COMMENT ON COLUMN petitions.addressed_to.n_mentions IS 'how often title, purpose and body name them';
COMMENT ON COLUMN petitions.addressed_to.is_in_title IS 'the title names them too';

CREATE VIEW petitions.named_region AS
SELECT f.source, f.petition_id, r.region, r.province, f.n_mentions, f.is_in_title
FROM petitions.mention AS f
JOIN petitions.region AS r ON f.list = 'region' AND r.region = f.name;
COMMENT ON VIEW petitions.named_region IS
    'One row is one petition of the published window and one province or city that its text names; the list is the view
region. A city brings no row of its province, unless the text names that too.';
COMMENT ON COLUMN petitions.named_region.region IS 'see the view region';
COMMENT ON COLUMN petitions.named_region.province IS 'the province it is or lies in: count distinct petitions by it';
COMMENT ON COLUMN petitions.named_region.n_mentions IS 'how often title, purpose and body name it';
COMMENT ON COLUMN petitions.named_region.is_in_title IS 'the title names it too';

CREATE FUNCTION petitions.require_periods(since_a date, until_a date, since_b date, until_b date) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (since_a < until_a AND since_b < until_b) IS NOT TRUE THEN
        RAISE EXCEPTION 'a period must begin before it ends, got % to % and % to %', since_a, until_a, since_b, until_b;
    END IF;
END $$;
COMMENT ON FUNCTION petitions.require_periods IS 'Refuses two periods of which one is empty; not for readers.';

CREATE FUNCTION petitions.compare_proportions(n_a bigint, n_a_all bigint, n_b bigint, n_b_all bigint)
RETURNS double precision LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- nullif also where a filter would do: with constants the planner divides before it filters.
    SELECT (n_b::float8 / nullif(n_b_all, 0) - n_a::float8 / nullif(n_a_all, 0))
        / nullif(sqrt(p.p * (1 - p.p) * (1.0 / nullif(n_a_all, 0) + 1.0 / nullif(n_b_all, 0))), 0)
    FROM (SELECT (n_a + n_b)::float8 / nullif(n_a_all + n_b_all, 0) AS p) AS p;
$$;
COMMENT ON FUNCTION petitions.compare_proportions IS
    'Two-proportion z of n_b of n_b_all against n_a of n_a_all; null where one of both is of nothing, or all are; not for
readers.';

CREATE FUNCTION petitions.rising_topic(
    since_a date, until_a date, since_b date, until_b date, of_source text DEFAULT NULL
) RETURNS TABLE (
    source text, topic_id integer, label text, n_a bigint, n_a_all bigint, n_b bigint, n_b_all bigint,
    share_a double precision, share_b double precision, z double precision, model_id text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
BEGIN
    PERFORM petitions.require_periods(since_a, until_a, since_b, until_b);
    RETURN QUERY
    WITH counted AS (
        SELECT
            m.source, m.model_id, t.topic_id, t.label,
            count(*) FILTER (WHERE p.begins_on >= since_a AND p.begins_on < until_a) AS n_a,
            count(*) FILTER (WHERE p.begins_on >= since_b AND p.begins_on < until_b) AS n_b
        FROM petitions.published_model AS m
        JOIN petitions.topic AS t USING (model_id)
        LEFT JOIN petitions.main_topic AS main USING (model_id, topic_id)
        LEFT JOIN petitions.petition AS p USING (petition_id)
        WHERE m.source = coalesce(of_source, m.source)
        GROUP BY m.source, m.model_id, t.topic_id, t.label
    ), totalled AS (
        SELECT
            c.*, (sum(c.n_a) OVER every_topic)::bigint AS n_a_all, (sum(c.n_b) OVER every_topic)::bigint AS n_b_all
        FROM counted AS c
        WINDOW every_topic AS (PARTITION BY c.model_id)
    )
    SELECT
        c.source, c.topic_id, c.label, c.n_a, c.n_a_all, c.n_b, c.n_b_all,
        c.n_a::float8 / nullif(c.n_a_all, 0), c.n_b::float8 / nullif(c.n_b_all, 0),
        petitions.compare_proportions(c.n_a, c.n_a_all, c.n_b, c.n_b_all) AS z, c.model_id
    FROM totalled AS c
    ORDER BY z DESC NULLS LAST, c.source, c.topic_id;
END $$;
COMMENT ON FUNCTION petitions.rising_topic IS
    'The topics of the published fit (of a source, or of each) in two periods [since, until) of its window: petitions that
have it as main topic in a and in b, of how many, the two shares, and the two-proportion z of them. z over 0 rose, under
0 fell; between -2 and 2 it may well be chance. All topics are there, the most risen first.';

CREATE FUNCTION petitions.rising_term(
    since_a date, until_a date, since_b date, until_b date, of_source text DEFAULT NULL, at_least integer DEFAULT 5
) RETURNS TABLE (
    source text, term text, n_a bigint, n_a_all bigint, n_b bigint, n_b_all bigint,
    share_a double precision, share_b double precision, z double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET work_mem = '64MB' AS $$
BEGIN
    PERFORM petitions.require_periods(since_a, until_a, since_b, until_b);
    RETURN QUERY
    WITH read AS MATERIALIZED (
        SELECT
            m.source, k.tokens, (p.begins_on >= since_a AND p.begins_on < until_a) AS in_a,
            (p.begins_on >= since_b AND p.begins_on < until_b) AS in_b
        FROM petitions.published_model AS m
        JOIN petitions.petition AS p ON p.source = m.source AND p.begins_on < m.until AND p.status <> 'hidden'
        JOIN petitions.petition_tokens AS k ON k.petition_id = p.petition_id AND k.tokenizer = m.tokenizer
        WHERE m.source = coalesce(of_source, m.source)
            AND (p.begins_on >= since_a AND p.begins_on < until_a OR p.begins_on >= since_b AND p.begins_on < until_b)
    ), totalled AS (
        SELECT r.source, count(*) FILTER (WHERE r.in_a) AS n_a_all, count(*) FILTER (WHERE r.in_b) AS n_b_all
        FROM read AS r GROUP BY r.source
    ), counted AS (
        SELECT
            r.source, word.term, count(*) FILTER (WHERE r.in_a) AS n_a, count(*) FILTER (WHERE r.in_b) AS n_b
        FROM read AS r
        CROSS JOIN LATERAL (SELECT DISTINCT unnest(r.tokens) AS term) AS word
        GROUP BY r.source, word.term
        HAVING count(*) >= at_least
    )
    SELECT
        c.source, c.term, c.n_a, t.n_a_all, c.n_b, t.n_b_all,
        c.n_a::float8 / nullif(t.n_a_all, 0), c.n_b::float8 / nullif(t.n_b_all, 0),
        petitions.compare_proportions(c.n_a, t.n_a_all, c.n_b, t.n_b_all) AS z
    FROM counted AS c
    JOIN totalled AS t ON t.source = c.source
    ORDER BY z DESC NULLS LAST, c.source, c.term COLLATE "C";
END $$;
COMMENT ON FUNCTION petitions.rising_term IS
    'The words of petitions in two periods [since, until), before or in the published window: petitions that have the word
in a and in b, of how many, the two shares, and the two-proportion z of them. z over 0 rose, under 0 fell; there are
thousands of words, so that a z under 4 may well be chance. Words of under at_least petitions are left out; the most risen
first.';

REVOKE ALL ON FUNCTION petitions.require_periods, petitions.compare_proportions, petitions.rising_topic,
    petitions.rising_term FROM PUBLIC;
GRANT EXECUTE ON FUNCTION petitions.rising_topic, petitions.rising_term TO petition_reader, petition_writer;
GRANT SELECT ON petitions.current_petition_topic, petitions.two_topic_petition, petitions.current_petition_tokens,
    petitions.addressed_to, petitions.named_region TO petition_reader, petition_writer;

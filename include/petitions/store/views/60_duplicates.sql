-- Petitions that say the same as another one: the same text posted again, and the rewritten one.

CREATE VIEW petitions.duplicate_petition AS
SELECT
    source, first_value(petition_id) OVER by_age AS group_id, row_number() OVER by_age AS rank, n_same, petition_id,
    title, begins_on, n_agreements, url
FROM (
    SELECT
        spelled.*, count(*) OVER (PARTITION BY source, spelling) AS n_same
    FROM (
        SELECT
            p.source, p.petition_id, p.title, p.begins_on, p.n_agreements, p.url,
            sha256(convert_to(
                lower(regexp_replace(p.title || p.purpose || p.body, '[[:space:][:punct:]]', '', 'g')), 'UTF8'
            )) AS spelling
        FROM petitions.published_model AS m
        JOIN petitions.petition AS p
            ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    ) AS spelled
) AS counted
WHERE n_same > 1
WINDOW by_age AS (PARTITION BY source, spelling ORDER BY begins_on, petition_id);
COMMENT ON VIEW petitions.duplicate_petition IS
    'One row is one petition of the published window whose text was posted more than once in it.
The same text: title, purpose and body are equal but for case, spaces and punctuation.';
COMMENT ON COLUMN petitions.duplicate_petition.group_id IS 'petition_id of the first one with this text';
COMMENT ON COLUMN petitions.duplicate_petition.rank IS 'from 1, the first posted; of one day the petition_id decides';
COMMENT ON COLUMN petitions.duplicate_petition.n_same IS 'petitions with this text';
COMMENT ON COLUMN petitions.duplicate_petition.n_agreements IS 'as last seen';

CREATE VIEW petitions.token_set AS
SELECT m.source, p.petition_id, p.begins_on, words.tokens, cardinality(words.tokens) AS n_tokens
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
JOIN petitions.petition_tokens AS k ON k.petition_id = p.petition_id AND k.tokenizer = m.tokenizer
CROSS JOIN LATERAL (SELECT ARRAY(SELECT DISTINCT unnest(k.tokens)) AS tokens OFFSET 0) AS words
WHERE cardinality(words.tokens) >= 10;
COMMENT ON VIEW petitions.token_set IS
    'One row is the distinct tokens of one petition of a published window, if they are 10 or more; not for readers.';

-- A Jaccard of 0.5 or more without comparing all pairs. Such sets have at least half of the larger one's tokens in
-- common; put both in one order, rarest first: the first five common tokens of a set of n are then among its first
-- n - ceil(n / 2) + 5 (prefix filter of Chaudhuri and others 2006, "A primitive operator for similarity joins").
-- Postgres guesses that each array has 10 elements, hence the nested loops that are forbidden here: minutes otherwise.
CREATE FUNCTION petitions.rewritten_pairs()
RETURNS TABLE (earlier_id text, later_id text, token_overlap double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET enable_nestloop = off SET work_mem = '64MB' AS $$
    WITH sets AS MATERIALIZED (
        SELECT * FROM petitions.token_set
    ), ordered AS (
        SELECT counted.*, row_number() OVER (PARTITION BY petition_id ORDER BY n_with, token) AS place
        FROM (
            SELECT source, petition_id, begins_on, n_tokens, token, count(*) OVER (PARTITION BY source, token) AS n_with
            FROM sets CROSS JOIN LATERAL unnest(tokens) AS token
        ) AS counted
    ), rarest AS MATERIALIZED (
        SELECT * FROM ordered WHERE n_with > 1 AND place <= n_tokens - ceil(0.5 * n_tokens) + 5
    ), candidate AS (
        SELECT one.petition_id AS earlier_id, other.petition_id AS later_id
        FROM rarest AS one
        JOIN rarest AS other USING (source, token)
        WHERE (one.begins_on, one.petition_id) < (other.begins_on, other.petition_id)
            AND one.n_tokens >= 0.5 * other.n_tokens AND other.n_tokens >= 0.5 * one.n_tokens
        GROUP BY one.petition_id, other.petition_id
        HAVING count(*) >= 5
    ), measured AS MATERIALIZED (
        SELECT
            earlier_id, later_id, one.n_tokens + other.n_tokens AS n_tokens,
            (SELECT count(*) FROM unnest(one.tokens) AS a (token) JOIN unnest(other.tokens) AS b (token) USING (token))
                AS n_both
        FROM candidate
        JOIN sets AS one ON one.petition_id = earlier_id
        JOIN sets AS other ON other.petition_id = later_id
    )
    SELECT earlier_id, later_id, n_both::double precision / (n_tokens - n_both)
    FROM measured
    WHERE n_both >= 0.5 * (n_tokens - n_both)
$$;
COMMENT ON FUNCTION petitions.rewritten_pairs IS
    'The pairs of petitions of one published window whose token overlap, as in rewritten_petition, is 0.5 or more.';

CREATE VIEW petitions.rewritten_petition AS
WITH RECURSIVE pair AS MATERIALIZED (
    SELECT earlier_id, later_id, token_overlap FROM petitions.rewritten_pairs()
), edge AS MATERIALIZED (
    SELECT earlier_id AS petition_id, later_id AS other_id, token_overlap FROM pair
    UNION ALL
    SELECT later_id, earlier_id, token_overlap FROM pair
), reached AS (
    -- A group is what hangs together by pairs. Its first one has no earlier neighbour, so the way starts at such ones.
    SELECT DISTINCT earlier_id AS start_id, earlier_id AS petition_id
    FROM pair
    WHERE NOT EXISTS (SELECT FROM pair AS before WHERE before.later_id = pair.earlier_id)
    UNION
    SELECT reached.start_id, edge.other_id FROM reached JOIN edge USING (petition_id)
), grouped AS (
    SELECT DISTINCT ON (reached.petition_id) reached.petition_id, reached.start_id AS group_id
    FROM reached
    JOIN petitions.petition AS start ON start.petition_id = reached.start_id
    ORDER BY reached.petition_id, start.begins_on, start.petition_id
)
SELECT
    p.source, grouped.group_id,
    row_number() OVER (PARTITION BY grouped.group_id ORDER BY p.begins_on, p.petition_id) AS rank,
    count(*) OVER (PARTITION BY grouped.group_id) AS n_in_group,
    p.petition_id, p.title, nearest.token_overlap, p.begins_on, p.n_agreements, p.url
FROM grouped
JOIN petitions.petition AS p USING (petition_id)
JOIN (SELECT petition_id, max(token_overlap) AS token_overlap FROM edge GROUP BY petition_id) AS nearest
    USING (petition_id);
COMMENT ON VIEW petitions.rewritten_petition IS
    'One row is one petition of the published window that shares most of its words with another one of its source:
the same text or a rewritten one, in groups that hang together by pairs with a token overlap of 0.5 or more.
Petitions with fewer than 10 distinct tokens are left out: there an overlap is chance.';
COMMENT ON COLUMN petitions.rewritten_petition.group_id IS 'petition_id of the first one of the group';
COMMENT ON COLUMN petitions.rewritten_petition.rank IS 'from 1, the first posted; of one day the petition_id decides';
COMMENT ON COLUMN petitions.rewritten_petition.n_in_group IS 'petitions of the group';
COMMENT ON COLUMN petitions.rewritten_petition.token_overlap IS
    'with the nearest of the group: distinct tokens of both by those of either (Jaccard), 0.5 to 1; 1: the same words';
COMMENT ON COLUMN petitions.rewritten_petition.n_agreements IS 'as last seen';

-- Both thresholds by 2,000 petitions of 2019 and bert-small: all 12 pairs with a cosine of 0.99 or more say the same
-- (and have a token overlap of 0.43 or more), while below it stand those that are only of one kind, such as two
-- malpractice cases; of all pairs, one in a thousand is over 0.97.
CREATE FUNCTION petitions.near_duplicates(
    duplicate_of text, min_overlap double precision DEFAULT 0.5, min_similarity double precision DEFAULT 0.99
)
RETURNS TABLE (
    petition_id text, title text, url text, begins_on date, token_overlap double precision, similarity double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
DECLARE
    wanted record;
BEGIN
    SELECT p.source, m.encoders[1] AS encoder, e.embedding, s.tokens, s.n_tokens INTO wanted
    FROM petitions.petition AS p
    JOIN petitions.published_model AS m
        ON m.source = p.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    LEFT JOIN petitions.token_set AS s USING (petition_id)
    LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE p.petition_id = duplicate_of;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no published petition is called %', duplicate_of;
    END IF;
    RETURN QUERY
    SELECT p.petition_id, p.title, p.url, p.begins_on, measured.token_overlap, measured.similarity
    FROM (
        SELECT
            s.petition_id, 1 - (e.embedding <=> wanted.embedding) AS similarity,
            n.n_both::double precision / (wanted.n_tokens + s.n_tokens - n.n_both) AS token_overlap
        FROM petitions.token_set AS s
        CROSS JOIN LATERAL (
            SELECT count(*) AS n_both FROM unnest(s.tokens) AS token WHERE token = ANY (wanted.tokens)
        ) AS n
        LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = s.petition_id AND e.encoder = wanted.encoder
        WHERE s.source = wanted.source AND s.petition_id <> duplicate_of
    ) AS measured
    JOIN petitions.petition AS p USING (petition_id)
    WHERE measured.token_overlap >= min_overlap OR measured.similarity >= min_similarity
    ORDER BY measured.token_overlap DESC, p.petition_id;
END $$;

COMMENT ON FUNCTION petitions.near_duplicates IS
    'The petitions of the same source and window that say the same as one: those that share at least min_overlap of
their distinct tokens with it (Jaccard) or have a cosine of min_similarity or more with it under the published encoder
(0.99 suits bert-small; another one needs its own). Most in common first; those with under 10 tokens are left out.';

REVOKE ALL ON FUNCTION petitions.rewritten_pairs, petitions.near_duplicates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION petitions.rewritten_pairs, petitions.near_duplicates TO petition_reader, petition_writer;
GRANT SELECT ON petitions.duplicate_petition, petitions.rewritten_petition TO petition_reader, petition_writer;

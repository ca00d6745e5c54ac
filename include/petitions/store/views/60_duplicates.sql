-- Petitions that say the same as another one: the same text posted again, and one that stands in another. The step
-- find_copies has compared the texts; here is only looked up what it found.

CREATE VIEW petitions.duplicate_petition AS
SELECT
    source, first_value(petition_id) OVER by_age AS group_id, row_number() OVER by_age AS rank, n_same, petition_id,
    title, begins_on, n_agreements, url
FROM (
    SELECT
        p.source, p.petition_id, p.title, p.begins_on, p.n_agreements, p.url, f.spelling,
        count(*) OVER (PARTITION BY p.source, f.spelling) AS n_same
    FROM petitions.published_model AS m
    JOIN petitions.petition AS p
        ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    JOIN petitions.pipeline_step AS made ON made.run_id = m.run_id AND made.step = 'find_copies'
    JOIN petitions.petition_fingerprint AS f
        ON f.petition_id = p.petition_id AND f.method = made.made_by AND f.content_hash = p.content_hash
) AS spelled
WHERE n_same > 1
WINDOW by_age AS (PARTITION BY source, spelling ORDER BY begins_on, petition_id);
COMMENT ON VIEW petitions.duplicate_petition IS
    'One row is one petition of the published window whose text was posted more than once in it.
The same text: title, purpose and body are equal but for case, spaces and punctuation.';
COMMENT ON COLUMN petitions.duplicate_petition.group_id IS 'petition_id of the first one with this text';
COMMENT ON COLUMN petitions.duplicate_petition.rank IS 'from 1, the first posted; of one day the petition_id decides';
COMMENT ON COLUMN petitions.duplicate_petition.n_same IS 'petitions with this text';
COMMENT ON COLUMN petitions.duplicate_petition.n_agreements IS 'as last seen';

CREATE VIEW petitions.copy_pair AS
SELECT m.source, c.group_id, c.earlier_id, c.later_id, c.earlier_in_later, c.later_in_earlier, m.tokenizer
FROM petitions.published_model AS m
JOIN petitions.petition_copy AS c USING (run_id)
JOIN petitions.petition AS earlier ON earlier.petition_id = c.earlier_id AND earlier.status <> 'hidden'
JOIN petitions.petition AS later ON later.petition_id = c.later_id AND later.status <> 'hidden';
COMMENT ON VIEW petitions.copy_pair IS
    'One row is a pair of copies of the published window, neither of them hidden; not for readers.';

CREATE VIEW petitions.copy_member AS
SELECT DISTINCT ON (petition_id)
    source, petition_id, group_id, other_id, contained, contains, tokenizer
FROM (
    SELECT source, group_id, earlier_id AS petition_id, later_id AS other_id,
        earlier_in_later AS contained, later_in_earlier AS contains, tokenizer
    FROM petitions.copy_pair
    UNION ALL
    SELECT source, group_id, later_id, earlier_id, later_in_earlier, earlier_in_later, tokenizer
    FROM petitions.copy_pair
) AS seen
ORDER BY petition_id, contained + contains DESC, other_id;
COMMENT ON VIEW petitions.copy_member IS
    'One row is a petition of a group of copies, and the one of it that has most in common with it; not for readers.';

CREATE FUNCTION petitions.token_overlap(one_id text, other_id text, tokenizer text) RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE n = 2)::double precision / nullif(count(*), 0)
    FROM (
        SELECT token, count(DISTINCT k.petition_id) AS n
        FROM petitions.petition_tokens AS k CROSS JOIN LATERAL unnest(k.tokens) AS token
        WHERE k.petition_id IN (one_id, other_id) AND k.tokenizer = token_overlap.tokenizer
        GROUP BY token
    ) AS counted
$$;
COMMENT ON FUNCTION petitions.token_overlap IS
    'Of the distinct tokens of either of two petitions, the share that both have (Jaccard); null where neither has any.';

CREATE FUNCTION petitions.rewritten_pairs()
RETURNS TABLE (
    earlier_id text, later_id text, token_overlap double precision,
    earlier_in_later double precision, later_in_earlier double precision
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
    SELECT c.earlier_id, c.later_id, petitions.token_overlap(c.earlier_id, c.later_id, c.tokenizer),
        c.earlier_in_later, c.later_in_earlier
    FROM petitions.copy_pair AS c
$$;
COMMENT ON FUNCTION petitions.rewritten_pairs IS
    'The pairs by which the groups of rewritten_petition hang together: of one of the two at least two fifths stand in the
other. In a group of many each is compared with the first ones and those just before it, not with every one.';

CREATE VIEW petitions.rewritten_petition AS
SELECT
    c.source, first_value(p.petition_id) OVER by_age AS group_id, row_number() OVER by_age AS rank,
    count(*) OVER (PARTITION BY c.group_id) AS n_in_group,
    p.petition_id, p.title, petitions.token_overlap(c.petition_id, c.other_id, c.tokenizer) AS token_overlap,
    c.contained, c.contains, p.begins_on, p.n_agreements, p.url
FROM petitions.copy_member AS c
JOIN petitions.petition AS p USING (petition_id)
WINDOW by_age AS (PARTITION BY c.group_id ORDER BY p.begins_on, p.petition_id);
COMMENT ON VIEW petitions.rewritten_petition IS
    'One row is one petition of the published window that has its text in common with another one of its source:
posted again, with a part rewritten, or whole inside a longer one; in groups that hang together by such pairs. Of one
text of a pair at least two fifths, in runs of eight letters, stand in the other.';
COMMENT ON COLUMN petitions.rewritten_petition.group_id IS 'petition_id of the first one of the group';
COMMENT ON COLUMN petitions.rewritten_petition.rank IS 'from 1, the first posted; of one day the petition_id decides';
COMMENT ON COLUMN petitions.rewritten_petition.n_in_group IS 'petitions of the group';
COMMENT ON COLUMN petitions.rewritten_petition.token_overlap IS
    'with the nearest of the group: distinct tokens of both by those of either (Jaccard); 1: the same words';
COMMENT ON COLUMN petitions.rewritten_petition.contained IS 'share of its text that stands in the nearest of the group';
COMMENT ON COLUMN petitions.rewritten_petition.contains IS
    'share of the text of the nearest that stands in it; well below contained: it stands whole in a longer one';
COMMENT ON COLUMN petitions.rewritten_petition.n_agreements IS 'as last seen';

CREATE VIEW petitions.petition_copy_group AS
SELECT
    source, group_id, count(*) AS n_petitions, min(begins_on) AS first_on, max(begins_on) AS last_on,
    (array_agg(title ORDER BY rank))[1] AS title, sum(n_agreements) AS n_agreements,
    array_agg(petition_id ORDER BY rank) AS petition_ids
FROM petitions.rewritten_petition
GROUP BY source, group_id;
COMMENT ON VIEW petitions.petition_copy_group IS
    'One row is one group of petitions of the published window that say the same, as in rewritten_petition: a campaign,
or somebody who posted again.';
COMMENT ON COLUMN petitions.petition_copy_group.group_id IS 'petition_id of the first one';
COMMENT ON COLUMN petitions.petition_copy_group.n_petitions IS 'petitions of the group';
COMMENT ON COLUMN petitions.petition_copy_group.first_on IS 'day on which the first one began';
COMMENT ON COLUMN petitions.petition_copy_group.last_on IS 'day on which the last one began';
COMMENT ON COLUMN petitions.petition_copy_group.title IS 'of the first one';
COMMENT ON COLUMN petitions.petition_copy_group.n_agreements IS 'of all, as last seen; who agreed to two counts twice';
COMMENT ON COLUMN petitions.petition_copy_group.petition_ids IS 'all of the group, the first posted first';

-- The cosine by 2,000 petitions of 2019 and the small BERT of then: all 12 pairs with 0.99 or more say the same, while below it stand
-- those that are only of one kind, such as two malpractice cases; of all pairs, one in a thousand is over 0.97.
CREATE FUNCTION petitions.near_duplicates(
    duplicate_of text, min_overlap double precision DEFAULT 0.4, min_similarity double precision DEFAULT 0.99
)
RETURNS TABLE (
    petition_id text, title text, url text, begins_on date, token_overlap double precision,
    contained double precision, contains double precision, similarity double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp AS $$
DECLARE
    wanted record;
BEGIN
    SELECT m.source, m.since, m.until, m.tokenizer, m.encoders[1] AS encoder, e.embedding INTO wanted
    FROM petitions.petition AS p
    JOIN petitions.published_model AS m
        ON m.source = p.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
    LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE p.petition_id = duplicate_of;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no published petition is called %', duplicate_of;
    END IF;
    RETURN QUERY
    WITH pair AS MATERIALIZED (
        SELECT c.later_id AS other_id, c.later_in_earlier AS contained, c.earlier_in_later AS contains
        FROM petitions.copy_pair AS c WHERE c.earlier_id = duplicate_of
        UNION ALL
        SELECT c.earlier_id, c.earlier_in_later, c.later_in_earlier
        FROM petitions.copy_pair AS c WHERE c.later_id = duplicate_of
    ), similar_one AS (
        SELECT p.petition_id, 1 - (e.embedding <=> wanted.embedding) AS similarity
        FROM petitions.petition AS p
        JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = wanted.encoder
        WHERE p.source = wanted.source AND p.begins_on >= wanted.since AND p.begins_on < wanted.until
            AND p.status <> 'hidden' AND p.petition_id <> duplicate_of
    )
    SELECT
        p.petition_id, p.title, p.url, p.begins_on,
        petitions.token_overlap(duplicate_of, p.petition_id, wanted.tokenizer), pair.contained, pair.contains,
        s.similarity
    FROM pair
    FULL JOIN similar_one AS s ON s.petition_id = pair.other_id
    JOIN petitions.petition AS p ON p.petition_id = coalesce(pair.other_id, s.petition_id)
    WHERE greatest(pair.contained, pair.contains) >= min_overlap OR s.similarity >= min_similarity
    ORDER BY greatest(pair.contained, pair.contains) DESC NULLS LAST, s.similarity DESC, p.petition_id;
END $$;

COMMENT ON FUNCTION petitions.near_duplicates IS
    'The petitions of the same source and window that say the same as one: those of a pair with it (rewritten_pairs) of
which one has min_overlap (0.4 or more) of its text in the other, and those with a cosine of min_similarity or more with
it under the published encoder (0.99 suited a small BERT before; each needs its own). Most in common first.';

REVOKE ALL ON FUNCTION petitions.token_overlap, petitions.rewritten_pairs, petitions.near_duplicates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION petitions.token_overlap, petitions.rewritten_pairs, petitions.near_duplicates
    TO petition_reader, petition_writer;
GRANT SELECT ON petitions.duplicate_petition, petitions.rewritten_petition, petitions.petition_copy_group
    TO petition_reader, petition_writer;

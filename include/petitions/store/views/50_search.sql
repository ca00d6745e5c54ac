-- Search by meaning and by words. Vectors of an encoder with many petitions have an HNSW index of their own, which
-- petitions.prepare_search makes; petitions.bm25_petitions reads the GIN index of tokens.
DO $$ BEGIN PERFORM '[1]'::public.vector; END $$;  -- loads pgvector, so that its settings below are known

CREATE FUNCTION petitions.describe_published(
    made_by text, category text, status text, since date, until date
) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, petitions, public, pg_temp AS $$
    SELECT concat(
        '(',
        string_agg(
            format(
                '(p.source = %L AND p.begins_on >= %L AND p.begins_on < %L)',
                m.source, greatest(m.since, describe_published.since), least(m.until, describe_published.until)
            ),
            ' OR '
        ),
        ') AND p.status <> ''hidden''',
        ' AND p.category = ' || quote_literal(describe_published.category),
        ' AND p.status = ' || quote_literal(describe_published.status)
    )
    FROM petitions.published_model AS m
    WHERE m.encoders[1] = made_by
    HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION petitions.describe_published IS
    'The condition on petition p to be searched by this encoder and to keep to the filters that are not null.';

CREATE FUNCTION petitions.nearest_petitions(
    made_by text, wanted vector, k integer, category text, status text, since date, until date
) RETURNS TABLE (petition_id text, similarity double precision)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp
SET hnsw.ef_search = 120 SET hnsw.iterative_scan = relaxed_order SET hnsw.max_scan_tuples = 1000000
SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    among text := petitions.describe_published(made_by, category, status, since, until);
    distance text := 'e.embedding <=> $1';
    is_small boolean;
BEGIN
    IF among IS NULL THEN
        RETURN;
    END IF;
    -- Few petitions are compared one by one: exact, and faster than an index whose neighbours a filter throws away.
    EXECUTE 'SELECT count(*) <= 2000 FROM (SELECT FROM petitions.petition AS p WHERE ' || among || ' LIMIT 2001) AS s'
        INTO is_small;
    IF NOT is_small THEN  -- written as in the index of the encoder, or the planner would not know it
        distance := format('e.embedding::halfvec(%1$s) <=> $1::halfvec(%1$s)', vector_dims(wanted));
    END IF;
    -- Ten more than asked for, which the whole numbers put in order: halves swap near ones.
    RETURN QUERY EXECUTE format(
        'WITH near AS MATERIALIZED (
            SELECT e.petition_id, e.embedding
            FROM petitions.petition_embedding AS e JOIN petitions.petition AS p USING (petition_id)
            WHERE e.encoder = %L AND %s ORDER BY %s LIMIT %s
        ) SELECT near.petition_id, 1 - (near.embedding <=> $1) FROM near
        ORDER BY near.embedding <=> $1, near.petition_id LIMIT %s',
        made_by, among, distance, k + 10, k
    ) USING wanted;
END $$;
COMMENT ON FUNCTION petitions.nearest_petitions IS
    'The k published petitions nearest to a vector of this encoder by cosine: exact among 2,000, else by its index.';

CREATE FUNCTION petitions.bm25_petitions(
    made_by text, words text[], k integer, category text, status text, since date, until date
) RETURNS TABLE (petition_id text, score double precision)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp
SET jit = off SET random_page_cost = 1.1 SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n_all double precision := (SELECT reltuples FROM pg_class WHERE oid = 'petitions.petition_tokens'::regclass);
    split_by text;
    sources text[];
    first_days date[];
    ends date[];
    sorted text[];
    weights double precision[];
    rare text[];  -- those that together stand in at most 100 petitions
BEGIN
    SELECT min(m.tokenizer), array_agg(m.source), array_agg(m.since), array_agg(m.until)
    INTO split_by, sources, first_days, ends
    FROM petitions.published_model AS m
    WHERE m.encoders[1] = made_by;
    SELECT
        array_agg(token ORDER BY n, token),
        array_agg(ln(1 + greatest(n_all, n) / n) ORDER BY n, token),
        coalesce(array_agg(token) FILTER (WHERE so_far <= 100), '{}')
    INTO sorted, weights, rare
    FROM (
        SELECT w.token, counted.n, sum(counted.n) OVER (ORDER BY counted.n, w.token) AS so_far
        FROM (SELECT DISTINCT unnest(words) AS token) AS w
        CROSS JOIN LATERAL (
            SELECT coalesce(max(f.n_petitions), 1)::double precision AS n FROM petitions.token_frequency AS f
            WHERE f.tokenizer = split_by AND f.token = w.token
        ) AS counted
    ) AS known;
    IF sorted IS NULL THEN
        RETURN;
    END IF;
    IF cardinality(sorted) = 1 THEN
        rare := sorted;
    END IF;
    -- One statement without literals, so that a session plans it once.
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT t.petition_id, t.tokens, cardinality(t.tokens)::double precision AS n
        FROM (
            SELECT h.petition_id, h.tokens || '{}' AS tokens  -- unpacked here, not again for each word
            FROM petitions.petition_tokens AS h
            WHERE h.tokenizer = split_by AND (
                h.tokens && rare OR h.tokens @> sorted[1:2] OR h.tokens @> ARRAY[sorted[1], sorted[3]]
            )
            OFFSET 0  -- words first
        ) AS t
        JOIN petitions.petition AS p USING (petition_id)
        WHERE p.status <> 'hidden'
            AND (bm25_petitions.category IS NULL OR p.category = bm25_petitions.category)
            AND (bm25_petitions.status IS NULL OR p.status = bm25_petitions.status)
            AND (bm25_petitions.since IS NULL OR p.begins_on >= bm25_petitions.since)
            AND (bm25_petitions.until IS NULL OR p.begins_on < bm25_petitions.until)
            AND EXISTS (
                SELECT FROM unnest(sources, first_days, ends) AS shown (source, since, until)
                WHERE shown.source = p.source AND p.begins_on >= shown.since AND p.begins_on < shown.until
            )
        LIMIT 100
    )
    SELECT found.petition_id, s.score
    FROM (SELECT *, avg(n) OVER () AS n_mean FROM found) AS found
    CROSS JOIN LATERAL (
        SELECT sum(q.weight * q.tf * 2.2 / (q.tf + 1.2 * (0.25 + 0.75 * n / n_mean))) AS score
        FROM (
            SELECT weight, coalesce(cardinality(array_positions(found.tokens, token)), 0) AS tf
            FROM unnest(sorted[1:5], weights[1:5]) AS u (token, weight) OFFSET 0  -- or tf would be counted twice
        ) AS q
    ) AS s
    ORDER BY s.score DESC, found.petition_id
    LIMIT k;
END $$;
COMMENT ON FUNCTION petitions.bm25_petitions IS
    'The k published petitions that stand highest by BM25 (k1 1.2, b 0.75) over the five rarest words, among at most 100
that have a rare one, or the rarest and one of the next two: a common word alone would bring thousands.';

CREATE FUNCTION petitions.encoders_of_width(width integer) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, petitions, public, pg_temp AS $$
    SELECT DISTINCT m.encoders[1]
    FROM petitions.published_model AS m
    CROSS JOIN LATERAL (
        SELECT vector_dims(e.embedding) AS width
        FROM petitions.petition AS p
        JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
        WHERE p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until
        LIMIT 1
    ) AS one
    WHERE one.width = encoders_of_width.width;
$$;
COMMENT ON FUNCTION petitions.encoders_of_width IS 'The published encoders that give vectors of this width.';

CREATE FUNCTION petitions.search_petitions(
    embedding vector, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL
) RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    encoders text[] := ARRAY(SELECT petitions.encoders_of_width(vector_dims(embedding)));
BEGIN
    IF encoders = '{}' AND EXISTS (SELECT FROM petitions.published_model) THEN
        RAISE EXCEPTION 'no published encoder gives vectors of % numbers', vector_dims(embedding);
    END IF;
    RETURN QUERY
    SELECT p.petition_id, p.title, p.url, p.source, near.similarity
    FROM unnest(encoders) AS made_by
    CROSS JOIN petitions.nearest_petitions(
        made_by, search_petitions.embedding, k, search_petitions.category, search_petitions.status, since, until
    ) AS near
    JOIN petitions.petition AS p USING (petition_id)
    ORDER BY near.similarity DESC, p.petition_id
    LIMIT k;
END $$;
COMMENT ON FUNCTION petitions.search_petitions IS
    'The k published petitions nearest to a vector by cosine, of a category, status or days of beginning where given
(since is the first day, until the first after); embed the question with current_petition.encoder.';

CREATE FUNCTION petitions.search_petitions_hybrid(
    tokens text[], embedding vector, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL
) RETURNS TABLE (
    petition_id text, title text, url text, source text, score double precision, similarity double precision,
    vector_rank integer, token_rank integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n integer := greatest(30, k);  -- of each list: who stands in neither top is not among the best of both
    encoders text[] := CASE
        WHEN embedding IS NULL THEN ARRAY(SELECT DISTINCT m.encoders[1] FROM petitions.published_model AS m)
        ELSE ARRAY(SELECT petitions.encoders_of_width(vector_dims(embedding)))
    END;
BEGIN
    IF encoders = '{}' AND embedding IS NOT NULL AND EXISTS (SELECT FROM petitions.published_model) THEN
        RAISE EXCEPTION 'no published encoder gives vectors of % numbers', vector_dims(embedding);
    END IF;
    RETURN QUERY
    WITH by_vector AS MATERIALIZED (
        SELECT
            near.petition_id, near.similarity,
            row_number() OVER (ORDER BY near.similarity DESC, near.petition_id)::integer AS place
        FROM unnest(encoders) AS made_by
        CROSS JOIN petitions.nearest_petitions(
            made_by, search_petitions_hybrid.embedding, n, search_petitions_hybrid.category,
            search_petitions_hybrid.status, since, until
        ) AS near
        WHERE search_petitions_hybrid.embedding IS NOT NULL
    ), by_token AS MATERIALIZED (
        SELECT
            found.petition_id, row_number() OVER (ORDER BY found.score DESC, found.petition_id)::integer AS place
        FROM unnest(encoders) AS made_by
        CROSS JOIN petitions.bm25_petitions(
            made_by, tokens, n, search_petitions_hybrid.category, search_petitions_hybrid.status, since, until
        ) AS found
    ), fused AS (
        SELECT
            coalesce(v.petition_id, t.petition_id) AS id, v.similarity, v.place AS vector_place,
            t.place AS token_place,
            (coalesce(1.0 / (60 + v.place), 0) + coalesce(1.0 / (60 + t.place), 0))::double precision AS fused_score
        FROM by_vector AS v FULL JOIN by_token AS t ON t.petition_id = v.petition_id
        ORDER BY fused_score DESC, id
        LIMIT k
    )
    SELECT p.petition_id, p.title, p.url, p.source, f.fused_score, f.similarity, f.vector_place, f.token_place
    FROM fused AS f JOIN petitions.petition AS p ON p.petition_id = f.id
    ORDER BY f.fused_score DESC, p.petition_id;
END $$;
COMMENT ON FUNCTION petitions.search_petitions_hybrid IS
    'The k petitions that stand best in search_petitions and in BM25 over the tokens of the question, by reciprocal
rank fusion: score is the sum of 1 / (60 + rank), Cormack and others 2009. A rank is null beyond the first 30.
Without an embedding the words alone decide, over all published fits.';

CREATE FUNCTION petitions.similar_petitions(
    similar_to text, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL
) RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
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
    SELECT p.petition_id, p.title, p.url, p.source, near.similarity
    FROM petitions.nearest_petitions(
        made_by, wanted, k + 1, similar_petitions.category, similar_petitions.status, since, until
    ) AS near
    JOIN petitions.petition AS p USING (petition_id)
    WHERE p.petition_id <> similar_to
    ORDER BY near.similarity DESC, p.petition_id
    LIMIT k;
END $$;
COMMENT ON FUNCTION petitions.similar_petitions IS
    'The k published petitions nearest to a petition by cosine under the published encoder, without itself; filters
as in search_petitions.';

CREATE FUNCTION petitions.prepare_search(made_by text, at_least integer DEFAULT 2000) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET maintenance_work_mem = '1GB' SET max_parallel_maintenance_workers = 0 AS $$
DECLARE
    wanted text := 'petition_embedding_hnsw_' || left(md5(made_by), 12);
    width integer;
    other text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('petitions.prepare_search'));
    FOR other IN
        SELECT indexname FROM pg_indexes
        WHERE schemaname = 'petitions' AND indexname LIKE 'petition\_embedding\_hnsw\_%' AND indexname <> wanted
            AND indexname <> ALL (ARRAY(
                SELECT 'petition_embedding_hnsw_' || left(md5(encoders[1]), 12) FROM petitions.published_model
            ))
    LOOP
        EXECUTE format('DROP INDEX petitions.%I', other);
    END LOOP;
    SELECT vector_dims(e.embedding) INTO width FROM petitions.petition_embedding AS e WHERE e.encoder = made_by
        OFFSET greatest(at_least - 1, 0) LIMIT 1;
    IF width <= 4000 AND to_regclass('petitions.' || wanted) IS NULL THEN  -- 4,000: the most that halfvec indexes
        EXECUTE format(
            'CREATE INDEX %I ON petitions.petition_embedding USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops)
            WITH (m = 16, ef_construction = 64) WHERE encoder = %L',
            wanted, width, made_by
        );
        ANALYZE petitions.petition, petitions.petition_embedding, petitions.petition_tokens;
    END IF;
    WITH counted AS MATERIALIZED (
        SELECT t.tokenizer, u.token, count(*) AS n_petitions
        FROM petitions.petition_tokens AS t CROSS JOIN LATERAL (SELECT DISTINCT unnest(t.tokens) AS token) AS u
        GROUP BY t.tokenizer, u.token
    ), gone AS (
        DELETE FROM petitions.token_frequency AS f
        WHERE NOT EXISTS (SELECT FROM counted AS c WHERE c.tokenizer = f.tokenizer AND c.token = f.token)
    )
    INSERT INTO petitions.token_frequency AS f (tokenizer, token, n_petitions) SELECT * FROM counted
    ON CONFLICT (tokenizer, token) DO UPDATE SET n_petitions = excluded.n_petitions
    WHERE f.n_petitions <> excluded.n_petitions;
    RETURN (SELECT indexname FROM pg_indexes WHERE schemaname = 'petitions' AND indexname = wanted);
END $$;
COMMENT ON FUNCTION petitions.prepare_search IS
    'Make the index of an encoder, drop those of encoders that are not published, count petitions by token. Gives the
name of the index, null below at_least vectors. Writers of vectors wait while it is built; readers do not.';

REVOKE ALL ON FUNCTION
    petitions.describe_published, petitions.nearest_petitions, petitions.bm25_petitions, petitions.encoders_of_width,
    petitions.search_petitions, petitions.search_petitions_hybrid, petitions.similar_petitions,
    petitions.prepare_search
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    petitions.search_petitions, petitions.search_petitions_hybrid, petitions.similar_petitions
TO petition_reader, petition_writer;
GRANT EXECUTE ON FUNCTION petitions.prepare_search TO petition_writer;

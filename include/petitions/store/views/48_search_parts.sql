-- What search is made of: the nearest vectors, and BM25 over the tokens. Vectors of an encoder with many petitions have an
-- HNSW index of their own, which petitions.prepare_search makes; petitions.bm25_petitions reads the GIN index of tokens.
DO $$ BEGIN PERFORM '[1]'::public.vector; END $$;  -- loads pgvector, so that its settings below are known

CREATE FUNCTION petitions.describe_published(
    made_by text, category text, status text, since date, until date, of_source text
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
    WHERE m.encoders[1] = made_by AND (of_source IS NULL OR m.source = of_source)
    HAVING count(*) > 0;
$$;
COMMENT ON FUNCTION petitions.describe_published IS
    'The condition on petition p to be searched by this encoder and to keep to the filters that are not null.';

CREATE FUNCTION petitions.nearest_petitions(
    made_by text, wanted vector, k integer, category text, status text, since date, until date,
    of_source text
) RETURNS TABLE (petition_id text, similarity double precision)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp
SET hnsw.ef_search = 120 SET hnsw.iterative_scan = relaxed_order SET hnsw.max_scan_tuples = 1000000
SET work_mem = '64MB' SET jit = off AS $$
DECLARE
    among text := petitions.describe_published(made_by, category, status, since, until, of_source);
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
    made_by text, split_by text, words text[], k integer, category text, status text, since date, until date,
    of_source text
) RETURNS TABLE (petition_id text, score double precision)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp
SET jit = off SET random_page_cost = 1.1 SET enable_hashjoin = off SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n_all double precision := (SELECT reltuples FROM pg_class WHERE oid = 'petitions.petition_tokens'::regclass);
    sources text[];
    first_days date[];
    ends date[];
    sorted text[];
    weights double precision[];
    rare text[];  -- those that together stand in at most 100 petitions
BEGIN
    SELECT array_agg(m.source), array_agg(m.since), array_agg(m.until)
    INTO sources, first_days, ends
    FROM petitions.published_model AS m
    WHERE m.encoders[1] = made_by AND m.tokenizer = split_by AND (of_source IS NULL OR m.source = of_source);
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
    'The k petitions, published with this encoder and tokenizer, that stand highest by BM25 (k1 1.2, b 0.75) over the
five rarest words, among at most 100 that have a rare one, or the rarest and one of the next two: a common word alone
would bring thousands.';

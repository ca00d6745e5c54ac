-- What search is made of: the nearest vectors; BM25F over the words, in 49_words.sql. Vectors of an encoder with many
-- petitions have an HNSW index of their own, which petitions.prepare_search makes.
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

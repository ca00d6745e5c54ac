-- Search by meaning and by words, for readers.
CREATE FUNCTION petitions.encoders_of_width(width integer, of_source text) RETURNS SETOF text
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
    WHERE one.width = encoders_of_width.width AND (of_source IS NULL OR m.source = of_source)
    ORDER BY 1;
$$;
COMMENT ON FUNCTION petitions.encoders_of_width IS
    'The encoders by which a source, or null for all, is searched and that give vectors of this width.';

-- Two encoders of one width, such as the same model trained again, give numbers that mean nothing to each other.
CREATE FUNCTION petitions.choose_encoder(width integer, of_source text, encoder text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, petitions, public, pg_temp AS $$
DECLARE
    published text[] := ARRAY(
        SELECT DISTINCT m.encoders[1] FROM petitions.published_model AS m
        WHERE of_source IS NULL OR m.source = of_source ORDER BY 1
    );
    fitting text[] := ARRAY(SELECT petitions.encoders_of_width(width, of_source));
BEGIN
    IF published = '{}' THEN
        RETURN NULL;
    END IF;
    IF encoder <> ALL (published) THEN
        RAISE EXCEPTION 'the vector is by %, but % is searched by %',
            encoder, coalesce(of_source, 'what is published'), array_to_string(published, ', ');
    END IF;
    IF fitting = '{}' OR encoder <> ALL (fitting) THEN
        RAISE EXCEPTION 'no published encoder gives vectors of % numbers', width;
    END IF;
    IF encoder IS NULL AND cardinality(fitting) > 1 THEN
        RAISE EXCEPTION 'published are vectors of % numbers by %: say by encoder => whose yours is',
            width, array_to_string(fitting, ', ');
    END IF;
    RETURN coalesce(encoder, fitting[1]);
END $$;
COMMENT ON FUNCTION petitions.choose_encoder IS
    'The encoder that a vector of this width is compared by: the one named, if a source (null: any) is searched by it,
else the only one of the width. Null before the first was published.';

CREATE FUNCTION petitions.search_petitions(
    embedding vector, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    of_source text DEFAULT NULL, encoder text DEFAULT NULL
) RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    made_by text := petitions.choose_encoder(vector_dims(embedding), of_source, encoder);
BEGIN
    RETURN QUERY
    SELECT p.petition_id, p.title, p.url, p.source, near.similarity
    FROM petitions.nearest_petitions(
        made_by, search_petitions.embedding, k, search_petitions.category, search_petitions.status, since, until,
        of_source
    ) AS near
    JOIN petitions.petition AS p USING (petition_id)
    ORDER BY near.similarity DESC, p.petition_id
    LIMIT k;
END $$;
COMMENT ON FUNCTION petitions.search_petitions IS
    'The k published petitions nearest to a vector by cosine, of a category, status, days of beginning (since is the first
day, until the first after) or source (of_source) where given. Name the encoder of the vector (`petitions embed`), which
is refused unless it is current_petition.encoder: only what was published with it is searched.';

CREATE FUNCTION petitions.search_petitions_hybrid(
    tokens text[], embedding vector, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    of_source text DEFAULT NULL, encoder text DEFAULT NULL
) RETURNS TABLE (
    petition_id text, title text, url text, source text, score double precision, similarity double precision,
    vector_rank integer, token_rank integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n integer := greatest(30, k);  -- of each list: who stands in neither top is not among the best of both
    made_by text := CASE
        WHEN embedding IS NOT NULL THEN petitions.choose_encoder(vector_dims(embedding), of_source, encoder)
    END;
BEGIN
    RETURN QUERY
    WITH by_vector AS MATERIALIZED (
        SELECT
            near.petition_id, near.similarity,
            row_number() OVER (ORDER BY near.similarity DESC, near.petition_id)::integer AS place
        FROM petitions.nearest_petitions(
            made_by, search_petitions_hybrid.embedding, n, search_petitions_hybrid.category,
            search_petitions_hybrid.status, since, until, of_source
        ) AS near
        WHERE search_petitions_hybrid.embedding IS NOT NULL
    ), by_token AS MATERIALIZED (
        SELECT
            found.petition_id, row_number() OVER (ORDER BY found.score DESC, found.petition_id)::integer AS place
        FROM (
            SELECT DISTINCT m.encoders[1] AS encoder, m.tokenizer FROM petitions.published_model AS m
            WHERE (search_petitions_hybrid.embedding IS NULL OR m.encoders[1] = made_by)
                AND (of_source IS NULL OR m.source = of_source)
        ) AS fit
        CROSS JOIN petitions.bm25_petitions(
            fit.encoder, fit.tokenizer, tokens, n, search_petitions_hybrid.category, search_petitions_hybrid.status,
            since, until, of_source
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
The encoder is that of the vector, as in search_petitions. Without an embedding the words alone decide, over all
published fits.';

CREATE FUNCTION petitions.similar_petitions(
    similar_to text, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    of_source text DEFAULT NULL
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
        made_by, wanted, k + 1, similar_petitions.category, similar_petitions.status, since, until, of_source
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
    petitions.choose_encoder, petitions.search_petitions, petitions.search_petitions_hybrid,
    petitions.similar_petitions, petitions.prepare_search
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    petitions.search_petitions, petitions.search_petitions_hybrid, petitions.similar_petitions
TO petition_reader, petition_writer;
GRANT EXECUTE ON FUNCTION petitions.prepare_search TO petition_writer;

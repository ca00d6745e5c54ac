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

-- Filters and the source come after what is asked; `question` is last, since positions are fixed.
CREATE FUNCTION petitions.search_petitions_hybrid(
    tokens text[], embedding vector, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    of_source text DEFAULT NULL, encoder text DEFAULT NULL, question text DEFAULT NULL,
    vector_weight double precision DEFAULT NULL
) RETURNS TABLE (
    petition_id text, title text, url text, source text, score double precision, similarity double precision,
    vector_rank integer, token_rank integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n integer := greatest(50, k);  -- of each list: who stands in neither top is not among the best of both
    made_by text := CASE
        WHEN embedding IS NOT NULL THEN petitions.choose_encoder(vector_dims(embedding), of_source, encoder)
    END;
    weight double precision := coalesce(
        search_petitions_hybrid.vector_weight,
        (SELECT w.search_weight FROM petitions.encoder_weight AS w WHERE w.encoder = made_by), 0
    );
    by_word text[];
    shares double precision[];  -- of the best score by words
BEGIN
    IF search_petitions_hybrid.vector_weight < 0 OR search_petitions_hybrid.vector_weight > 1e6 THEN  -- NaN is the greatest number
        RAISE EXCEPTION 'vector_weight must be from 0 to 1000000, got %', search_petitions_hybrid.vector_weight;
    END IF;
    SELECT
        array_agg(found.petition_id ORDER BY found.score DESC, found.petition_id),
        array_agg(found.score / found.best ORDER BY found.score DESC, found.petition_id)
    INTO by_word, shares
    FROM (
        SELECT b.petition_id, b.score, max(b.score) OVER () AS best
        FROM petitions.bm25_petitions(
            made_by, tokens, n, search_petitions_hybrid.category, search_petitions_hybrid.status, since, until, of_source
        ) AS b
    ) AS found;
    IF by_word IS NULL AND question IS NOT NULL THEN
        SELECT array_agg(found.petition_id ORDER BY found.place), array_agg(1.0 / found.place ORDER BY found.place)
        INTO by_word, shares
        FROM petitions.substring_petitions(
            made_by, question, n, search_petitions_hybrid.category, search_petitions_hybrid.status, since, until, of_source
        ) WITH ORDINALITY AS found (petition_id, score, place);
    END IF;
    IF by_word IS NULL AND question IS NULL AND weight = 0 THEN
        weight := 1;  -- nothing but the vector was given, or nothing of the words is known
    END IF;
    RETURN QUERY
    WITH by_vector AS MATERIALIZED (
        SELECT
            near.petition_id, near.similarity,
            row_number() OVER (ORDER BY near.similarity DESC, near.petition_id)::integer AS place
        FROM petitions.nearest_petitions(
            made_by, search_petitions_hybrid.embedding, n, search_petitions_hybrid.category,
            search_petitions_hybrid.status, since, until, of_source
        ) AS near
        WHERE weight > 0 AND search_petitions_hybrid.embedding IS NOT NULL
    ), fused AS (
        SELECT
            coalesce(v.petition_id, t.petition_id) AS id, near.similarity, v.place AS vector_place,
            t.place::integer AS token_place, coalesce(t.share, 0) + weight * coalesce(near.similarity, 0) AS fused_score
        FROM by_vector AS v
        FULL JOIN unnest(by_word, shares) WITH ORDINALITY AS t (petition_id, share, place)
            ON t.petition_id = v.petition_id
        LEFT JOIN petitions.petition_embedding AS e  -- of those that only words have found
            ON weight > 0 AND v.petition_id IS NULL AND e.petition_id = t.petition_id AND e.encoder = made_by
        CROSS JOIN LATERAL (
            SELECT coalesce(v.similarity, 1 - (e.embedding <=> search_petitions_hybrid.embedding)) AS similarity
        ) AS near
        ORDER BY fused_score DESC, id
        LIMIT k
    )
    SELECT p.petition_id, p.title, p.url, p.source, f.fused_score, f.similarity, f.vector_place, f.token_place
    FROM fused AS f JOIN petitions.petition AS p ON p.petition_id = f.id
    ORDER BY f.fused_score DESC, p.petition_id;
END $$;
COMMENT ON FUNCTION petitions.search_petitions_hybrid IS
    'The k petitions that stand best by BM25F over the words of the question (`petitions tokens --search`) and in
search_petitions: score is the share of the best score by words, 0 to 1, and weight times the cosine. The weight is that
of the encoder in encoder_weight, as measured, or vector_weight; at 0 the words alone decide. A rank is null beyond the
first 50 of its list, of which the ranking is made. Where no word is found, the letters of the question are looked for, if given. The encoder is that of the vector,
as in search_petitions. Without an embedding the words alone decide, over all published fits.';

CREATE FUNCTION petitions.similar_petitions(
    similar_to text, k integer DEFAULT 10,
    category text DEFAULT NULL, status text DEFAULT NULL, since date DEFAULT NULL, until date DEFAULT NULL,
    of_source text DEFAULT NULL, vector_weight double precision DEFAULT NULL
) RETURNS TABLE (petition_id text, title text, url text, source text, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n integer := greatest(50, k) + 1;
    wanted vector;
    made_by text;
    named_by text;
    weight double precision;
    asked text[];
    weights double precision[];
    by_word text[];
    shares double precision[];  -- of the best score by words
BEGIN
    IF similar_petitions.vector_weight < 0 OR similar_petitions.vector_weight > 1e6 THEN  -- NaN is the greatest number
        RAISE EXCEPTION 'vector_weight must be from 0 to 1000000, got %', similar_petitions.vector_weight;
    END IF;
    SELECT e.embedding, m.encoders[1], m.tokenizer INTO wanted, made_by, named_by
    FROM petitions.petition AS p
    JOIN petitions.published_model AS m
        ON m.source = p.source AND p.begins_on >= m.since AND p.begins_on < m.until
    LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1]
    WHERE p.petition_id = similar_to AND p.status <> 'hidden';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no published petition is called %', similar_to;
    END IF;
    WITH of_words AS MATERIALIZED (
        SELECT u.word, petitions.number_word(u.word) AS number
        FROM petitions.petition_words AS w CROSS JOIN LATERAL unnest(w.words) AS u (word) WHERE w.petition_id = similar_to
    ), of_levels AS MATERIALIZED (
        SELECT u.level, u.level / 16 AS number
        FROM petitions.petition_words AS w CROSS JOIN LATERAL unnest(w.levels) AS u (level) WHERE w.petition_id = similar_to
    ), of_topics AS MATERIALIZED (
        SELECT DISTINCT u.word
        FROM petitions.petition_tokens AS k CROSS JOIN LATERAL unnest(k.tokens) AS u (word)
        WHERE k.petition_id = similar_to AND k.tokenizer = named_by
    )
    SELECT array_agg(word), array_agg(of_text)
    INTO asked, weights
    FROM (
        SELECT word, (level % 16 + 0.5) * 2.2 / 16 * CASE WHEN of_topics.word IS NULL THEN 1 ELSE 2 END AS of_text
        FROM of_words JOIN of_levels USING (number) LEFT JOIN of_topics USING (word)
        ORDER BY of_text DESC, length(word) DESC, word
        LIMIT 64  -- of equal ones the longer, which are rarer: to count all words would take longer than to rank
    ) AS heaviest;
    SELECT array_agg(found.petition_id), array_agg(found.score / found.best)
    INTO by_word, shares
    FROM (
        SELECT b.petition_id, b.score, max(b.score) OVER () AS best
        FROM petitions.bm25_petitions(
            made_by, asked, n, similar_petitions.category, similar_petitions.status, since, until, of_source, weights, 2
        ) AS b
        WHERE b.petition_id <> similar_to
    ) AS found;
    weight := coalesce(
        similar_petitions.vector_weight,
        (SELECT w.similar_weight FROM petitions.encoder_weight AS w WHERE w.encoder = made_by), 0
    );
    IF by_word IS NULL AND weight = 0 THEN
        weight := 1;  -- without words the vectors are what there is
    END IF;
    RETURN QUERY
    WITH by_vector AS MATERIALIZED (
        SELECT near.petition_id, near.similarity
        FROM petitions.nearest_petitions(
            made_by, wanted, n, similar_petitions.category, similar_petitions.status, since, until, of_source
        ) AS near
        WHERE weight > 0 AND wanted IS NOT NULL AND near.petition_id <> similar_to
    ), fused AS (
        SELECT
            coalesce(v.petition_id, t.petition_id) AS id,
            coalesce(t.share, 0) + weight * coalesce(v.similarity, 1 - (e.embedding <=> wanted), 0) AS fused_score
        FROM by_vector AS v
        FULL JOIN unnest(by_word, shares) AS t (petition_id, share) ON t.petition_id = v.petition_id
        LEFT JOIN petitions.petition_embedding AS e  -- of those that only words have found
            ON weight > 0 AND v.petition_id IS NULL AND e.petition_id = t.petition_id AND e.encoder = made_by
        ORDER BY fused_score DESC, id
        LIMIT k
    )
    SELECT p.petition_id, p.title, p.url, p.source, 1 - (e.embedding <=> wanted)
    FROM fused AS f
    JOIN petitions.petition AS p ON p.petition_id = f.id
    LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = f.id AND e.encoder = made_by
    ORDER BY f.fused_score DESC, p.petition_id;
END $$;
COMMENT ON FUNCTION petitions.similar_petitions IS
    'The k published petitions most like a petition, without itself, the most like first: by BM25F over its own 32
weightiest words, of which those that topics are made of (nouns, compounds) count twice, as a share of the best score, and
by cosine under the published encoder times its weight in encoder_weight (or vector_weight), which is 0 for vectors that do
not help. similarity is the cosine; filters as in search_petitions.';

CREATE VIEW petitions.numbered_petition AS
SELECT
    row_number() OVER (ORDER BY p.begins_on, p.petition_id)::integer AS number, p.petition_id, p.source, p.begins_on,
    p.category, p.status
FROM petitions.petition_words AS w JOIN petitions.petition AS p USING (petition_id);
COMMENT ON VIEW petitions.numbered_petition IS 'One row is what searched_petition holds once search is prepared.';

CREATE FUNCTION petitions.count_words(at_least integer DEFAULT 20) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, petitions, public, pg_temp
SET work_mem = '256MB' SET jit = off SET synchronize_seqscans = off AS $$
BEGIN
    -- By day, so that new petitions come last, and what has not changed is not written again: as long as the lists follow
    -- the order of petition_words on the disk. To sort them would take a third more.
    DELETE FROM petitions.searched_petition WHERE (number, petition_id, source, begins_on, category, status) NOT IN (
        SELECT number, petition_id, source, begins_on, category, status FROM petitions.numbered_petition
    );
    INSERT INTO petitions.searched_petition (number, petition_id, source, begins_on, category, status)
    SELECT number, petition_id, source, begins_on, category, status FROM petitions.numbered_petition
    ON CONFLICT DO NOTHING;
    WITH common AS MATERIALIZED (
        SELECT u.level / 16 AS number
        FROM petitions.petition_words AS w
        JOIN petitions.searched_petition AS s USING (petition_id)
        CROSS JOIN LATERAL unnest(w.levels) AS u (level)
        GROUP BY 1 HAVING count(*) >= at_least
    ), counted AS MATERIALIZED (
        SELECT u.level, count(*) AS n, array_agg(s.number) AS numbers
        FROM petitions.petition_words AS w
        JOIN petitions.searched_petition AS s USING (petition_id)
        CROSS JOIN LATERAL unnest(w.levels) AS u (level)
        JOIN common AS c ON c.number = u.level / 16
        GROUP BY u.level
        UNION ALL SELECT 0, count(*), '{}' FROM petitions.petition_words
    ), gone AS (
        DELETE FROM petitions.word_level AS l WHERE NOT EXISTS (SELECT FROM counted AS c WHERE c.level = l.level)
    )
    INSERT INTO petitions.word_level AS l (level, n_petitions, numbers)
    SELECT c.level, c.n, c.numbers  -- what is the same is left out here: a conflict would lock its row, which is a write
    FROM counted AS c LEFT JOIN petitions.word_level AS had USING (level)
    WHERE had.level IS NULL OR had.n_petitions <> c.n OR had.numbers <> c.numbers
    ON CONFLICT (level) DO UPDATE SET n_petitions = excluded.n_petitions, numbers = excluded.numbers;
END $$;
COMMENT ON FUNCTION petitions.count_words IS
    'List and count the petitions by word and level of weight, of words that at_least petitions have; rarer ones are looked
up when they are asked for.';

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
        ANALYZE petitions.petition, petitions.petition_embedding;
    END IF;
    PERFORM petitions.count_words();
    RETURN (SELECT indexname FROM pg_indexes WHERE schemaname = 'petitions' AND indexname = wanted);
END $$;
COMMENT ON FUNCTION petitions.prepare_search IS
    'Make the index of an encoder, drop those of encoders that are not published, count petitions by word. Gives the
name of the index, null below at_least vectors. Writers of vectors wait while it is built; readers do not.';

REVOKE ALL ON FUNCTION
    petitions.describe_published, petitions.nearest_petitions, petitions.bm25_petitions, petitions.encoders_of_width,
    petitions.number_word, petitions.count_word, petitions.substring_petitions, petitions.count_words,
    petitions.choose_encoder, petitions.search_petitions, petitions.search_petitions_hybrid,
    petitions.similar_petitions, petitions.prepare_search
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    petitions.search_petitions, petitions.search_petitions_hybrid, petitions.similar_petitions
TO petition_reader, petition_writer;
GRANT EXECUTE ON FUNCTION petitions.prepare_search TO petition_writer;

CREATE VIEW petitions.searched_encoder AS
SELECT
    m.source, m.encoders[1] AS encoder, coalesce(w.search_weight, 0) AS search_weight,
    coalesce(w.similar_weight, 0) AS similar_weight, w.encoder IS NOT NULL AS is_measured,
    (
        SELECT count(*) FROM petitions.petition AS p
        WHERE p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
            AND NOT EXISTS (SELECT FROM petitions.petition_words AS f WHERE f.petition_id = p.petition_id)
    ) AS n_without_words
FROM petitions.published_model AS m
LEFT JOIN petitions.encoder_weight AS w ON w.encoder = m.encoders[1];
COMMENT ON VIEW petitions.searched_encoder IS
    'One row is one published source, and how much the vectors that it is searched by count beside plain words.';
COMMENT ON COLUMN petitions.searched_encoder.source IS 'assembly, bluehouse or sample';
COMMENT ON COLUMN petitions.searched_encoder.encoder IS 'name of the weights and their hash';
COMMENT ON COLUMN petitions.searched_encoder.search_weight IS
    'of the cosine in search_petitions_hybrid; the best score by words counts 1; 0: the words alone decide';
COMMENT ON COLUMN petitions.searched_encoder.similar_weight IS 'the same in similar_petitions';
COMMENT ON COLUMN petitions.searched_encoder.is_measured IS
    'by `petitions weigh-search`, here or where the weights were made; else both are 0';
COMMENT ON COLUMN petitions.searched_encoder.n_without_words IS
    'published petitions that no word finds yet, as after an upgrade: `petitions tokenize`, or the next run, finds theirs';
GRANT SELECT ON petitions.searched_encoder TO petition_reader, petition_writer;

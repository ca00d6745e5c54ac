-- Finding petitions by vectors.

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

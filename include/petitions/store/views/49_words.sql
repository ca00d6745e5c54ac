-- Search by words. The weight of a word in a petition (BM25F without rarity, text/bm25.py) stands in a sparsevec, whose
-- inner product with the question is the score, and, in sixteenths of the most, in an array with a GIN index, which finds
-- rare words. Of common ones word_level has the petitions at each weight (count_words): these lists are read from the
-- heaviest on and added up, and the best by their sums are scored.

CREATE FUNCTION petitions.number_word(word text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT ('x' || left(md5(convert_to(word, 'UTF8')), 8))::bit(32)::bigint % 1000000000 + 1;
$$;
COMMENT ON FUNCTION petitions.number_word IS
    'The place of a word in petition_words.weights, and its number in petition_words.levels; store/words.py does the same.';

CREATE FUNCTION petitions.count_word(number bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, petitions, pg_temp SET enable_seqscan = off AS $$
    SELECT coalesce(
        (SELECT sum(n_petitions)::bigint FROM petitions.word_level WHERE level BETWEEN number * 16 AND number * 16 + 15),
        (
            SELECT count(*) FROM petitions.petition_words
            WHERE levels && ARRAY(SELECT number * 16 + level FROM generate_series(0, 15) AS level)
        )
    );
$$;
COMMENT ON FUNCTION petitions.count_word IS
    'Petitions with a word: those of a common word when search was last prepared, of a rare one as it is now.';

CREATE FUNCTION petitions.bm25_petitions(
    made_by text, words text[], k integer, category text, status text, since date, until date, of_source text,
    weights double precision[] DEFAULT NULL, at_least integer DEFAULT 1
) RETURNS TABLE (petition_id text, score double precision)
LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp
SET jit = off SET random_page_cost = 1.1 SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET work_mem = '64MB' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    n_all double precision := coalesce(
        (SELECT n_petitions FROM petitions.word_level WHERE level = 0), (SELECT count(*) FROM petitions.petition_words)
    );
    sources text[];
    first_days date[];
    ends date[];
    question sparsevec;
    cells bigint[];  -- words at a level of weight, by the most that one adds to a score
    bounds double precision[];
    so_far bigint[];  -- petitions in this cell and those before
    budget bigint := 7000;
    n_read integer;
    rare bigint[];  -- cells of words that are not counted: the index knows who has them
    likely text[];
    found text[];
    scores double precision[];
BEGIN
    SELECT array_agg(m.source), array_agg(m.since), array_agg(m.until)
    INTO sources, first_days, ends
    FROM petitions.published_model AS m
    WHERE (made_by IS NULL OR m.encoders[1] = made_by) AND (of_source IS NULL OR m.source = of_source);
    WITH asked AS MATERIALIZED (
        SELECT number, weight * ln(1 + (greatest(n_all, n) - n + 0.5) / (n + 0.5)) AS weight
        FROM (
            SELECT petitions.number_word(u.word) AS number, max(coalesce(u.weight, 1)) AS weight
            FROM unnest(words, weights) AS u (word, weight)
            GROUP BY 1 OFFSET 0
        ) AS w
        CROSS JOIN LATERAL (SELECT petitions.count_word(number) AS n OFFSET 0) AS counted
        WHERE n >= at_least AND n > 0
        ORDER BY 2 DESC, number
        LIMIT 32
    ), cell AS (
        SELECT
            number * 16 + i AS level, asked.weight * (i + 1) * 2.2 / 16 AS bound, coalesce(l.n_petitions, 1) AS n
        FROM asked CROSS JOIN generate_series(0, 15) AS i
        LEFT JOIN petitions.word_level AS l ON l.level = number * 16 + i
    ), read AS (
        SELECT level, bound, sum(n) OVER (ORDER BY bound DESC, level) AS so_far FROM cell
    )
    SELECT
        (SELECT ('{' || string_agg(number || ':' || weight, ',') || '}/1000000000')::sparsevec FROM asked),
        array_agg(r.level ORDER BY r.bound DESC, r.level), array_agg(r.bound ORDER BY r.bound DESC, r.level),
        array_agg(r.so_far ORDER BY r.bound DESC, r.level)
    INTO question, cells, bounds, so_far
    FROM read AS r;
    IF cells IS NULL OR sources IS NULL THEN
        RETURN;
    END IF;
    LOOP
        SELECT greatest(count(*) FILTER (WHERE n <= budget), 1) INTO n_read FROM unnest(so_far) AS n;
        rare := ARRAY(
            SELECT cell.level FROM unnest(cells[:n_read]) AS cell (level)
            WHERE NOT EXISTS (
                SELECT FROM petitions.word_level AS l WHERE l.level BETWEEN cell.level / 16 * 16 AND cell.level / 16 * 16 + 15
            )
        );
        likely := ARRAY(
            SELECT s.petition_id
            FROM (
                SELECT u.number, sum(c.bound * (c.level % 16 + 0.5) / (c.level % 16 + 1)) AS about
                FROM unnest(cells[:n_read], bounds[:n_read]) AS c (level, bound)
                JOIN petitions.word_level AS l ON l.level = c.level
                CROSS JOIN LATERAL unnest(l.numbers) AS u (number)
                GROUP BY u.number
                ORDER BY about DESC
                OFFSET 0
            ) AS added
            JOIN petitions.searched_petition AS s ON s.number = added.number
            WHERE (bm25_petitions.category IS NULL OR s.category = bm25_petitions.category)
                AND (bm25_petitions.status IS NULL OR s.status = bm25_petitions.status)
                AND (bm25_petitions.since IS NULL OR s.begins_on >= bm25_petitions.since)
                AND (bm25_petitions.until IS NULL OR s.begins_on < bm25_petitions.until)
                AND EXISTS (
                    SELECT FROM unnest(sources, first_days, ends) AS shown (source, since, until)
                    WHERE shown.source = s.source AND s.begins_on >= shown.since AND s.begins_on < shown.until
                )
            ORDER BY about DESC
            FETCH FIRST (greatest(200, 4 * k)) ROWS WITH TIES  -- of one word many weigh as much
        );
        SELECT array_agg(best.petition_id), array_agg(best.score) INTO found, scores
        FROM (
            SELECT s.petition_id, s.score
            FROM (
                SELECT w.petition_id, w.words, -(w.weights <#> question) AS score
                FROM petitions.petition_words AS w
                WHERE w.petition_id = ANY (likely) OR w.levels && rare
                ORDER BY score DESC, w.petition_id
                OFFSET 0
            ) AS s
            JOIN petitions.petition AS p ON p.petition_id = s.petition_id
            WHERE p.status <> 'hidden'
                AND (bm25_petitions.category IS NULL OR p.category = bm25_petitions.category)
                AND (bm25_petitions.status IS NULL OR p.status = bm25_petitions.status)
                AND (bm25_petitions.since IS NULL OR p.begins_on >= bm25_petitions.since)
                AND (bm25_petitions.until IS NULL OR p.begins_on < bm25_petitions.until)
                AND EXISTS (
                    SELECT FROM unnest(sources, first_days, ends) AS shown (source, since, until)
                    WHERE shown.source = p.source AND p.begins_on >= shown.since AND p.begins_on < shown.until
                )
                AND s.words && bm25_petitions.words  -- two words may share a number
            ORDER BY s.score DESC, s.petition_id
            LIMIT k
        ) AS best;
        EXIT WHEN n_read = cardinality(cells) OR cardinality(found) >= k;
        budget := budget * 4;
    END LOOP;
    RETURN QUERY SELECT u.id, u.score FROM unnest(found, scores) AS u (id, score);
END $$;
COMMENT ON FUNCTION petitions.bm25_petitions IS
    'The k published petitions that stand highest by BM25F (k1 1.2, b 0.75, a title counts threefold) over the 32 weightiest
words that at_least petitions have. Of their lists 7,000 petitions are read, the heaviest first, or as many more as k that
keep to the filters need; scored are four times k, at least 200, of those that stand highest by them.';

CREATE FUNCTION petitions.substring_petitions(
    made_by text, question text, k integer, category text, status text, since date, until date, of_source text
) RETURNS TABLE (petition_id text, score double precision)
LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, petitions, public, pg_temp SET jit = off AS $$
    SELECT newest.petition_id, in_title::integer::double precision
    FROM (
        SELECT
            p.petition_id, p.begins_on, p.body, strpos(lower(p.title), wanted) > 0 AS in_title, wanted,
            row_number() OVER (ORDER BY p.begins_on DESC, p.petition_id) AS place
        FROM petitions.published_model AS m
        JOIN petitions.petition AS p
            ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
        CROSS JOIN (SELECT lower(btrim(question)) AS wanted) AS asked
        WHERE length(wanted) BETWEEN 1 AND 200
            AND (made_by IS NULL OR m.encoders[1] = made_by) AND (of_source IS NULL OR m.source = of_source)
            AND (substring_petitions.category IS NULL OR p.category = substring_petitions.category)
            AND (substring_petitions.status IS NULL OR p.status = substring_petitions.status)
            AND (substring_petitions.since IS NULL OR p.begins_on >= substring_petitions.since)
            AND (substring_petitions.until IS NULL OR p.begins_on < substring_petitions.until)
        ORDER BY p.begins_on DESC, p.petition_id
        LIMIT 20000
    ) AS newest
    WHERE in_title OR (place <= 3000 AND strpos(lower(newest.body), wanted) > 0)
    ORDER BY in_title DESC, newest.begins_on DESC, newest.petition_id
    LIMIT k;
$$;
COMMENT ON FUNCTION petitions.substring_petitions IS
    'The k newest published petitions with these very letters, of 1 to 200, in the title, of the newest 20,000, or in the
body, of the newest 3,000; where no word is found.';

-- How new the answers are.

CREATE VIEW petitions.data_freshness AS
SELECT
    s.source, c.crawl_started_at, c.crawled_on, p.last_seen_at, p.newest_begins_on, p.n_petitions, m.published_at,
    m.since, m.until, m.n_petitions AS n_published, m.model_id, f.run_id AS failed_run_id,
    f.finished_at AS failed_at, f.error
FROM (
    SELECT source FROM petitions.petition UNION SELECT source FROM petitions.pipeline_run
) AS s
LEFT JOIN petitions.published_model AS m USING (source)
LEFT JOIN (
    SELECT source, max(started_at) AS crawl_started_at, max(finished_on) AS crawled_on
    FROM petitions.crawl_progress
    GROUP BY source
) AS c USING (source)
LEFT JOIN (
    SELECT
        p.source, max(p.last_seen_at) AS last_seen_at, max(p.begins_on) AS newest_begins_on, count(*) AS n_petitions
    FROM petitions.petition AS p
    LEFT JOIN petitions.published_model AS m USING (source)
    WHERE p.status <> 'hidden' AND (m.model_id IS NULL OR (p.begins_on >= m.since AND p.begins_on < m.until))
    GROUP BY p.source
) AS p USING (source)
LEFT JOIN (
    SELECT DISTINCT ON (source) source, run_id, finished_at, error
    FROM petitions.recent_run
    WHERE state = 'failed'
    ORDER BY source, finished_at DESC NULLS LAST, run_id
) AS f USING (source);
COMMENT ON VIEW petitions.data_freshness IS 'One row is one source: how new its petitions and its published fit are.';
COMMENT ON COLUMN petitions.data_freshness.crawl_started_at IS 'when the latest crawl began; null: never crawled';
COMMENT ON COLUMN petitions.data_freshness.crawled_on IS
    'day, Korean time, on which the latest crawl of all lists that came to its end began; null: none did';
COMMENT ON COLUMN petitions.data_freshness.last_seen_at IS
    'when a petition of the window was last seen at the site; moves once a Korean day';
COMMENT ON COLUMN petitions.data_freshness.newest_begins_on IS
    'the latest first day of agreement of a petition of the window';
COMMENT ON COLUMN petitions.data_freshness.n_petitions IS
    'that are stored of the window of the fit that readers see, the hidden ones apart; before the first fit all of them';
COMMENT ON COLUMN petitions.data_freshness.published_at IS 'when the fit that readers see was published; null: none';
COMMENT ON COLUMN petitions.data_freshness.since IS 'first day of the window of that fit';
COMMENT ON COLUMN petitions.data_freshness.until IS 'first day after the window of that fit';
COMMENT ON COLUMN petitions.data_freshness.n_published IS 'petitions that the fit was made from';
COMMENT ON COLUMN petitions.data_freshness.failed_run_id IS
    'the last run whose latest try failed, with its moment and its message; null: no window of the source stands so';

GRANT SELECT ON petitions.data_freshness TO petition_reader, petition_writer;

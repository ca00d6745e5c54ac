-- The runs of the pipeline and their checks.

CREATE VIEW petitions.recent_run AS
SELECT
    r.run_id, r.source, r.since, r.until, r.state, r.model_id, r.started_at, r.finished_at, told.seconds, told.steps,
    -- Of an error of ours all but what it found in an answer; of any other, whose words we do not choose, the type.
    CASE
        WHEN r.error ~ ('^([a-z_ ]+: )?(Transient|Fetch|DatabaseDown|Permanent|Config|Parse|SiteChanged|Schema'
            || '|EmptyWindow|Weights|CheckFailed)Error: ')
        THEN regexp_replace(r.error, '\mfound .*$', 'found …')
        ELSE substring(r.error FROM '^(?:[a-z_ ]+: )?\w+')
    END AS error
FROM petitions.pipeline_run AS r
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum((s.value ->> 'seconds')::double precision), 0) AS seconds,
        coalesce(jsonb_agg(
            jsonb_build_object('step', s.key) || s.value
            ORDER BY array_position(
                ARRAY['crawl', 'tokenize', 'fit_topics', 'encode', 'score', 'similarity', 'check', 'publish'],
                split_part(s.key, ' ', 1)
            ), s.key
        ), '[]') AS steps
    FROM jsonb_each(r.steps) AS s
) AS told;
COMMENT ON VIEW petitions.recent_run IS 'One row is one source over one window: how its latest run went.';
COMMENT ON COLUMN petitions.recent_run.since IS 'first day of the window';
COMMENT ON COLUMN petitions.recent_run.until IS 'first day after the window';
COMMENT ON COLUMN petitions.recent_run.state IS 'running, checked (all checks passed), published or failed';
COMMENT ON COLUMN petitions.recent_run.model_id IS 'the fit that the run made; null before it';
COMMENT ON COLUMN petitions.recent_run.finished_at IS 'null while it is running';
COMMENT ON COLUMN petitions.recent_run.seconds IS 'of the steps that are done';
COMMENT ON COLUMN petitions.recent_run.steps IS
    'that are done: [{"step": "crawl", "rows_in": 9, "rows_out": 9, "seconds": 1.5, "made_by": ""}, ...]';
COMMENT ON COLUMN petitions.recent_run.error IS
    'step, type and message, without what was found in an answer of a site; null unless failed';

CREATE VIEW petitions.run_check AS
SELECT r.source, c.run_id, c.name, c.value, c."limit", c.passed, c.checked_at
FROM petitions.check_result AS c
JOIN petitions.pipeline_run AS r USING (run_id);
COMMENT ON VIEW petitions.run_check IS
    'One row is one check of a run before publishing; one that did not pass stops the publishing.';
COMMENT ON COLUMN petitions.run_check.value IS 'NaN where there was nothing to measure';
COMMENT ON COLUMN petitions.run_check."limit" IS 'what value must keep to, such as "at least 400"';
COMMENT ON COLUMN petitions.run_check.checked_at IS 'when this outcome was first found';

GRANT SELECT ON petitions.recent_run, petitions.run_check TO petition_reader, petition_writer;

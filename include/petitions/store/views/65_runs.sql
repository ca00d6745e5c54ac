-- The runs of the pipeline, their steps and the checks of their fits. An error is told as pipeline_step holds it: what may
-- not be shown was taken out where it was written (petitions.privacy.redact_error).

CREATE VIEW petitions.run_step AS
SELECT
    r.source, s.run_id, s.step, CASE WHEN s.n_parts > 1 THEN s.part || '/' || s.n_parts END AS part, s.state,
    s.started_at, s.finished_at, s.seconds, s.rows_in, s.rows_out, s.made_by, s.error_kind,
    nullif(s.error_message, '') AS error_message
FROM petitions.pipeline_step AS s
JOIN petitions.pipeline_run AS r USING (run_id);
COMMENT ON VIEW petitions.run_step IS 'One row is one step of a run, or a part of it: how its last try went.';
COMMENT ON COLUMN petitions.run_step.step IS 'such as crawl and encode bert';
COMMENT ON COLUMN petitions.run_step.part IS 'such as 3/8, where workers share the step; else null';
COMMENT ON COLUMN petitions.run_step.state IS
    'running (also where its process was killed), done, skipped (readers keep a later window) or failed';
COMMENT ON COLUMN petitions.run_step.started_at IS 'when its last try began';
COMMENT ON COLUMN petitions.run_step.finished_at IS 'when its last try ended; null while it is running';
COMMENT ON COLUMN petitions.run_step.seconds IS 'of the last try that was done, as the next three columns; null: none was';
COMMENT ON COLUMN petitions.run_step.made_by IS 'version of what did it, or empty';
COMMENT ON COLUMN petitions.run_step.error_kind IS 'name of the error that its last try ended by; null unless failed';
COMMENT ON COLUMN petitions.run_step.error_message IS
    'without what was found in an answer of a site; of an error of the system, its words, such as No space left on device;'
    ' null of others';

CREATE VIEW petitions.recent_run AS
SELECT
    r.run_id, r.source, r.since, r.until, told.state, r.model_id, told.started_at,
    CASE told.state WHEN 'running' THEN NULL WHEN 'failed' THEN f.finished_at ELSE told.finished_at END AS finished_at,
    coalesce(told.seconds, 0) AS seconds, steps.steps, f.step AS failed_step, f.part AS failed_part, f.error_kind,
    f.error_message,
    f.step || coalesce(' ' || f.part, '') || ': ' || f.error_kind || coalesce(': ' || f.error_message, '') AS error
FROM petitions.pipeline_run AS r
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN bool_or(s.state = 'failed') THEN 'failed'
            WHEN bool_or(s.state = 'running') THEN 'running'
            WHEN bool_or(s.step = 'publish' AND s.state = 'done')
                AND max(s.started_at) FILTER (WHERE s.step = 'publish') >= max(s.started_at) THEN 'published'
            WHEN max(s.started_at) FILTER (WHERE s.step = 'check')
                >= max(s.started_at) FILTER (WHERE s.step <> 'publish') THEN 'checked'
            ELSE 'running'
        END AS state,
        coalesce(max(s.started_at) FILTER (WHERE s.step = 'crawl'), min(s.started_at)) AS started_at,
        max(s.finished_at) AS finished_at, sum(s.seconds) AS seconds
    FROM petitions.pipeline_step AS s
    WHERE s.run_id = r.run_id
) AS told
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(
        jsonb_build_object(
            'step', one.step, 'rows_in', one.rows_in, 'rows_out', one.rows_out, 'seconds', one.seconds,
            'made_by', one.made_by
        )
        ORDER BY array_position(
            ARRAY[
                'crawl', 'tokenize', 'find_copies', 'fit_topics', 'encode', 'score', 'similarity', 'check', 'publish'
            ],
            split_part(one.step, ' ', 1)
        ), one.step
    ), '[]') AS steps
    FROM (
        SELECT
            s.step, sum(s.rows_in) AS rows_in, sum(s.rows_out) AS rows_out, sum(s.seconds) AS seconds,
            max(s.made_by) AS made_by
        FROM petitions.pipeline_step AS s
        WHERE s.run_id = r.run_id AND s.seconds IS NOT NULL
        GROUP BY s.step
    ) AS one
) AS steps
LEFT JOIN LATERAL (
    SELECT s.step, s.part, s.error_kind, s.error_message, s.finished_at
    FROM petitions.run_step AS s
    WHERE s.run_id = r.run_id AND s.state = 'failed'
    ORDER BY s.finished_at DESC, s.step, s.part
    LIMIT 1
) AS f ON true;
COMMENT ON VIEW petitions.recent_run IS 'One row is one source over one window: how its latest run went.';
COMMENT ON COLUMN petitions.recent_run.since IS 'first day of the window';
COMMENT ON COLUMN petitions.recent_run.until IS 'first day after the window';
COMMENT ON COLUMN petitions.recent_run.state IS
    'failed (the last try of a step was, and was not made again), running, checked (all checks passed) or published';
COMMENT ON COLUMN petitions.recent_run.model_id IS 'the fit that the run made last; null before it';
COMMENT ON COLUMN petitions.recent_run.started_at IS
    'when the crawl began that its last try begins with; of a run without one, when its first step began';
COMMENT ON COLUMN petitions.recent_run.finished_at IS
    'when its last step ended, or the one that failed; null while it is running';
COMMENT ON COLUMN petitions.recent_run.seconds IS 'of the steps that are done';
COMMENT ON COLUMN petitions.recent_run.steps IS
    'that are done: [{"step": "crawl", "rows_in": 9, "rows_out": 9, "seconds": 1.5, "made_by": ""}, ...]; see run_step';
COMMENT ON COLUMN petitions.recent_run.failed_step IS 'the step that failed last; null, as the next four, unless failed';
COMMENT ON COLUMN petitions.recent_run.failed_part IS 'such as 3/8, where workers share the step';
COMMENT ON COLUMN petitions.recent_run.error_kind IS 'name of its error';
COMMENT ON COLUMN petitions.recent_run.error_message IS
    'without what was found in an answer of a site; of an error of the system, its words, such as No space left on device;'
    ' null of others';
COMMENT ON COLUMN petitions.recent_run.error IS 'these four in one line: encode bert 3/8: WeightsError: no such file';

CREATE VIEW petitions.run_check AS
SELECT r.source, c.run_id, c.model_id, c.name, c.encoder, c.value, c."limit", c.passed, c.checked_at
FROM petitions.check_result AS c
JOIN petitions.pipeline_run AS r USING (run_id);
COMMENT ON VIEW petitions.run_check IS
    'One row is one check of a fit before publishing; one that did not pass stops the publishing of that fit.';
COMMENT ON COLUMN petitions.run_check.run_id IS 'the run that made the fit';
COMMENT ON COLUMN petitions.run_check.model_id IS 'the fit that was checked';
COMMENT ON COLUMN petitions.run_check.encoder IS 'whose vectors and scores were checked; empty: the fit alone';
COMMENT ON COLUMN petitions.run_check.value IS 'NaN where there was nothing to measure, or before it was run';
COMMENT ON COLUMN petitions.run_check."limit" IS 'what value must keep to, such as "at least 400"';
COMMENT ON COLUMN petitions.run_check.passed IS 'false also before it was run';
COMMENT ON COLUMN petitions.run_check.checked_at IS 'when this outcome was first found';

GRANT SELECT ON petitions.run_step, petitions.recent_run, petitions.run_check TO petition_reader, petition_writer;

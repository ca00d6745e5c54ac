-- A column of the same name means the same in every view: what it is stands here once, for those that say no more of it.
DO $$
DECLARE
    bare record;
BEGIN
    FOR bare IN
        SELECT c.oid::regclass AS view, a.attname AS name, told.meaning
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        JOIN (VALUES
            ('petition_id', '"source:source_id"'),
            ('source', 'assembly, bluehouse, sample or another one of the registry of sources'),
            ('title', 'of the petition, normalized'),
            ('purpose', '청원의 취지 of the Assembly; elsewhere empty'),
            ('body', 'of the petition, normalized; phone, e-mail and resident numbers masked'),
            ('category', 'as the site names it'),
            ('status', 'open, ended or answered'),
            ('n_agreements', 'as last seen; not final while the petition is open'),
            ('begins_on', 'first day of agreement, Korean time; decides the window'),
            ('ends_on', 'last day of agreement, Korean time'),
            ('url', 'of the petition at its site'),
            ('is_moderated', 'a moderator''s notice stood in the text and was cut'),
            ('topic_id', 'from 1; the same topic keeps it from fit to fit'),
            ('label', 'name of the topic'),
            ('topic_label', 'name of that topic'),
            ('current_topic_id', 'the topic of the published fit whose way back it is'),
            ('current_label', 'name of that topic'),
            ('from_label', 'name of the topic it came from; null when born'),
            ('model_id', 'the published fit'),
            ('from_model_id', 'the fit before; null when born, and where it was pruned'),
            ('published_at', 'when readers began to see the fit'),
            ('fitted_at', 'when the fit was made'),
            ('seed', 'of the random numbers of the fit'),
            ('n_topics', 'of the fit'),
            ('run_id', '"source_since_until": the run, see recent_run'),
            ('since', 'first day of the window'),
            ('until', 'first day after the window'),
            ('rows_in', 'petitions that the step had to do'),
            ('rows_out', 'rows that it wrote'),
            ('name', 'of the check'),
            ('seen_on', 'the day we looked, Korean time'),
            ('token_overlap', 'distinct tokens in both of those in either, 0 to 1'),
            ('failed_at', 'when that run failed'),
            ('error', 'by what it failed')
        ) AS told (name, meaning) ON told.name = a.attname
        WHERE c.relnamespace = 'petitions'::regnamespace AND c.relkind = 'v'
            AND has_table_privilege('petition_reader', c.oid, 'SELECT') AND col_description(c.oid, a.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', bare.view, bare.name, bare.meaning);
    END LOOP;
END $$;

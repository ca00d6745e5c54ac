-- The published fits and their topics.

CREATE VIEW petitions.current_model AS
SELECT
    source, since, until, model_id, run_id, published_at, fitted_at, engine, tokenizer, encoders, seed, n_topics,
    n_petitions, n_terms, npmi, c_v, diversity, stability, changed_share, note, curve, artifact
FROM petitions.published_model;
COMMENT ON VIEW petitions.current_model IS 'One row is the published fit of a source: what made it, and how good it is.';
COMMENT ON COLUMN petitions.current_model.since IS 'first day of its window';
COMMENT ON COLUMN petitions.current_model.until IS 'first day after its window';
COMMENT ON COLUMN petitions.current_model.run_id IS 'what made it: see recent_run and run_check';
COMMENT ON COLUMN petitions.current_model.engine IS 'name and version of what fitted';
COMMENT ON COLUMN petitions.current_model.tokenizer IS 'name and version of tokenizer, dictionary and stop words';
COMMENT ON COLUMN petitions.current_model.encoders IS
    'whose vectors and scores the views show; the first one is searched';
COMMENT ON COLUMN petitions.current_model.n_petitions IS 'that it was made from';
COMMENT ON COLUMN petitions.current_model.n_terms IS 'size of the dictionary';
COMMENT ON COLUMN petitions.current_model.npmi IS
    'how often the top terms of a topic stand in one petition, mean of the topics; -1 to 1';
COMMENT ON COLUMN petitions.current_model.c_v IS
    'how alike the contexts of the top terms of a topic are, mean of the topics; 0 to 1';
COMMENT ON COLUMN petitions.current_model.diversity IS 'distinct words among the top terms of all topics; 0 to 1';
COMMENT ON COLUMN petitions.current_model.stability IS
    'agreement of fits from other seeds, 0 to 1; null where not measured';
COMMENT ON COLUMN petitions.current_model.changed_share IS
    'of the petitions in both windows, those that have another main topic than in the fit before; null: none';
COMMENT ON COLUMN petitions.current_model.note IS
    'what readers should know, such as why there are fewer topics than asked for; else null';
COMMENT ON COLUMN petitions.current_model.curve IS
    'where the number of topics was chosen: [{"n_topics": 9, "npmi": 0.1, "stability": 0.8}, ...]; else null';
COMMENT ON COLUMN petitions.current_model.artifact IS 'folder of the whole fit in the artifact store';

CREATE VIEW petitions.current_topic AS
SELECT
    m.source, t.topic_id, t.label, n.share, n.balanced_share, n.agreement_share, t.mixture_share, n.n_petitions, n.n_mixed,
    n.n_agreements, n.n_open, t.npmi, t.top_terms, m.since, m.until, m.model_id, m.published_at
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
JOIN petitions.topic_period AS n ON n.unit = 'window' AND n.model_id = m.model_id AND n.topic_id = t.topic_id;
COMMENT ON VIEW petitions.current_topic IS 'One row is one topic of the published fit of a source.';
COMMENT ON COLUMN petitions.current_topic.share IS
    'of the petitions of the fit, those with it as main topic; the topics of a source sum to 1';
COMMENT ON COLUMN petitions.current_topic.balanced_share IS
    'share where every category weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.current_topic.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share where there is none';
COMMENT ON COLUMN petitions.current_topic.mixture_share IS
    'mean over all petitions of the fit of how much of each is the topic, whichever is its main one; at the fit';
COMMENT ON COLUMN petitions.current_topic.n_petitions IS 'petitions of which it is the main topic';
COMMENT ON COLUMN petitions.current_topic.n_mixed IS 'of those petitions, those of which it is less than half, or that hold few of its terms';
COMMENT ON COLUMN petitions.current_topic.n_agreements IS
    'of those petitions, as last seen; not final where n_open is over 0';
COMMENT ON COLUMN petitions.current_topic.n_open IS 'of those petitions, those still open, whose agreements are not final';
COMMENT ON COLUMN petitions.current_topic.npmi IS 'how often its top terms stand in one petition; -1 to 1; null: never';
COMMENT ON COLUMN petitions.current_topic.top_terms IS 'most relevant first';
COMMENT ON COLUMN petitions.current_topic.since IS 'first day of the window of the fit';
COMMENT ON COLUMN petitions.current_topic.until IS 'first day after that window';

CREATE VIEW petitions.topic_by_category AS
SELECT
    counted.source, counted.category, counted.topic_id, t.label, counted.n_petitions,
    (counted.n_petitions / sum(counted.n_petitions) OVER one_category)::double precision AS share,
    counted.n_agreements, counted.n_open, counted.model_id
FROM (
    SELECT
        p.source, p.category, main.model_id, main.topic_id, count(*) AS n_petitions,
        sum(p.n_agreements) AS n_agreements, count(*) FILTER (WHERE p.status = 'open') AS n_open
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY p.source, p.category, main.model_id, main.topic_id
) AS counted
JOIN petitions.topic AS t USING (model_id, topic_id)
WINDOW one_category AS (PARTITION BY counted.source, counted.category);
COMMENT ON VIEW petitions.topic_by_category IS
    'One row is one topic in one category of a source, under the published fit; pairs without a petition are left out.';
COMMENT ON COLUMN petitions.topic_by_category.category IS 'as the site names it';
COMMENT ON COLUMN petitions.topic_by_category.n_petitions IS 'of the category that have it as main topic';
COMMENT ON COLUMN petitions.topic_by_category.share IS 'of the petitions of the category; its topics sum to 1';
COMMENT ON COLUMN petitions.topic_by_category.n_agreements IS
    'of those petitions, as last seen; not final where n_open is over 0';
COMMENT ON COLUMN petitions.topic_by_category.n_open IS
    'of those petitions, those still open, whose agreements are not final';
COMMENT ON COLUMN petitions.topic_by_category.model_id IS 'the fit that says so';

CREATE VIEW petitions.topic_top_petition AS
SELECT
    p.source, main.topic_id, t.label,
    row_number() OVER (
        PARTITION BY p.source, main.topic_id ORDER BY p.n_agreements DESC, p.petition_id
    ) AS rank,
    p.petition_id, p.title, p.n_agreements, p.status, p.begins_on, p.url, main.share AS topic_share, main.is_mixed,
    main.model_id
FROM petitions.main_topic AS main
JOIN petitions.petition AS p USING (petition_id)
JOIN petitions.topic AS t USING (model_id, topic_id);
COMMENT ON VIEW petitions.topic_top_petition IS
    'One row is one petition among those of its main topic, ranked by agreements: rank <= 5 gives the five with most.';
COMMENT ON COLUMN petitions.topic_top_petition.rank IS
    'from 1, most agreements first; of equal ones the petition_id decides';
COMMENT ON COLUMN petitions.topic_top_petition.n_agreements IS 'as last seen; not final while status is open';
COMMENT ON COLUMN petitions.topic_top_petition.is_mixed IS
    'the topic is less than half of it, or it holds few of its terms: it need not be a good example';
COMMENT ON COLUMN petitions.topic_top_petition.begins_on IS 'first day of agreement, Korean time';
COMMENT ON COLUMN petitions.topic_top_petition.topic_share IS 'of the topic in the petition';
COMMENT ON COLUMN petitions.topic_top_petition.model_id IS 'the fit that says so';

CREATE VIEW petitions.topic_lineage AS
WITH RECURSIVE lineage AS (
    SELECT
        m.source, t.topic_id AS current_topic_id, 0 AS step, e.event_id, e.model_id, e.topic_id, e.from_model_id,
        e.from_topic_id
    FROM petitions.published_model AS m
    JOIN petitions.topic AS t USING (model_id)
    JOIN petitions.topic_event AS e USING (model_id, topic_id)
    UNION  -- not ALL: two ways back may meet in one topic, where one split and its parts merged
    SELECT
        later.source, later.current_topic_id, later.step + 1, e.event_id, e.model_id, e.topic_id, e.from_model_id,
        e.from_topic_id
    FROM lineage AS later
    JOIN petitions.topic_event AS e
        ON e.model_id = later.from_model_id AND e.topic_id = later.from_topic_id
)
SELECT
    lineage.source, lineage.current_topic_id, now.label AS current_label, lineage.step, e.kind, e.topic_id, t.label,
    e.from_topic_id, before.label AS from_label, e.distance, e.overlap, m.since, m.until, m.published_at, e.model_id,
    e.from_model_id
FROM lineage
JOIN petitions.topic_event AS e USING (event_id)
JOIN petitions.topic_model AS m ON m.model_id = e.model_id
JOIN petitions.topic AS t ON t.model_id = e.model_id AND t.topic_id = e.topic_id
JOIN petitions.published_model AS p ON p.source = lineage.source
JOIN petitions.topic AS now ON now.model_id = p.model_id AND now.topic_id = lineage.current_topic_id
LEFT JOIN petitions.topic AS before ON before.model_id = e.from_model_id AND before.topic_id = e.from_topic_id;
COMMENT ON VIEW petitions.topic_lineage IS
    'One row is one step of the way back from a topic of the published fit to its birth, over the fits it came from.';
COMMENT ON COLUMN petitions.topic_lineage.step IS
    'fits back from the published one, from 0; the way ends at a birth or at the oldest fit that is kept';
COMMENT ON COLUMN petitions.topic_lineage.kind IS
    'how the topic came into its fit: born, continued, split (off another) or merged (of two or more, a row each)';
COMMENT ON COLUMN petitions.topic_lineage.topic_id IS 'in the fit of this step; with its label there';
COMMENT ON COLUMN petitions.topic_lineage.from_topic_id IS
    'the topic it came from, in the fit before (from_model_id); null when born';
COMMENT ON COLUMN petitions.topic_lineage.distance IS
    'Jensen-Shannon distance of the two topics, 0 (same words) to 1; null when born';
COMMENT ON COLUMN petitions.topic_lineage.overlap IS
    'of petitions in both windows with either as main topic, those with both; null: born, or too few';
COMMENT ON COLUMN petitions.topic_lineage.since IS 'first day of the window of the fit of this step';
COMMENT ON COLUMN petitions.topic_lineage.until IS 'first day after that window';

GRANT SELECT ON petitions.current_model, petitions.current_topic, petitions.topic_by_category,
    petitions.topic_top_petition, petitions.topic_lineage TO petition_reader, petition_writer;

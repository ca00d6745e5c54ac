-- The topics of the published fits.

CREATE VIEW petitions.current_topic AS
SELECT
    m.source, t.topic_id, t.label, t.share, t.balanced_share, t.agreement_share,
    coalesce(n.n_petitions, 0) AS n_petitions, coalesce(n.n_agreements, 0) AS n_agreements, t.npmi, t.top_terms,
    m.since, m.until, m.model_id, m.published_at
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
LEFT JOIN (
    SELECT main.model_id, main.topic_id, count(*) AS n_petitions, sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY main.model_id, main.topic_id
) AS n USING (model_id, topic_id);
COMMENT ON VIEW petitions.current_topic IS 'One row is one topic of the published fit of a source.';
COMMENT ON COLUMN petitions.current_topic.share IS 'of all text of the fit; the topics of a source sum to 1';
COMMENT ON COLUMN petitions.current_topic.balanced_share IS
    'share where every category weighs the same, so that a loud one does not hide the rest; null in older fits';
COMMENT ON COLUMN petitions.current_topic.agreement_share IS
    'share where every agreement weighs the same, as many as there were at the fit; null in older fits';
COMMENT ON COLUMN petitions.current_topic.n_petitions IS 'petitions of which it is the main topic';
COMMENT ON COLUMN petitions.current_topic.n_agreements IS 'of those petitions, as last seen';

GRANT SELECT ON petitions.current_topic TO petition_reader, petition_writer;

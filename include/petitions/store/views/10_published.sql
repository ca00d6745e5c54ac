-- The steps on the way to what readers see, over the published fit of each source. store.database.upgrade applies the
-- files of this folder in the order of their names, in one transaction with the migrations. Only the grants at the end
-- of each file decide what a reader may touch; published_model and main_topic are not for readers.

CREATE VIEW petitions.published_model AS
SELECT DISTINCT ON (source) *
FROM petitions.topic_model
WHERE published_at IS NOT NULL
ORDER BY source, published_at DESC, model_id;
COMMENT ON VIEW petitions.published_model IS 'One row is the fit of a source that readers see: the one published last.';

CREATE VIEW petitions.main_topic AS
SELECT t.model_id, t.petition_id, t.topic_id, t.share, t.share < 0.5 OR NOT coalesce(t.is_borne, true) AS is_mixed
FROM petitions.published_model AS m
JOIN petitions.petition_topic AS t USING (model_id)
JOIN petitions.petition AS p USING (petition_id)
WHERE t.is_main AND p.status <> 'hidden';
COMMENT ON VIEW petitions.main_topic IS
    'One row is a petition of a published fit, not hidden, and the topic that has the largest share of it.';
COMMENT ON COLUMN petitions.main_topic.is_mixed IS
    'no topic has half of it, or it holds few of the terms of the one that has: such did not fit by eye';

GRANT SELECT ON petitions.published_model TO petition_writer;  -- petitions prune looks up what must stay
-- A command looks there whether it fits the schema.
GRANT SELECT ON petitions.alembic_version TO petition_reader;

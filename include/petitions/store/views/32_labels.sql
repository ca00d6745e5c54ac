-- The labels that fine-tuned models give the petitions of the published fits.

CREATE VIEW petitions.labelled_petition AS
SELECT
    p.petition_id, p.source, p.title, p.category, p.begins_on, p.url,
    l.scorer, l.label, l.probability, l.rank, m.model_id
FROM petitions.published_model AS m
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
JOIN petitions.petition_label AS l
    ON l.petition_id = p.petition_id AND l.scorer = ANY (m.encoders) AND l.content_hash = p.content_hash;
COMMENT ON VIEW petitions.labelled_petition IS
    'One row is one of the likeliest labels of one petition of the published window, by a model of PETITIONS_SCORERS.';
COMMENT ON COLUMN petitions.labelled_petition.scorer IS 'name of the fine-tuned weights and their hash';
COMMENT ON COLUMN petitions.labelled_petition.label IS 'one of those that the scorer was trained on';
COMMENT ON COLUMN petitions.labelled_petition.probability IS
    'of the label among all that the scorer knows; calibrated on the month that its training was stopped by';
COMMENT ON COLUMN petitions.labelled_petition.rank IS
    '1: the likeliest label; those after the third are not kept';

GRANT SELECT ON petitions.labelled_petition TO petition_reader, petition_writer;

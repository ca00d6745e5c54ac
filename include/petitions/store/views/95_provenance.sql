-- From what, and by which versions, a petition's row and all that is computed of it was made.

CREATE VIEW petitions.petition_provenance AS
SELECT
    p.petition_id, p.source, p.url, nullif(p.artifact, '') AS raw_answer,
    nullif(split_part(p.artifact, '#', 1), '') AS raw_file, nullif(split_part(p.artifact, '#', 2), '')::bigint AS raw_offset,
    p.content_hash, p.first_seen_at, p.last_seen_at, p.changed_at,
    r.run_id, r.state AS run_state, m.model_id, m.engine, m.seed, m.artifact AS model_artifact, m.fitted_at,
    EXISTS (
        SELECT FROM petitions.petition_topic AS one
        WHERE one.model_id = m.model_id AND one.petition_id = p.petition_id
    ) AS is_in_fit,
    m.tokenizer, v.tagger, v.dictionary, v.stop_words, v.rules AS tokenizer_rules, t.content_hash AS tokens_of,
    m.encoders[1] AS encoder, m.encoders, e.content_hash AS embedding_of
FROM petitions.published_model AS m
JOIN petitions.recent_run AS r USING (run_id)
JOIN petitions.petition AS p
    ON p.source = m.source AND p.begins_on >= m.since AND p.begins_on < m.until AND p.status <> 'hidden'
LEFT JOIN petitions.tokenizer_version AS v ON v.tokenizer = m.tokenizer
LEFT JOIN petitions.petition_tokens AS t ON t.petition_id = p.petition_id AND t.tokenizer = m.tokenizer
LEFT JOIN petitions.petition_embedding AS e ON e.petition_id = p.petition_id AND e.encoder = m.encoders[1];
COMMENT ON VIEW petitions.petition_provenance IS
    'One row is one petition of the window of its source''s published fit: raw answer, run, fit, and all versions.';
COMMENT ON COLUMN petitions.petition_provenance.petition_id IS
    'tokens, embedding, scores, keywords and topic shares have it in their keys';
COMMENT ON COLUMN petitions.petition_provenance.source IS 'assembly, bluehouse or sample';
COMMENT ON COLUMN petitions.petition_provenance.url IS 'of the petition at its site';
COMMENT ON COLUMN petitions.petition_provenance.raw_answer IS
    'what `petitions archive show` takes: the answer that the row was read from; null for the sample';
COMMENT ON COLUMN petitions.petition_provenance.raw_file IS
    'its WARC file in the artifact store; the name ends with the SHA-256 of the content';
COMMENT ON COLUMN petitions.petition_provenance.raw_offset IS 'byte of the file at which the record of the answer begins';
COMMENT ON COLUMN petitions.petition_provenance.content_hash IS 'SHA-256 of title, purpose and body';
COMMENT ON COLUMN petitions.petition_provenance.first_seen_at IS 'when the petition was stored';
COMMENT ON COLUMN petitions.petition_provenance.last_seen_at IS 'moves once a Korean day';
COMMENT ON COLUMN petitions.petition_provenance.changed_at IS 'when the text or the status last changed';
COMMENT ON COLUMN petitions.petition_provenance.run_id IS 'the run that made the published fit';
COMMENT ON COLUMN petitions.petition_provenance.run_state IS 'see recent_run';
COMMENT ON COLUMN petitions.petition_provenance.model_id IS 'the published fit';
COMMENT ON COLUMN petitions.petition_provenance.engine IS 'name and version of what fitted';
COMMENT ON COLUMN petitions.petition_provenance.seed IS 'of the fit';
COMMENT ON COLUMN petitions.petition_provenance.model_artifact IS 'folder of the fit in the artifact store';
COMMENT ON COLUMN petitions.petition_provenance.fitted_at IS 'when the fit was made';
COMMENT ON COLUMN petitions.petition_provenance.is_in_fit IS
    'whether it has topic shares; not where it came into the window after the fit';
COMMENT ON COLUMN petitions.petition_provenance.tokenizer IS 'of the tokens that the fit was made from';
COMMENT ON COLUMN petitions.petition_provenance.tagger IS
    'name and version; null, as the next three, where an older version of the code made the tokens';
COMMENT ON COLUMN petitions.petition_provenance.dictionary IS 'name and version';
COMMENT ON COLUMN petitions.petition_provenance.stop_words IS 'version: SHA-256 of the sorted words, 12 digits';
COMMENT ON COLUMN petitions.petition_provenance.tokenizer_rules IS 'version of the code that makes words of morphemes';
COMMENT ON COLUMN petitions.petition_provenance.tokens_of IS
    'content_hash of the text that the tokens were made from; null: it has none';
COMMENT ON COLUMN petitions.petition_provenance.encoder IS
    'name and hash of the weights that are searched';
COMMENT ON COLUMN petitions.petition_provenance.encoders IS 'all whose scores readers see';
COMMENT ON COLUMN petitions.petition_provenance.embedding_of IS
    'content_hash of the text that the vector of encoder was made from; null: it has none';

GRANT SELECT ON petitions.petition_provenance TO petition_reader, petition_writer;

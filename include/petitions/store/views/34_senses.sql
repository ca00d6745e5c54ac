-- The senses of words, as `petitions senses` found them last.

CREATE VIEW petitions.current_word_sense AS
SELECT
    s.word, s.source, s.sense, s.share, s.n_occurrences, s.n_found, s.neighbours,
    ARRAY(
        SELECT p.petition_id
        FROM unnest(s.petition_ids) WITH ORDINALITY AS told (petition_id, place)
        JOIN petitions.petition AS p ON p.petition_id = told.petition_id AND p.status <> 'hidden'
        ORDER BY told.place
    ) AS petition_ids,
    s.since, s.until, s.encoder, s.method, s.found_at
FROM petitions.word_sense AS s
JOIN (
    SELECT DISTINCT ON (word, source) word, source, since, until, encoder
    FROM petitions.word_sense
    ORDER BY word, source, until DESC, found_at DESC, since, encoder
) AS latest USING (word, source, since, until, encoder);
COMMENT ON VIEW petitions.current_word_sense IS
    'One row is one sense of a word that `petitions senses` was asked for, by the latest days that it was asked for.';
COMMENT ON COLUMN petitions.current_word_sense.word IS 'as it was asked for';
COMMENT ON COLUMN petitions.current_word_sense.source IS 'whose petitions were read; empty: all sources together';
COMMENT ON COLUMN petitions.current_word_sense.sense IS 'from 1, the most frequent';
COMMENT ON COLUMN petitions.current_word_sense.share IS 'of the occurrences that were compared';
COMMENT ON COLUMN petitions.current_word_sense.n_occurrences IS 'of this sense among those that were compared';
COMMENT ON COLUMN petitions.current_word_sense.n_found IS 'occurrences of the word in all that was read';
COMMENT ON COLUMN petitions.current_word_sense.neighbours IS 'words beside it, the most telling first';
COMMENT ON COLUMN petitions.current_word_sense.petition_ids IS
    'where it stands in its most typical sentences; those that are hidden since are left out';
COMMENT ON COLUMN petitions.current_word_sense.since IS 'first day of beginning that was read';
COMMENT ON COLUMN petitions.current_word_sense.until IS 'the first day after';
COMMENT ON COLUMN petitions.current_word_sense.encoder IS
    'names of the weights whose vectors tell the senses apart';
COMMENT ON COLUMN petitions.current_word_sense.method IS 'version of what found it: tokenizer and rules';
COMMENT ON COLUMN petitions.current_word_sense.found_at IS 'when these rows were first found as they are';

GRANT SELECT ON petitions.current_word_sense TO petition_reader, petition_writer;

-- What is growing: topics whose share of petitions rose in the last four weeks, and how sure that is
SELECT label, n_before, n_recent, round(growth::numeric, 2)::float AS growth, round(z::numeric, 2)::float AS z
FROM petitions.emerging_topic
WHERE source = :source
ORDER BY z DESC
LIMIT 5;
-- What moves most people: the petitions with most agreements, and what they are about
SELECT title, category, topic_label, n_agreements, status
FROM petitions.current_petition
WHERE source = :source
ORDER BY n_agreements DESC
LIMIT 5;
-- Who else says so: the petitions nearest in meaning to the one with most agreements
SELECT near.title, near.similarity, p.topic_label
FROM (
    SELECT petition_id FROM petitions.current_petition WHERE source = :source ORDER BY n_agreements DESC LIMIT 1
) AS loudest
CROSS JOIN LATERAL petitions.similar_petitions(loudest.petition_id, 5) AS near
JOIN petitions.current_petition AS p ON p.petition_id = near.petition_id
ORDER BY near.similarity DESC;

-- How the topics of the published fits move with time.

CREATE VIEW petitions.topic_trend AS
WITH counted AS (
    SELECT
        main.model_id, main.topic_id, date_trunc('week', p.begins_on::timestamp)::date AS week, p.category,
        count(*) AS n_petitions, sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY main.model_id, main.topic_id, week, p.category
), balanced AS (
    SELECT
        counted.*,
        n_petitions::double precision / sum(n_petitions) OVER (PARTITION BY model_id, week, category) AS of_category
    FROM counted
), summed AS (
    SELECT
        model_id, topic_id, week,
        sum(n_petitions) AS n_petitions, sum(n_agreements) AS n_agreements, sum(of_category) AS of_categories
    FROM balanced
    GROUP BY model_id, topic_id, week
), shared AS (
    SELECT
        summed.*,
        (n_petitions / sum(n_petitions) OVER one_week)::double precision AS share,
        of_categories / sum(of_categories) OVER one_week AS balanced_share,
        (n_agreements / nullif(sum(n_agreements) OVER one_week, 0))::double precision AS agreement_share
    FROM summed
    WINDOW one_week AS (PARTITION BY model_id, week)
)
SELECT
    m.source, w.week::date AS week, t.topic_id, t.label, coalesce(c.n_petitions, 0)::bigint AS n_petitions,
    coalesce(c.share, 0) AS share, coalesce(c.balanced_share, 0) AS balanced_share,
    coalesce(c.agreement_share, c.share, 0) AS agreement_share, coalesce(c.n_agreements, 0)::bigint AS n_agreements,
    m.model_id
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
CROSS JOIN LATERAL generate_series(
    date_trunc('week', m.since::timestamp), m.until::timestamp - interval '1 day', interval '1 week'
) AS w (week)
LEFT JOIN shared AS c ON c.model_id = m.model_id AND c.topic_id = t.topic_id AND c.week = w.week::date;
COMMENT ON VIEW petitions.topic_trend IS
    'One row is one topic in one week of the window, under the published fit; weeks without a petition are there.';
COMMENT ON COLUMN petitions.topic_trend.week IS
    'its Monday; the first and the last week of a window may be cut short by it';
COMMENT ON COLUMN petitions.topic_trend.n_petitions IS 'that began in the week and have it as main topic';
COMMENT ON COLUMN petitions.topic_trend.share IS 'of the petitions that began in the week; 0 in a week without any';
COMMENT ON COLUMN petitions.topic_trend.balanced_share IS
    'share where every category of the week weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.topic_trend.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share in a week without any';
COMMENT ON COLUMN petitions.topic_trend.n_agreements IS 'of those petitions, as last seen';
COMMENT ON COLUMN petitions.topic_trend.model_id IS 'the fit that says so';

CREATE VIEW petitions.emerging_topic AS
WITH counted AS (
    SELECT
        m.source, m.model_id, t.topic_id, t.label,
        count(*) FILTER (WHERE p.begins_on >= m.until - 28) AS n_recent,
        count(*) FILTER (WHERE p.begins_on < m.until - 28) AS n_before
    FROM petitions.published_model AS m
    JOIN petitions.topic AS t USING (model_id)
    JOIN petitions.main_topic AS main USING (model_id, topic_id)
    JOIN petitions.petition AS p USING (petition_id)
    GROUP BY m.source, m.model_id, t.topic_id, t.label
), totalled AS (
    SELECT
        counted.*,
        (sum(n_recent) OVER every_topic)::bigint AS n_recent_all,
        (sum(n_before) OVER every_topic)::bigint AS n_before_all
    FROM counted
    WINDOW every_topic AS (PARTITION BY model_id)
), shared AS (
    SELECT
        totalled.*,
        n_recent::double precision / n_recent_all AS share_recent,
        n_before::double precision / n_before_all AS share_before,
        (n_recent + n_before)::double precision / (n_recent_all + n_before_all) AS share_all
    FROM totalled
    WHERE n_recent_all > 0 AND n_before_all > 0
)
SELECT
    source, topic_id, label, share_recent, share_before, share_recent / nullif(share_before, 0) AS growth,
    (share_recent - share_before)
        / sqrt(share_all * (1 - share_all) * (1.0 / n_recent_all + 1.0 / n_before_all)) AS z,
    n_recent, n_recent_all, n_before, n_before_all, model_id
FROM shared
WHERE share_recent > share_before;
COMMENT ON VIEW petitions.emerging_topic IS
    'One row is one topic whose share of petitions was larger in the last 28 days of the window than before them.';
COMMENT ON COLUMN petitions.emerging_topic.growth IS 'share_recent by share_before; null for a topic that was not there';
COMMENT ON COLUMN petitions.emerging_topic.z IS
    'two-proportion z of the four counts beside it: (share_recent - share_before) by the root of
p (1 - p) (1 / n_recent_all + 1 / n_before_all), p = (n_recent + n_before) / (n_recent_all + n_before_all). Of nine
topics that do not change, chance lifts one over 2 in a fifth of all windows, and over 3 in a fiftieth';
COMMENT ON COLUMN petitions.emerging_topic.n_recent IS 'petitions of the topic in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_recent_all IS 'petitions of all topics in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_before IS 'petitions of the topic before them';
COMMENT ON COLUMN petitions.emerging_topic.n_before_all IS 'petitions of all topics before them';

GRANT SELECT ON petitions.topic_trend, petitions.emerging_topic TO petition_reader, petition_writer;

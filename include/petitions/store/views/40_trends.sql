-- How the topics of the published fits move with time.

CREATE VIEW petitions.topic_period AS
WITH counted AS (
    SELECT
        main.model_id, main.topic_id, unit.unit, date_trunc(unit.unit, p.begins_on::timestamp)::date AS starts_on,
        p.category, count(*) AS n_petitions, sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    CROSS JOIN (VALUES ('week'), ('month')) AS unit (unit)
    GROUP BY main.model_id, main.topic_id, unit.unit, starts_on, p.category
), balanced AS (
    SELECT
        counted.*,
        n_petitions::double precision
            / sum(n_petitions) OVER (PARTITION BY model_id, unit, starts_on, category) AS of_category
    FROM counted
), summed AS (
    SELECT
        model_id, topic_id, unit, starts_on,
        sum(n_petitions) AS n_petitions, sum(n_agreements) AS n_agreements, sum(of_category) AS of_categories
    FROM balanced
    GROUP BY model_id, topic_id, unit, starts_on
), shared AS (
    SELECT
        summed.*,
        (n_petitions / sum(n_petitions) OVER one_period)::double precision AS share,
        of_categories / sum(of_categories) OVER one_period AS balanced_share,
        (n_agreements / nullif(sum(n_agreements) OVER one_period, 0))::double precision AS agreement_share
    FROM summed
    WINDOW one_period AS (PARTITION BY model_id, unit, starts_on)
)
SELECT
    m.source, unit.unit, period.starts_on::date AS starts_on, t.topic_id, t.label,
    coalesce(c.n_petitions, 0)::bigint AS n_petitions, coalesce(c.share, 0) AS share,
    coalesce(c.balanced_share, 0) AS balanced_share, coalesce(c.agreement_share, c.share, 0) AS agreement_share,
    coalesce(c.n_agreements, 0)::bigint AS n_agreements, m.model_id
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
CROSS JOIN (VALUES ('week'), ('month')) AS unit (unit)
CROSS JOIN LATERAL generate_series(
    date_trunc(unit.unit, m.since::timestamp), m.until::timestamp - interval '1 day', ('1 ' || unit.unit)::interval
) AS period (starts_on)
LEFT JOIN shared AS c
    ON c.model_id = m.model_id AND c.topic_id = t.topic_id AND c.unit = unit.unit
    AND c.starts_on = period.starts_on::date;
COMMENT ON VIEW petitions.topic_period IS
    'One row is one topic in one week or one month of the window, under the published fit; not for readers.';

CREATE VIEW petitions.topic_trend AS
SELECT
    source, starts_on AS week, topic_id, label, n_petitions, share, balanced_share, agreement_share, n_agreements,
    model_id
FROM petitions.topic_period
WHERE unit = 'week';
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

CREATE VIEW petitions.topic_month AS
SELECT
    source, starts_on AS month, topic_id, label, n_petitions, share, balanced_share, agreement_share, n_agreements,
    model_id
FROM petitions.topic_period
WHERE unit = 'month';
COMMENT ON VIEW petitions.topic_month IS
    'One row is one topic in one month of the window, under the published fit; months without a petition are there.';
COMMENT ON COLUMN petitions.topic_month.month IS
    'its first day; the first and the last month of a window may be cut short by it';
COMMENT ON COLUMN petitions.topic_month.n_petitions IS 'that began in the month and have it as main topic';
COMMENT ON COLUMN petitions.topic_month.share IS 'of the petitions that began in the month; 0 in a month without any';
COMMENT ON COLUMN petitions.topic_month.balanced_share IS
    'share where every category of the month weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.topic_month.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share in a month without any';
COMMENT ON COLUMN petitions.topic_month.n_agreements IS 'of those petitions, as last seen';
COMMENT ON COLUMN petitions.topic_month.model_id IS 'the fit that says so';

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

GRANT SELECT ON petitions.topic_trend, petitions.topic_month, petitions.emerging_topic
    TO petition_reader, petition_writer;

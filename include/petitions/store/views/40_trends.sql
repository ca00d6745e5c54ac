-- How the topics of the published fits move with time.

CREATE VIEW petitions.topic_trend AS
SELECT
    source, starts_on AS week, n_days, topic_id, label, n_petitions, share, balanced_share, agreement_share, n_agreements,
    n_open, model_id
FROM petitions.topic_period
WHERE unit = 'week';
COMMENT ON VIEW petitions.topic_trend IS
    'One row is one topic in one week of the window, under the published fit; weeks without a petition are there.';
COMMENT ON COLUMN petitions.topic_trend.week IS 'its Monday, Korean time';
COMMENT ON COLUMN petitions.topic_trend.n_days IS
    'days of the week within the window; under 7: it is cut short by the window, and compares by share alone';
COMMENT ON COLUMN petitions.topic_trend.n_petitions IS 'that began in the week and have it as main topic';
COMMENT ON COLUMN petitions.topic_trend.share IS 'of the petitions that began in the week; 0 in a week without any';
COMMENT ON COLUMN petitions.topic_trend.balanced_share IS
    'share where every category of the week weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.topic_trend.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share in a week without any';
COMMENT ON COLUMN petitions.topic_trend.n_agreements IS 'of those petitions, as last seen; not final where n_open is over 0';
COMMENT ON COLUMN petitions.topic_trend.n_open IS 'of those petitions, those still open, whose agreements are not final';
COMMENT ON COLUMN petitions.topic_trend.model_id IS 'the fit that says so';

CREATE VIEW petitions.topic_month AS
SELECT
    source, starts_on AS month, n_days, topic_id, label, n_petitions, share, balanced_share, agreement_share, n_agreements,
    n_open, model_id
FROM petitions.topic_period
WHERE unit = 'month';
COMMENT ON VIEW petitions.topic_month IS
    'One row is one topic in one month of the window, under the published fit; months without a petition are there.';
COMMENT ON COLUMN petitions.topic_month.month IS 'its first day, Korean time';
COMMENT ON COLUMN petitions.topic_month.n_days IS
    'days of the month within the window; fewer than the month has: it is cut short by the window, and compares by share alone';
COMMENT ON COLUMN petitions.topic_month.n_petitions IS 'that began in the month and have it as main topic';
COMMENT ON COLUMN petitions.topic_month.share IS 'of the petitions that began in the month; 0 in a month without any';
COMMENT ON COLUMN petitions.topic_month.balanced_share IS
    'share where every category of the month weighs the same, so that a loud one does not hide the rest';
COMMENT ON COLUMN petitions.topic_month.agreement_share IS
    'share where every agreement weighs the same, as last seen; equal to share in a month without any';
COMMENT ON COLUMN petitions.topic_month.n_agreements IS 'of those petitions, as last seen; not final where n_open is over 0';
COMMENT ON COLUMN petitions.topic_month.n_open IS 'of those petitions, those still open, whose agreements are not final';
COMMENT ON COLUMN petitions.topic_month.model_id IS 'the fit that says so';

CREATE VIEW petitions.topic_trend_day_7 AS
SELECT
    m.source, date_trunc('week', p.begins_on::timestamp)::date AS week, main.topic_id, t.label,
    count(*) AS n_petitions, count(a.n_agreements) AS n_looked, sum(a.n_agreements) AS n_agreements_day_7,
    avg(a.n_agreements)::double precision AS mean_agreements_day_7, m.model_id
FROM petitions.published_model AS m
JOIN petitions.main_topic AS main USING (model_id)
JOIN petitions.topic AS t USING (model_id, topic_id)
JOIN petitions.petition AS p USING (petition_id)
LEFT JOIN petitions.petition_agreement AS a ON a.petition_id = p.petition_id AND a.seen_on = p.begins_on + 7
GROUP BY m.source, m.model_id, main.topic_id, t.label, date_trunc('week', p.begins_on::timestamp);
COMMENT ON VIEW petitions.topic_trend_day_7 IS
    'One row is the petitions of one topic that began in one week, and their agreements when each was seven days old: weeks
compare by it although the later ones still gather. Weeks without a petition are left out.';
COMMENT ON COLUMN petitions.topic_trend_day_7.week IS 'its Monday, Korean time';
COMMENT ON COLUMN petitions.topic_trend_day_7.n_petitions IS 'that began in the week and have it as main topic';
COMMENT ON COLUMN petitions.topic_trend_day_7.n_looked IS
    'of them, those whose agreements we looked up on the seventh day after the first; the next two are of these alone';
COMMENT ON COLUMN petitions.topic_trend_day_7.n_agreements_day_7 IS 'their agreements on that day; null where n_looked is 0';
COMMENT ON COLUMN petitions.topic_trend_day_7.mean_agreements_day_7 IS
    'n_agreements_day_7 by n_looked: what to compare where we did not look at all of them';

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
COMMENT ON COLUMN petitions.emerging_topic.share_recent IS 'of the petitions of the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.share_before IS 'of the petitions before them';
COMMENT ON COLUMN petitions.emerging_topic.growth IS 'share_recent by share_before; null for a topic that was not there';
COMMENT ON COLUMN petitions.emerging_topic.z IS
    'two-proportion z of the four counts beside it: (share_recent - share_before) by the root of
p (1 - p) (1 / n_recent_all + 1 / n_before_all), p = (n_recent + n_before) / (n_recent_all + n_before_all). Of nine
topics that do not change, chance lifts one over 2 in a fifth of all windows, and over 3 in a fiftieth';
COMMENT ON COLUMN petitions.emerging_topic.n_recent IS 'petitions of the topic in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_recent_all IS 'petitions of all topics in the last 28 days';
COMMENT ON COLUMN petitions.emerging_topic.n_before IS 'petitions of the topic before them';
COMMENT ON COLUMN petitions.emerging_topic.n_before_all IS 'petitions of all topics before them';

GRANT SELECT ON petitions.topic_trend, petitions.topic_month, petitions.topic_trend_day_7, petitions.emerging_topic
    TO petition_reader, petition_writer;

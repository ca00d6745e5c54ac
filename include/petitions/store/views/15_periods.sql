-- Petitions and agreements of the topics of the published fits, by week, by month and over the whole window: one place
-- where a share is counted, so that the word means the same in every view.

CREATE VIEW petitions.topic_period AS
WITH counted AS (
    SELECT
        main.model_id, main.topic_id, unit.unit, unit.starts_on, p.category, count(*) AS n_petitions,
        count(*) FILTER (WHERE p.status = 'open') AS n_open, count(*) FILTER (WHERE main.is_mixed) AS n_mixed,
        sum(p.n_agreements) AS n_agreements
    FROM petitions.main_topic AS main
    JOIN petitions.petition AS p USING (petition_id)
    JOIN petitions.published_model AS m USING (model_id)
    CROSS JOIN LATERAL (VALUES
        ('week', date_trunc('week', p.begins_on::timestamp)::date),
        ('month', date_trunc('month', p.begins_on::timestamp)::date),
        ('window', m.since)
    ) AS unit (unit, starts_on)
    GROUP BY main.model_id, main.topic_id, unit.unit, unit.starts_on, p.category
), balanced AS (
    SELECT
        counted.*,
        n_petitions::double precision
            / sum(n_petitions) OVER (PARTITION BY model_id, unit, starts_on, category) AS of_category
    FROM counted
), summed AS (
    SELECT
        model_id, topic_id, unit, starts_on, sum(n_petitions) AS n_petitions, sum(n_open) AS n_open,
        sum(n_mixed) AS n_mixed, sum(n_agreements) AS n_agreements, sum(of_category) AS of_categories
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
    m.source, period.unit, period.starts_on, least(period.ends_on, m.until) - greatest(period.starts_on, m.since) AS n_days,
    t.topic_id, t.label, coalesce(c.n_petitions, 0)::bigint AS n_petitions, coalesce(c.share, 0) AS share,
    coalesce(c.balanced_share, 0) AS balanced_share, coalesce(c.agreement_share, c.share, 0) AS agreement_share,
    coalesce(c.n_agreements, 0)::bigint AS n_agreements, coalesce(c.n_open, 0)::bigint AS n_open,
    coalesce(c.n_mixed, 0)::bigint AS n_mixed, m.model_id
FROM petitions.published_model AS m
JOIN petitions.topic AS t USING (model_id)
CROSS JOIN LATERAL (
    SELECT unit.unit, starts.at::date AS starts_on, (starts.at + unit.length)::date AS ends_on
    FROM (VALUES ('week', interval '1 week'), ('month', interval '1 month')) AS unit (unit, length)
    CROSS JOIN LATERAL generate_series(
        date_trunc(unit.unit, m.since::timestamp), m.until::timestamp - interval '1 day', unit.length
    ) AS starts (at)
    UNION ALL
    SELECT 'window', m.since, m.until
) AS period
LEFT JOIN shared AS c
    ON c.model_id = m.model_id AND c.topic_id = t.topic_id AND c.unit = period.unit AND c.starts_on = period.starts_on;
COMMENT ON VIEW petitions.topic_period IS
    'One row is one topic in one week, one month or all of the window, under the published fit; not for readers.';

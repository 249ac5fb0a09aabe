-- The last step before an episode at which its rule did not hold; NULL where there is none.
ALTER TABLE episode ADD COLUMN last_healthy INTEGER;

DROP VIEW verdicts;
CREATE VIEW verdicts AS
SELECT r.run, e.kind, e.severity, e.first_step, e.last_step, e.stands, e.version AS detector_version, e.evidence,
       e.last_healthy AS last_healthy_step
FROM last_episode e JOIN run r ON r.id = e.run_id;

-- Part of the contract: each judged run of a sweep once for each two settings of which the
-- sweep has several values. onset is the first step of what names the verdict, or of the
-- first collapse that a healthy run came back from. An automatic k is the number that it
-- came to.
CREATE VIEW map AS
WITH leaf AS (
    SELECT m.sweep, m.run_id, substr(t.fullkey, 3) AS key,
           CASE WHEN t.type = 'null' THEN 'none' ELSE t.atom END AS value
    FROM membership m, json_tree(m.config) t
    WHERE m.standing <> 'former' AND t.type NOT IN ('object', 'array') AND t.fullkey NOT LIKE '%]'
), varied AS (
    SELECT sweep, key FROM leaf GROUP BY sweep, key HAVING count(DISTINCT value) > 1
), axis AS (
    SELECT l.sweep, l.run_id, l.key,
           CASE WHEN l.key = 'model.rescale' AND typeof(l.value) = 'text' THEN coalesce(json_extract(b.facts, '$.rescale'), l.value) ELSE l.value END AS value
    FROM leaf l JOIN varied USING (sweep, key) LEFT JOIN last_started b ON b.run_id = l.run_id
)
SELECT x.sweep, x.key AS x_key, x.value AS x, y.key AS y_key, y.value AS y, r.run, j.verdict,
       (SELECT min(e.first_step) FROM last_episode e WHERE e.run_id = x.run_id AND e.severity = 'collapse'
        AND (j.verdict = 'healthy' OR e.kind = j.verdict AND e.stands)) AS onset,
       j.verdict = 'healthy' AND EXISTS (SELECT 1 FROM last_episode e WHERE e.run_id = x.run_id AND e.severity = 'collapse') AS recovered
FROM axis x JOIN axis y ON y.sweep = x.sweep AND y.run_id = x.run_id AND y.key <> x.key
JOIN run r ON r.id = x.run_id JOIN last_judgement j ON j.run_id = x.run_id;

-- recovered says from which collapses a healthy run came back, and when each kind was seen
-- first and last; NULL where there was none, or where one stands.
DROP VIEW runs;
CREATE VIEW runs AS
SELECT r.run, p.label, p.sweep,
       CASE WHEN a.n IS NULL THEN CASE WHEN r.written THEN 'queued' ELSE 'new' END
            WHEN a.state IS NULL THEN 'running'
            WHEN a.state = 'preempted' THEN 'interrupted' ELSE a.state END AS state,
       j.verdict, p.backbone,
       CASE WHEN typeof(p.rescale) = 'text' THEN coalesce(json_extract(b.facts, '$.rescale'), p.rescale) ELSE p.rescale END AS rescale,
       p.seed,
       CASE WHEN b.last_step IS NOT NULL THEN b.last_step WHEN b.from_step > 0 THEN b.from_step - 1 END AS step,
       (SELECT sum(coalesce(c.seconds, (c.last_ms - c.started_ms) / 1000.0)) FROM attempt c WHERE c.run_id = r.id) AS seconds,
       p.config,
       CASE WHEN j.verdict = 'healthy' THEN
           (SELECT group_concat(text, ', ') FROM (
               SELECT e.kind || ' at ' || min(e.first_step) || '–' || max(e.last_step) AS text FROM last_episode e
               WHERE e.run_id = r.id AND e.severity = 'collapse' AND NOT e.stands
               GROUP BY e.kind ORDER BY min(e.first_step), e.kind))
       END AS recovered
FROM placed_run p JOIN run r ON r.id = p.run_id
LEFT JOIN last_attempt a ON a.run_id = r.id
LEFT JOIN last_started b ON b.run_id = r.id
LEFT JOIN last_judgement j ON j.run_id = r.id;

-- The rescale of a run whose k is chosen automatically is that k, once the run has
-- started; before, it is the choice's name. The configuration keeps the name.
DROP VIEW runs;
CREATE VIEW runs AS
SELECT r.run, p.label, p.sweep,
       CASE WHEN a.n IS NULL THEN 'new' WHEN a.state IS NULL THEN 'running'
            WHEN a.state = 'preempted' THEN 'interrupted' ELSE a.state END AS state,
       j.verdict, p.backbone,
       CASE WHEN typeof(p.rescale) = 'text' THEN coalesce(json_extract(b.facts, '$.rescale'), p.rescale) ELSE p.rescale END AS rescale,
       p.seed,
       CASE WHEN b.last_step IS NOT NULL THEN b.last_step WHEN b.from_step > 0 THEN b.from_step - 1 END AS step,
       (SELECT sum(coalesce(c.seconds, (c.last_ms - c.started_ms) / 1000.0)) FROM attempt c WHERE c.run_id = r.id) AS seconds,
       p.config
FROM placed_run p JOIN run r ON r.id = p.run_id
LEFT JOIN last_attempt a ON a.run_id = r.id
LEFT JOIN last_started b ON b.run_id = r.id
LEFT JOIN last_judgement j ON j.run_id = r.id;

-- Views that look up the rows of one run by an index. Those before numbered all rows of their
-- tables first, so that a row of one run cost as much as the rows of all.
DROP VIEW last_judgement;
CREATE VIEW last_judgement AS
SELECT run_id, verdict, chain FROM judgement j
WHERE (j.attempt, j.seq) = (SELECT k.attempt, k.seq FROM judgement k WHERE k.run_id = j.run_id ORDER BY k.attempt DESC, k.seq DESC LIMIT 1);

DROP VIEW last_selection;
CREATE VIEW last_selection AS
SELECT run_id, step, measure, value, weights FROM selection c
WHERE (c.attempt, c.seq) = (SELECT k.attempt, k.seq FROM selection k WHERE k.run_id = c.run_id ORDER BY k.attempt DESC, k.seq DESC LIMIT 1);

DROP VIEW membership;
CREATE VIEW membership AS
SELECT m.sweep, m.run_id, m.label, m.position, m.revision, m.added, m.backbone, m.rescale, m.seed, m.config,
       CASE WHEN m.revision <> s.revision THEN 'former' WHEN m.added <> '' THEN 'added' ELSE 'file' END AS standing
FROM member m JOIN sweep s ON s.sweep = m.sweep
WHERE (m.revision, m.position) = (SELECT k.revision, k.position FROM member k WHERE k.sweep = m.sweep AND k.run_id = m.run_id ORDER BY k.revision DESC, k.position LIMIT 1);

-- What the logs say of a run: one row each.
CREATE VIEW logged_run AS
SELECT r.id AS run_id, r.run,
       CASE WHEN a.n IS NULL THEN CASE WHEN r.written THEN 'queued' ELSE 'new' END
            WHEN a.state IS NULL THEN 'running'
            WHEN a.state = 'preempted' THEN 'interrupted' ELSE a.state END AS state,
       a.error, a.weights, j.verdict, j.chain, b.steps, b.host, b.facts,
       CASE WHEN b.last_step IS NOT NULL THEN b.last_step WHEN b.from_step > 0 THEN b.from_step - 1 END AS step,
       (SELECT sum(coalesce(c.seconds, (c.last_ms - c.started_ms) / 1000.0)) FROM attempt c WHERE c.run_id = r.id) AS seconds,
       (SELECT count(*) FROM attempt c WHERE c.run_id = r.id) AS attempts,
       CASE WHEN j.verdict = 'healthy' THEN
           (SELECT group_concat(text, ', ') FROM (
               SELECT e.kind || ' at ' || min(e.first_step) || '–' || max(e.last_step) AS text FROM last_episode e
               WHERE e.run_id = r.id AND e.severity = 'collapse' AND NOT e.stands
               GROUP BY e.kind ORDER BY min(e.first_step), e.kind))
       END AS recovered
FROM run r
LEFT JOIN last_attempt a ON a.run_id = r.id
LEFT JOIN last_started b ON b.run_id = r.id
LEFT JOIN last_judgement j ON j.run_id = r.id;

DROP VIEW runs;
CREATE VIEW runs AS
SELECT l.run, p.label, p.sweep, l.state, l.verdict, p.backbone,
       CASE WHEN typeof(p.rescale) = 'text' THEN coalesce(json_extract(l.facts, '$.rescale'), p.rescale) ELSE p.rescale END AS rescale,
       p.seed, l.step, l.seconds, p.config, l.recovered
FROM placed_run p JOIN logged_run l ON l.run_id = p.run_id;

-- By what command line a point beside those of the sweep's file came in; '' for one of the file.
ALTER TABLE member ADD COLUMN added TEXT NOT NULL DEFAULT '';

-- Whether the run's folder is there, which may be before its first attempt.
ALTER TABLE run ADD COLUMN written INTEGER NOT NULL DEFAULT 0;

-- Each run of each sweep once, as the newest revision that lists it says. A run that the
-- sweep's last revision lacks is a former one.
CREATE VIEW membership AS
SELECT m.sweep, m.run_id, m.label, m.position, m.revision, m.added, m.backbone, m.rescale, m.seed, m.config,
       CASE WHEN m.revision <> s.revision THEN 'former' WHEN m.added <> '' THEN 'added' ELSE 'file' END AS standing
FROM (
    SELECT *, row_number() OVER (PARTITION BY sweep, run_id ORDER BY revision DESC, position) AS place FROM member
) m JOIN sweep s ON s.sweep = m.sweep WHERE m.place = 1;

-- One row a run: of several sweeps that have it the first by name, and none where all are former.
DROP VIEW placed_run;
CREATE VIEW placed_run AS
SELECT r.id AS run_id, p.label, CASE WHEN p.standing <> 'former' THEN p.sweep END AS sweep,
       p.position, p.standing, p.added, p.backbone, p.rescale, p.seed, p.config
FROM run r LEFT JOIN (
    SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY standing = 'former', sweep) AS first FROM membership
) p ON p.run_id = r.id AND p.first = 1;

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
       p.config
FROM placed_run p JOIN run r ON r.id = p.run_id
LEFT JOIN last_attempt a ON a.run_id = r.id
LEFT JOIN last_started b ON b.run_id = r.id
LEFT JOIN last_judgement j ON j.run_id = r.id;

-- Parts of the contract.

CREATE VIEW members AS
SELECT m.sweep, r.run, m.label, m.standing, m.added, m.position, m.revision
FROM membership m JOIN run r ON r.id = m.run_id;

-- rescale is what the sweep says, k the number that it came to: NULL until an automatic
-- choice has been made.
CREATE VIEW settings AS
SELECT r.run, p.label, p.seed, p.backbone, p.rescale,
       CASE WHEN typeof(p.rescale) = 'text' THEN json_extract(b.facts, '$.rescale') ELSE p.rescale END AS k,
       json_extract(p.config, '$.model.target') AS target,
       json_extract(p.config, '$.model.tie') AS tie,
       json_extract(p.config, '$.model.pooling') AS pooling,
       json_extract(p.config, '$.model.activation') AS activation,
       json_extract(p.config, '$.model.top_k') AS top_k,
       json_extract(p.config, '$.model.dropout') AS dropout,
       json_extract(p.config, '$.data.train') AS train,
       json_extract(p.config, '$.data.max_query') AS max_query,
       json_extract(p.config, '$.data.max_document') AS max_document,
       json_extract(p.config, '$.data.order') AS data_order,
       json_extract(p.config, '$.data.negatives') AS negatives,
       json_extract(p.config, '$.train.steps') AS steps,
       json_extract(p.config, '$.train.batch') AS batch,
       json_extract(p.config, '$.train.lr') AS lr,
       json_extract(p.config, '$.train.head_lr_scale') AS head_lr_scale,
       json_extract(p.config, '$.train.schedule') AS schedule,
       json_extract(p.config, '$.train.warmup') AS warmup,
       json_extract(p.config, '$.train.warmup_steps') AS warmup_steps,
       json_extract(p.config, '$.train.weight_decay') AS weight_decay,
       json_extract(p.config, '$.train.clip') AS clip,
       json_extract(p.config, '$.train.precision') AS precision,
       json_extract(p.config, '$.loss.kind') AS loss,
       json_extract(p.config, '$.loss.scale') AS loss_scale,
       json_extract(p.config, '$.loss.temperature') AS temperature,
       json_extract(p.config, '$.loss.candidates') AS candidates,
       json_extract(p.config, '$.regularizer.kind') AS regularizer,
       json_extract(p.config, '$.regularizer.lambda_query') AS lambda_query,
       json_extract(p.config, '$.regularizer.lambda_document') AS lambda_document,
       json_extract(p.config, '$.regularizer.ramp') AS ramp,
       json_extract(p.config, '$.regularizer.ramp_steps') AS ramp_steps,
       json_extract(p.config, '$.regularizer.ramp_kind') AS ramp_kind,
       json_extract(p.config, '$.checkpoint.select') AS selects
FROM placed_run p JOIN run r ON r.id = p.run_id
LEFT JOIN last_started b ON b.run_id = r.id;

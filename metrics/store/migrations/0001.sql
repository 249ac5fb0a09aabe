-- Tables are the store's own and may change with a migration; the views at the end are
-- a contract. A column without a type keeps numbers as numbers and 'nan', '+inf' and
-- '-inf' as words.

CREATE TABLE sweep (
    sweep    TEXT PRIMARY KEY,
    revision TEXT NOT NULL,          -- the last one
    question TEXT NOT NULL,
    stamp    TEXT NOT NULL           -- of the manifests, to see whether they changed
) WITHOUT ROWID;

CREATE TABLE run (
    id  INTEGER PRIMARY KEY,
    run TEXT NOT NULL UNIQUE
);

CREATE TABLE member (
    sweep    TEXT NOT NULL,
    revision TEXT NOT NULL,
    position INTEGER NOT NULL,
    run_id   INTEGER NOT NULL REFERENCES run(id),
    label    TEXT NOT NULL,
    backbone TEXT NOT NULL,
    rescale  NOT NULL,               -- a number, or the name of an automatic choice
    seed     INTEGER NOT NULL,
    config   TEXT NOT NULL,
    PRIMARY KEY (sweep, revision, position)
) WITHOUT ROWID;
CREATE INDEX member_run ON member(run_id);

CREATE TABLE baseline_member (
    sweep      TEXT NOT NULL,
    position   INTEGER NOT NULL,
    evaluation TEXT NOT NULL,
    dataset    TEXT NOT NULL,
    name       TEXT NOT NULL,
    backbone   TEXT NOT NULL,
    PRIMARY KEY (sweep, position)
) WITHOUT ROWID;

CREATE TABLE attempt (
    run_id     INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    n          INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL,    -- how far its log is folded
    seq        INTEGER NOT NULL,
    tail       TEXT NOT NULL DEFAULT '', -- the sum of the last line folded
    modified   INTEGER NOT NULL DEFAULT 0, -- the log's time of change, in ns
    from_step  INTEGER,              -- NULL until it has started
    steps      INTEGER,
    host       TEXT,
    pid        INTEGER,
    facts      TEXT,
    started_ms INTEGER,
    last_ms    INTEGER,
    last_step  INTEGER,
    state      TEXT,                 -- NULL until it has ended
    seconds    REAL,
    error      TEXT,
    weights    TEXT,
    PRIMARY KEY (run_id, n)
) WITHOUT ROWID;

CREATE TABLE series_name (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE point (
    run_id    INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    name_id   INTEGER NOT NULL REFERENCES series_name(id),
    step      INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    value     REAL,
    nonfinite TEXT CHECK (nonfinite IN ('nan', '+inf', '-inf')),
    PRIMARY KEY (run_id, name_id, step),
    CHECK ((value IS NULL) <> (nonfinite IS NULL))
) WITHOUT ROWID;

CREATE TABLE head_norm (
    run_id  INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    step    INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    mean NOT NULL, p05 NOT NULL, p50 NOT NULL, p95 NOT NULL, max NOT NULL,
    PRIMARY KEY (run_id, step)
) WITHOUT ROWID;

-- Every report of an episode; the last of one detector, series and first step counts.
CREATE TABLE episode (
    run_id     INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    at_step    INTEGER NOT NULL,     -- the last step before the report
    detector   TEXT NOT NULL,
    version    INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    severity   TEXT NOT NULL,
    series     TEXT NOT NULL,
    first_step INTEGER NOT NULL,
    last_step  INTEGER NOT NULL,
    stands     INTEGER NOT NULL,
    evidence   TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt, seq)
) WITHOUT ROWID;

CREATE TABLE judgement (
    run_id  INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at_step INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    chain   TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt, seq)
) WITHOUT ROWID;

-- When a log says that an evaluation was made: of two of one collection the later counts.
CREATE TABLE evaluated (
    run_id     INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    evaluation TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt, seq)
) WITHOUT ROWID;

CREATE TABLE evaluation (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER REFERENCES run(id) ON DELETE CASCADE, -- NULL for a baseline
    evaluation      TEXT NOT NULL,
    dataset         TEXT NOT NULL,
    split           TEXT NOT NULL,
    name            TEXT NOT NULL,
    backbone        TEXT NOT NULL,
    queries         INTEGER NOT NULL,
    documents       INTEGER NOT NULL,
    active_query    REAL,
    active_document REAL,
    flops           REAL,
    encode_seconds  REAL,
    index_seconds   REAL,
    search_seconds  REAL,
    qrels_digest    TEXT NOT NULL,
    tie_share       REAL,
    folder          TEXT NOT NULL UNIQUE, -- relative to the workspace
    stamp           TEXT NOT NULL
);
CREATE INDEX evaluation_run ON evaluation(run_id);
CREATE INDEX evaluation_id ON evaluation(evaluation);

CREATE TABLE measure_value (
    evaluation_id INTEGER NOT NULL REFERENCES evaluation(id) ON DELETE CASCADE,
    measure       TEXT NOT NULL,
    value         REAL,
    PRIMARY KEY (evaluation_id, measure)
) WITHOUT ROWID;

CREATE TABLE query_value (
    evaluation_id INTEGER NOT NULL REFERENCES evaluation(id) ON DELETE CASCADE,
    measure       TEXT NOT NULL,
    query         TEXT NOT NULL,
    value         REAL,
    PRIMARY KEY (evaluation_id, measure, query)
) WITHOUT ROWID;

-- What the contract's views are made of.

-- Its state is that of the run, also where it failed before its first step.
CREATE VIEW last_attempt AS
SELECT a.* FROM attempt a
WHERE a.n = (SELECT max(b.n) FROM attempt b WHERE b.run_id = a.run_id);

CREATE VIEW last_started AS
SELECT a.* FROM attempt a
WHERE a.from_step IS NOT NULL
  AND a.n = (SELECT max(b.n) FROM attempt b WHERE b.run_id = a.run_id AND b.from_step IS NOT NULL);

CREATE VIEW last_judgement AS
SELECT run_id, verdict, chain FROM (
    SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY attempt DESC, seq DESC) AS place FROM judgement
) WHERE place = 1;

CREATE VIEW last_episode AS
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY run_id, detector, series, first_step ORDER BY attempt DESC, seq DESC) AS place
    FROM episode
) WHERE place = 1;

CREATE VIEW last_evaluation AS
SELECT * FROM (
    SELECT e.*, CASE WHEN e.split IN ('', 'test') THEN e.dataset ELSE e.dataset || '/' || e.split END AS shown,
           row_number() OVER (PARTITION BY e.run_id, e.dataset, e.split
                              ORDER BY d.attempt DESC, d.seq DESC, e.evaluation DESC) AS place
    FROM evaluation e LEFT JOIN evaluated d
      ON d.run_id = e.run_id AND d.evaluation = e.evaluation
    WHERE e.run_id IS NOT NULL
) WHERE place = 1;

-- One row a run and sweep whose last revision has it; a run of older revisions only
-- stands once, without a sweep.
CREATE VIEW placed_run AS
SELECT m.run_id, m.label, m.sweep, m.position, m.backbone, m.rescale, m.seed, m.config
FROM member m JOIN sweep s ON s.sweep = m.sweep AND s.revision = m.revision
UNION ALL
SELECT r.id, o.label, NULL, NULL, o.backbone, o.rescale, o.seed, o.config
FROM run r LEFT JOIN (
    SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY revision DESC, sweep, position) AS place FROM member
) o ON o.run_id = r.id AND o.place = 1
WHERE NOT EXISTS (SELECT 1 FROM member m JOIN sweep s ON s.sweep = m.sweep AND s.revision = m.revision WHERE m.run_id = r.id);

-- The contract.

CREATE VIEW runs AS
SELECT r.run, p.label, p.sweep,
       CASE WHEN a.n IS NULL THEN 'new' WHEN a.state IS NULL THEN 'running'
            WHEN a.state = 'preempted' THEN 'interrupted' ELSE a.state END AS state,
       j.verdict, p.backbone, p.rescale, p.seed,
       CASE WHEN b.last_step IS NOT NULL THEN b.last_step WHEN b.from_step > 0 THEN b.from_step - 1 END AS step,
       (SELECT sum(coalesce(c.seconds, (c.last_ms - c.started_ms) / 1000.0)) FROM attempt c WHERE c.run_id = r.id) AS seconds,
       p.config
FROM placed_run p JOIN run r ON r.id = p.run_id
LEFT JOIN last_attempt a ON a.run_id = r.id
LEFT JOIN last_started b ON b.run_id = r.id
LEFT JOIN last_judgement j ON j.run_id = r.id;

CREATE VIEW series AS
SELECT r.run, p.step, n.name, p.value, p.nonfinite
FROM point p JOIN run r ON r.id = p.run_id JOIN series_name n ON n.id = p.name_id;

CREATE VIEW scores AS
SELECT r.run, e.shown AS dataset, v.measure, v.value, e.queries
FROM last_evaluation e JOIN run r ON r.id = e.run_id JOIN measure_value v ON v.evaluation_id = e.id;

CREATE VIEW query_scores AS
SELECT r.run, e.shown AS dataset, v.query, v.measure, v.value
FROM last_evaluation e JOIN run r ON r.id = e.run_id JOIN query_value v ON v.evaluation_id = e.id;

CREATE VIEW verdicts AS
SELECT r.run, e.kind, e.severity, e.first_step, e.last_step, e.stands, e.version AS detector_version, e.evidence
FROM last_episode e JOIN run r ON r.id = e.run_id;

CREATE VIEW baselines AS
SELECT b.sweep, b.dataset, b.name, b.backbone, v.measure, v.value, e.queries
FROM baseline_member b
JOIN evaluation e ON e.evaluation = b.evaluation AND e.run_id IS NULL
JOIN measure_value v ON v.evaluation_id = e.id;

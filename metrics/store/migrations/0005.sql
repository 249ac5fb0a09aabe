-- Evaluations are joined by what they are of: an encoder, a collection's contents and the
-- measures' version. A reference such as ./data is a name, and what it names may change.
-- What is dropped here is folded again from the files.
DROP VIEW scores;
DROP VIEW query_scores;
DROP VIEW baselines;
DROP VIEW last_evaluation;
DROP TABLE evaluated;
DROP TABLE query_value;
DROP TABLE measure_value;
DROP TABLE evaluation;
DROP TABLE baseline_member;
DELETE FROM member;
DELETE FROM sweep;

CREATE TABLE evaluation (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER REFERENCES run(id) ON DELETE CASCADE, -- NULL for a baseline
    evaluation      TEXT NOT NULL,
    encoder         TEXT NOT NULL,   -- '' where an older program wrote the summary
    collection      TEXT NOT NULL,   -- digest of corpus, queries and the split's qrels
    split           TEXT NOT NULL,
    measures_version INTEGER NOT NULL,
    reference       TEXT NOT NULL,   -- where the collection was found
    name            TEXT NOT NULL,
    backbone        TEXT NOT NULL,
    encoding        TEXT,            -- JSON; NULL for BM25
    queries         INTEGER NOT NULL,
    documents       INTEGER NOT NULL,
    active_query    REAL,
    active_document REAL,
    flops           REAL,
    encode_seconds  REAL,
    index_seconds   REAL,
    search_seconds  REAL,
    tie_share       REAL,
    tie_mass        REAL,
    folder          TEXT NOT NULL UNIQUE, -- relative to the workspace
    stamp           TEXT NOT NULL,
    label           TEXT NOT NULL DEFAULT '', -- of the collection; set at the end of a fold
    current         INTEGER NOT NULL DEFAULT 0 -- set at the end of a fold
);
CREATE INDEX evaluation_run ON evaluation(run_id);
CREATE INDEX evaluation_id ON evaluation(evaluation);
CREATE INDEX evaluation_encoder ON evaluation(encoder);

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

CREATE TABLE baseline_member (
    sweep      TEXT NOT NULL,
    position   INTEGER NOT NULL,
    evaluation TEXT NOT NULL,
    encoder    TEXT NOT NULL,        -- '' in manifests of an older program
    name       TEXT NOT NULL,
    backbone   TEXT NOT NULL,
    PRIMARY KEY (sweep, position)
) WITHOUT ROWID;

-- The collections that a sweep's last revision asks for.
CREATE TABLE asked (
    sweep      TEXT NOT NULL,
    position   INTEGER NOT NULL,
    reference  TEXT NOT NULL,
    split      TEXT NOT NULL,
    collection TEXT NOT NULL DEFAULT '', -- what the reference holds; set at the end of a fold
    label      TEXT NOT NULL DEFAULT '', -- in tables of this sweep
    PRIMARY KEY (sweep, position)
) WITHOUT ROWID;

-- What each reference held when somebody last looked (collections.json).
CREATE TABLE reference (
    reference  TEXT NOT NULL,
    split      TEXT NOT NULL,
    collection TEXT NOT NULL,        -- '' where what it held has moved to another reference
    PRIMARY KEY (reference, split)
) WITHOUT ROWID;

-- The baselines of a sweep on the collections that it asks for, former contents of these
-- included: a row per evaluation.
CREATE VIEW sweep_baseline AS
SELECT b.sweep, min(b.position) AS position, b.name, b.backbone, e.id AS evaluation_id,
       max(a.collection = e.collection AND e.current) AS current
FROM baseline_member b
JOIN evaluation e ON e.run_id IS NULL AND (e.evaluation = b.evaluation OR b.encoder <> '' AND e.encoder = b.encoder)
JOIN asked a ON a.sweep = b.sweep AND a.split = e.split AND (a.collection = e.collection OR a.reference = e.reference)
GROUP BY b.sweep, b.name, b.backbone, e.id;

CREATE VIEW shown_evaluation AS
SELECT e.*, CASE WHEN e.split IN ('', 'test') THEN e.label ELSE e.label || '/' || e.split END AS dataset FROM evaluation e;

-- Parts of the contract.

CREATE VIEW scores AS
SELECT r.run, e.dataset, v.measure, v.value, e.queries, e.split, e.collection AS collection_digest,
       e.active_query, e.active_document, e.flops, e.tie_mass, e.current
FROM shown_evaluation e JOIN run r ON r.id = e.run_id JOIN measure_value v ON v.evaluation_id = e.id;

CREATE VIEW query_scores AS
SELECT r.run, e.dataset, v.query, v.measure, v.value, e.split, e.collection AS collection_digest, e.current
FROM shown_evaluation e JOIN run r ON r.id = e.run_id JOIN query_value v ON v.evaluation_id = e.id;

CREATE VIEW baselines AS
SELECT b.sweep, e.dataset, b.name, b.backbone, v.measure, v.value, e.queries, e.split, e.collection AS collection_digest,
       e.active_query, e.active_document, e.flops, e.tie_mass, b.current, e.encoding
FROM sweep_baseline b JOIN shown_evaluation e ON e.id = b.evaluation_id JOIN measure_value v ON v.evaluation_id = e.id;

CREATE VIEW collections AS
SELECT a.sweep, a.label AS dataset, a.split, a.reference, nullif(a.collection, '') AS collection_digest FROM asked a;

-- Evaluations on dev data during training. Their points are of a state, not of a step's
-- update: an attempt that resumes from that state neither repeats nor replaces them.
ALTER TABLE series_name ADD COLUMN of_state INTEGER NOT NULL DEFAULT 0;

-- Which step's weights are the run's result, where dev data chose them.
CREATE TABLE selection (
    run_id  INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at_step INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    measure TEXT NOT NULL,
    value   REAL,                -- NULL where no step has a value
    weights TEXT NOT NULL,
    PRIMARY KEY (run_id, attempt, seq)
) WITHOUT ROWID;

CREATE VIEW last_selection AS
SELECT run_id, step, measure, value, weights FROM (
    SELECT *, row_number() OVER (PARTITION BY run_id ORDER BY attempt DESC, seq DESC) AS place FROM selection
) WHERE place = 1;

-- Part of the contract.
CREATE VIEW selected AS
SELECT r.run, s.step, s.measure, s.value, s.weights FROM last_selection s JOIN run r ON r.id = s.run_id;

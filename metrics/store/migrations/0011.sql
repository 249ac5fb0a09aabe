-- The series that reports draw, reduced when their run was over to the points that show. outlined is
-- the version of the rules, 0 for a run that has no outlines: it is not over, or an older program
-- folded it; the next fold makes them.
ALTER TABLE run ADD COLUMN outlined INTEGER NOT NULL DEFAULT 0;

CREATE TABLE outline (
    run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    curve  BLOB NOT NULL,
    UNIQUE (run_id, name)
);

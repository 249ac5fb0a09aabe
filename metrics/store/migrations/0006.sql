-- Evaluations repeated with the vectors of one side cut to their greatest weights.
CREATE TABLE cut (
    id              INTEGER PRIMARY KEY,
    evaluation_id   INTEGER NOT NULL REFERENCES evaluation(id) ON DELETE CASCADE,
    side            TEXT NOT NULL,   -- that is cut: 'document' or 'query'
    terms           INTEGER NOT NULL,
    active_query    REAL,
    active_document REAL,
    flops           REAL,
    UNIQUE (evaluation_id, side, terms)
);

CREATE TABLE cut_value (
    cut_id  INTEGER NOT NULL REFERENCES cut(id) ON DELETE CASCADE,
    measure TEXT NOT NULL,
    value   REAL,
    queries BLOB NOT NULL,           -- values, little-endian float64, by query id in byte order
    PRIMARY KEY (cut_id, measure)
);

-- Part of the contract.
CREATE VIEW curves AS
SELECT r.run, e.dataset, e.split, c.side, c.terms, v.measure, v.value, c.active_query, c.active_document, c.flops,
       e.collection AS collection_digest, e.current
FROM shown_evaluation e JOIN run r ON r.id = e.run_id JOIN cut c ON c.evaluation_id = e.id JOIN cut_value v ON v.cut_id = c.id;

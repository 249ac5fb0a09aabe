-- What ANALYZE would find in a database of 1,000 long runs, so that SQLite plans a query on the views by
-- way of the runs that it asks for. Without, it reads all points for the first loss of each run. The
-- numbers are rows of a table, and rows with equal first columns of an index.
ANALYZE series_name;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('run', NULL, '1000'), ('step_value', 'step_value', '10000000 10000 10000 1');
ANALYZE sqlite_schema;

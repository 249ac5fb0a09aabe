-- Statistics for every table, as ANALYZE makes them: of tables without, SQLite expects a million rows, and joins
-- them in a bad order. They are of 1,000 long runs, and fixed, so that a question has one plan, in a database
-- that grows and in one that is made again. The numbers are rows of a table, and rows with equal first columns of an
-- index. Two differ from what ANALYZE finds: the tables of evaluations have ten
-- times their rows, so that SQLite goes from runs to evaluations; with more
-- than four queries per measure it would make its indexes for a join of query_value without the measure.
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('asked', 'asked', '2 2 1'),
    ('attempt', 'attempt', '1000 1 1'),
    ('baseline_member', 'baseline_member', '2 2 1'),
    ('cut', 'sqlite_autoindex_cut_1', '160000 8 4 1'),
    ('cut_value', 'sqlite_autoindex_cut_value_1', '480000 3 1'),
    ('episode', 'episode', '3000 3 3 1'),
    ('evaluation', 'evaluation_run', '20000 2'),
    ('evaluation', 'evaluation_id', '20000 1'),
    ('evaluation', 'evaluation_encoder', '20000 2'),
    ('evaluation', 'sqlite_autoindex_evaluation_1', '20000 1'),
    ('head_norm', 'head_norm', '1000000 1000 1'),
    ('judgement', 'judgement', '1000 1 1 1'),
    ('measure_value', 'measure_value', '60000 3 1'),
    ('member', 'member', '1000 1000 1000 1'),
    ('member', 'member_run', '1000 1'),
    ('outline', 'sqlite_autoindex_outline_1', '20000 20 1'),
    ('query_value', 'query_value', '100000 50 4 1'),
    ('reference', 'reference', '2 1 1'),
    ('run', 'sqlite_autoindex_run_1', '1000 1'),
    ('selection', 'selection', '1000 1 1 1'),
    ('series_name', 'sqlite_autoindex_series_name_1', '50 1'),
    ('step_value', 'step_value', '10000000 10000 10000 1'),
    ('sweep', 'sweep', '1 1');
ANALYZE sqlite_schema;

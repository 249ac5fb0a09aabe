package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/store"
)

// SQLite takes a table without statistics for one of a million rows.
func TestEveryTableAndIndexHasStatistics(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	expect(t, s, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN (SELECT tbl FROM sqlite_stat1)`)
	// The index of a table without row numbers is the table: its statistics have the table's name.
	expect(t, s, `SELECT i.tbl_name, i.name FROM sqlite_schema i JOIN sqlite_schema t ON t.name = i.tbl_name
		WHERE i.type = 'index' AND NOT (t.sql LIKE '%WITHOUT ROWID' AND i.name = 'sqlite_autoindex_' || i.tbl_name || '_1')
		AND NOT EXISTS (SELECT 1 FROM sqlite_stat1 x WHERE x.tbl = i.tbl_name AND x.idx = i.name)`)
	// Statistics that SQLite does not find the index of, or that lack a column, have no effect.
	expect(t, s, `SELECT x.tbl, x.idx FROM sqlite_stat1 x WHERE x.idx <> x.tbl AND x.idx NOT IN (SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = x.tbl)`)
	expect(t, s, `SELECT x.tbl, x.idx FROM sqlite_stat1 x
		WHERE length(x.stat) - length(replace(x.stat, ' ', '')) <> (SELECT count(*) FROM pragma_index_info(CASE WHEN x.idx = x.tbl THEN 'sqlite_autoindex_' || x.tbl || '_1' ELSE x.idx END))`)
	statistics := query(t, s, "SELECT * FROM sqlite_stat1 ORDER BY tbl, idx")
	if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil {
		t.Fatal(err)
	}
	if again := query(t, s, "SELECT * FROM sqlite_stat1 ORDER BY tbl, idx"); !slices.Equal(again, statistics) {
		t.Errorf("after a rebuild the statistics are %q, before %q", again, statistics)
	}
}

// TestQueriesReachScoresByRun: pairs of runs are made before their scores are looked up. No query reads the
// scores of all runs for each run, or makes an index of all scores for some runs.
func TestQueriesReachScoresByRun(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	const pairs = "FROM settings a JOIN settings b ON b.seed = a.seed AND a.k = 1 AND b.k = 4 "
	for question, want := range map[string][]string{
		"SELECT x.dataset, avg(y.value - x.value) " + pairs + "JOIN scores x ON x.run = a.run JOIN scores y ON y.run = b.run AND y.dataset = x.dataset AND y.measure = x.measure WHERE x.measure = 'nDCG@10' GROUP BY 1": {"SCAN p",
			"SEARCH e USING INDEX evaluation_run (run_id=?)", "SEARCH v USING PRIMARY KEY (evaluation_id=? AND measure=?)",
			"SEARCH e USING INDEX evaluation_run (run_id=?)", "SEARCH v USING PRIMARY KEY (evaluation_id=? AND measure=?)"},
		"SELECT a.seed, avg(y.value - x.value) " + pairs + "JOIN query_scores x ON x.run = a.run JOIN query_scores y ON y.run = b.run AND y.dataset = x.dataset AND y.measure = x.measure AND y.query = x.query WHERE x.measure = 'nDCG@10' GROUP BY 1": {"SCAN p",
			"SEARCH e USING INDEX evaluation_run (run_id=?)", "SEARCH e USING INDEX evaluation_run (run_id=?)",
			"SEARCH v USING PRIMARY KEY (evaluation_id=? AND measure=?)", "SEARCH v USING PRIMARY KEY (evaluation_id=? AND measure=? AND query=?)"},
	} {
		var plan []string
		for _, line := range query(t, s, "EXPLAIN QUERY PLAN "+question) {
			detail := line[strings.LastIndex(line, "|")+1:]
			if slices.ContainsFunc([]string{"SEARCH e ", "SEARCH v ", "SCAN e", "SCAN v", "SCAN p", "SCAN r"}, func(begin string) bool { return strings.HasPrefix(detail, begin) }) {
				plan = append(plan, detail)
			}
		}
		if !slices.Equal(plan, want) {
			t.Errorf("%s\nreads scores by %q, want %q", question, plan, want)
		}
	}
}

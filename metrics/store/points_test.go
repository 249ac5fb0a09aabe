package store_test

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/outline"
	"headroom/metrics/store"
)

func TestSeriesOfSeveralPacksAreReadAsTheyWereWritten(t *testing.T) {
	const series, steps = 70, 5 // three packs
	w := newSpace(t)
	l := w.attempt("a", 0)
	value := func(i, step int) float64 {
		switch {
		case i == 40 && step == 2:
			return math.Inf(-1)
		case i == 41:
			return math.NaN()
		}
		return float64(i) + float64(step)/8
	}
	for step := range steps {
		values := map[string]event.Value{}
		for i := range series {
			if i%7 == step { // each step lacks some of every pack
				continue
			}
			values[fmt.Sprintf("s%02d", i)] = event.Value(value(i, step))
		}
		w.Add(l, event.Step{Step: step, Values: values})
	}
	// Values of a step that come later are added to the earlier ones.
	w.Add(l, event.Step{Step: 3, Values: map[string]event.Value{"s03": 99, "s69": 98}})
	s := w.open()
	w.fold(s)
	got, err := s.Series(t.Context(), id("a"))
	if err != nil || len(got) != series {
		t.Fatalf("%d series, %v", len(got), err)
	}
	var names []string
	for i := range series {
		name := fmt.Sprintf("s%02d", i)
		names = append(names, name)
		var want outline.Series
		for step := range steps {
			v := value(i, step)
			switch {
			case step == 3 && i == 3:
				v = 99
			case step == 3 && i == 69:
				v = 98
			case i%7 == step:
				continue
			}
			want.Steps, want.Values = append(want.Steps, step), append(want.Values, v)
		}
		if fmt.Sprint(got[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if list, err := s.SeriesNames(t.Context(), id("a")); err != nil || !reflect.DeepEqual(list, names) {
		t.Errorf("names are %v, %v", list, err)
	}
	expect(t, s, "SELECT step, value, nonfinite FROM series WHERE name = 's40' AND step BETWEEN 1 AND 2", "1|40.125|<nil>", "2|<nil>|-inf")
	expect(t, s, "SELECT value FROM series WHERE name IN ('s03', 's69') AND step = 3 ORDER BY value", "98", "99")
	w.sameAsNew(s)
}

// A database that an earlier program made has a row for each point.
func TestPointsOfAnEarlierProgramAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	files, err := filepath.Glob("migrations/000[1-8].sql")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	raw := rawDB(t, path)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := raw.Exec(statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		exec(string(text))
	}
	exec("PRAGMA user_version = 8; INSERT INTO run (id, run) VALUES (1, 'a'), (2, 'b')")
	var want []string
	for i := range 40 {
		name := fmt.Sprintf("s%02d", i)
		exec("INSERT INTO series_name (id, name, of_state) VALUES (?, ?, ?)", 100-i, name, i%2)
		for _, p := range []struct {
			run, step int
			value     any
			word      sql.NullString
		}{{1, 0, float64(i), sql.NullString{}}, {1, 1, nil, sql.NullString{String: "nan", Valid: true}}, {2, i, 0.5, sql.NullString{}}} {
			exec("INSERT INTO point (run_id, name_id, step, attempt, value, nonfinite) VALUES (?, ?, ?, 1, ?, ?)", p.run, 100-i, p.step, p.value, p.word)
		}
		want = append(want, fmt.Sprintf("%s:0=%d.0 1=nan %d=0.5", name, i, i))
	}
	raw.Close()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	expect(t, s, "SELECT name || ':' || group_concat(step || '=' || coalesce(value, nonfinite), ' ') FROM (SELECT * FROM series ORDER BY run, step) GROUP BY name ORDER BY name", want...)
	expect(t, s, "SELECT count(*) FROM sqlite_schema WHERE name = 'point'", "0")
	if curve, err := s.Series(t.Context(), "b", "s39"); err != nil || !strings.HasPrefix(fmt.Sprint(curve), "map[s39:{[39] [0.5]}") {
		t.Errorf("a curve of it is %v, %v", curve, err)
	}
}

// TestQueriesReachPointsByRun: a query on the views looks points up by the runs and the steps that it asks
// for. It never reads all of them.
func TestQueriesReachPointsByRun(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	for question, want := range map[string]string{
		"SELECT label, value FROM runs JOIN series USING (run, step) WHERE name = 'loss' ORDER BY label":                                                     "SEARCH v USING PRIMARY KEY (run_id=? AND pack=? AND step=?)",
		"SELECT label, s.step, s.value FROM series s JOIN runs USING (run) WHERE s.name = 'loss' AND s.step < 5 ORDER BY label, s.step":                      "SEARCH v USING PRIMARY KEY (run_id=? AND pack=? AND step<?)",
		"SELECT label, avg(value) FROM runs JOIN series USING (run) WHERE name = 'loss' AND series.step BETWEEN runs.step - 99 AND runs.step GROUP BY label": "SEARCH v USING PRIMARY KEY (run_id=? AND pack=? AND step>? AND step<?)",
		"SELECT step, value FROM series WHERE run = '" + id("a") + "' AND name = 'loss' ORDER BY step":                                                       "SEARCH v USING PRIMARY KEY (run_id=? AND pack=?)",
		"SELECT run, value FROM series WHERE name = 'loss' AND step = 2 ORDER BY run":                                                                        "SEARCH v USING PRIMARY KEY (run_id=? AND pack=? AND step=?)",
		"SELECT run, min(value) FROM series JOIN members USING (run) WHERE sweep = 'demo' AND name = 'loss' GROUP BY run":                                    "SEARCH v USING PRIMARY KEY (run_id=? AND pack=?)",
	} {
		var plan []string
		for _, line := range query(t, s, "EXPLAIN QUERY PLAN "+question) {
			if strings.Contains(line, " v ") || strings.HasSuffix(line, "SCAN v") {
				plan = append(plan, line)
			}
		}
		if len(plan) != 1 || !strings.Contains(plan[0], want) {
			t.Errorf("%s\nreads points by %q, want %q", question, plan, want)
		}
	}
}

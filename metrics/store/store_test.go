package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"headroom/metrics/event"
	"headroom/metrics/store"
)

func TestANewerDatabaseIsRefusedByName(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	raw := rawDB(t, s.Path())
	if _, err := raw.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(s.Path())
	if !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "schema is 99") {
		t.Errorf("open gives %v", err)
	}
}

func TestADamagedDatabaseIsNamedAndMadeAgain(t *testing.T) {
	w := demo(t)
	path := filepath.Join(w.Root, "headroom.db")
	want := ""
	for _, size := range []int{100, 40_000} {
		s, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		w.fold(s)
		want = dump(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copy(text, bytes.Repeat([]byte("xx"), min(size, len(text))/2))
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(path); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("open gives %v", err)
		}
		if err := store.Rebuild(context.Background(), w.Root, path); err != nil {
			t.Fatal(err)
		}
		again := w.openAt(path)
		if got := dump(t, again); got != want {
			t.Errorf("made again it differs: %s", difference(got, want))
		}
		again.Close()
	}
}

func TestQueriesOnlyRead(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	before := dump(t, s)
	for _, statement := range []string{"DELETE FROM step_value", "UPDATE run SET run = 'x'", "INSERT INTO run (run) VALUES ('x')", "DROP VIEW runs",
		"DROP TABLE runs", "DELETE FROM runs", " -- mine\n/* x */ update runs SET label = 1", "PRAGMA journal_mode = DELETE",
		"CREATE TABLE mine (x)", "PRAGMA user_version = 3", "SELECT 1; DELETE FROM step_value", "PRAGMA query_only = off; DELETE FROM step_value"} {
		_, err := s.Query(context.Background(), statement)
		if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "only statements that read") {
			t.Errorf("%s: %v", statement, err)
		} else if errors.Is(err, store.ErrBusy) || strings.Contains(err.Error(), "use DROP VIEW") {
			t.Errorf("%s: the error names another cause: %v", statement, err)
		}
	}
	for _, statement := range []string{"ATTACH DATABASE '%s' AS other", "VACUUM INTO '%s'", "ATTACH '%s' AS other; CREATE TABLE other.mine (x); SELECT 1"} {
		beside := filepath.Join(t.TempDir(), "beside.db")
		if _, err := s.Query(context.Background(), fmt.Sprintf(statement, beside)); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: %v", statement, err)
		}
		if _, err := os.Stat(beside); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s made a file: %v", statement, err)
		}
	}
	if dump(t, s) != before {
		t.Error("a query changed the database")
	}
	for statement, says := range map[string]string{
		"": "no table", " -- nothing\n;": "no table", "BEGIN": "no table",
		"SELECT 1; SELECT 2": "one is allowed", "SELECT ';'; /* ; */ SELECT 2 -- ;": "one is allowed",
	} {
		if table, err := s.Query(context.Background(), statement); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v", statement, table, err)
		}
	}
	expect(t, s, "SELECT 'it''s; one' AS \"a;b\", 2 AS [c;d]; -- and; no more\n ; /* ; x */", "it's; one|2")
	if _, err := s.Query(context.Background(), "SELECT nonsense FROM runs"); err == nil || errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a wrong column: %v", err)
	}
	expect(t, s, "SELECT 1, 2.5, 'x', NULL, label FROM runs WHERE run LIKE '%a'", "1|2.5|x|<nil>|bert-a")
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := s.Query(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"); err == nil {
		t.Error("an endless query ended")
	}
}

func TestOneFoldsAtATime(t *testing.T) {
	w := demo(t)
	s := w.open()
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	mine, err := store.Open(s.Path(), store.WithClock(func() time.Time { return at }))
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if when, err := mine.FoldedAt(); err != nil || !when.IsZero() {
		t.Errorf("before any fold: %v, %v", when, err)
	}
	w.fold(mine)
	if when, err := mine.FoldedAt(); err != nil || !when.Equal(at) {
		t.Errorf("folded at %v, %v", when, err)
	}
	release := store.Hold(t, s.Path())
	start := time.Now()
	err = store.Fold(context.Background(), w.Root, s)
	if took := time.Since(start); !errors.Is(err, store.ErrLocked) || took < 1500*time.Millisecond || took > time.Minute {
		t.Errorf("after %s: %v", took, err)
	}
	expect(t, s, "SELECT count(*) FROM runs", "4") // reading needs no lock
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := store.Fold(ctx, w.Root, s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, release)
	w.fold(s)
}

func TestManyFoldAtOnce(t *testing.T) {
	w := demo(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := store.Open(filepath.Join(w.Root, "headroom.db"))
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			err = store.ErrLocked
			for errors.Is(err, store.ErrLocked) { // on a busy machine the others may take more than two seconds
				err = store.Fold(context.Background(), w.Root, s)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	w.sameAsNew(w.open())
}

// A process that was killed in the first fold leaves a part of it, whose age is not that of a fold.
func TestAPartOfAFoldHasNoAge(t *testing.T) {
	w := demo(t)
	s := w.open()
	store.Hold(t, s.Path())()
	if _, err := rawDB(t, s.Path()).Exec("INSERT INTO run (run) VALUES (?)", id("a")); err != nil {
		t.Fatal(err)
	}
	if at, err := s.FoldedAt(); err != nil || !at.IsZero() {
		t.Errorf("folded at %v, %v", at, err)
	}
	w.fold(s)
	if at, err := s.FoldedAt(); err != nil || at.IsZero() {
		t.Errorf("after a fold: %v, %v", at, err)
	}
	path := filepath.Join(t.TempDir(), "new.db")
	if err := store.Rebuild(context.Background(), w.Root, path); err != nil {
		t.Fatal(err)
	}
	if at, err := w.openAt(path).FoldedAt(); err != nil || at.IsZero() {
		t.Errorf("after a rebuild: %v, %v", at, err)
	}
}

// SQLite itself does not wait here: it reports a lock at once when it changes the mode of a
// file that another connection writes.
func TestOpenWaitsForAnotherThatMakesTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "headroom.db")
	ctx := context.Background()
	conn, err := rawDB(t, path).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	const held = 100 * time.Millisecond
	start := time.Now()
	time.AfterFunc(held, func() { conn.ExecContext(ctx, "ROLLBACK") })
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if took := time.Since(start); took < held {
		t.Errorf("open waited %s for a lock that was held for %s", took, held)
	}
	expect(t, s, "SELECT journal_mode FROM pragma_journal_mode", "wal")
}

func TestAFoldThatWasStoppedAnywhereGoesOn(t *testing.T) {
	w := demo(t)
	for i := range 6 {
		w.steps(w.attempt(string(rune('m'+i)), 0), 0, 40)
	}
	for after := time.Duration(0); after < 12*time.Millisecond; after += time.Millisecond {
		s := w.openAt(filepath.Join(t.TempDir(), "x.db"))
		ctx, cancel := context.WithTimeout(context.Background(), after)
		err := store.Fold(ctx, w.Root, s)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %s: %v", after, err)
		}
		w.fold(s)
		w.sameAsNew(s)
	}
}

func TestCheckFindsWhatTheFilesDoNotSay(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	check := func() error { return store.Check(context.Background(), w.Root, s) }
	if err := check(); err != nil {
		t.Fatalf("a sound database: %v", err)
	}
	raw := rawDB(t, s.Path())
	for _, tamper := range []string{"UPDATE step_value SET v0 = 7 WHERE step = 1", "DELETE FROM query_value", "UPDATE attempt SET state = 'failed' WHERE state = 'done'",
		"INSERT INTO run (run) VALUES ('ghost')"} {
		if _, err := raw.Exec(tamper); err != nil {
			t.Fatal(err)
		}
		err := check()
		if tamper[:6] == "INSERT" { // a run without files goes with the next fold
			if err != nil {
				t.Errorf("%s: %v", tamper, err)
			}
			continue
		}
		if !errors.Is(err, store.ErrDiffers) {
			t.Errorf("%s: %v", tamper, err)
		}
		if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil {
			t.Fatal(err)
		}
		if err := check(); err != nil {
			t.Errorf("rebuilt after %q: %v", tamper, err)
		}
	}
	w.Write("runs/"+id("a")+"/evaluations/eval1/summary.json", "{")
	if err := check(); !errors.As(err, new(*store.Damage)) {
		t.Errorf("with a bad file: %v", err)
	}
}

// The facts about SQLite and its driver that the code rests on, so that an upgrade
// that changes one of them is noticed.
func TestFactsAboutSQLite(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	raw := rawDB(t, s.Path())
	var isNull bool
	if err := raw.QueryRow("SELECT ? IS NULL", math.NaN()).Scan(&isNull); err != nil || !isNull {
		t.Errorf("NaN is bound as NULL: %v, %v", isNull, err)
	}
	var infinite float64
	if err := raw.QueryRow("SELECT ?", math.Inf(1)).Scan(&infinite); err != nil || !math.IsInf(infinite, 1) {
		t.Errorf("+Inf is kept: %v, %v", infinite, err)
	}
	var kinds string
	if _, err := raw.Exec("CREATE TABLE kept (v REAL); INSERT INTO kept VALUES ('nan'), ('+inf'), ('-inf'), (3.0)"); err != nil {
		t.Fatal(err)
	}
	if err := raw.QueryRow("SELECT group_concat(typeof(v) || ' ' || v) FROM kept").Scan(&kinds); err != nil || kinds != "text nan,text +inf,text -inf,real 3.0" {
		t.Errorf("a column of numbers keeps words: %q, %v", kinds, err)
	}
	var e sqlite3.Error
	_, err := raw.Exec("INSERT INTO run (run) SELECT run FROM run")
	if !errors.As(err, &e) || e.ExtendedCode != sqlite3.ErrConstraintUnique {
		t.Errorf("a run twice: %v", err)
	}
	for _, pragma := range []string{"foreign_keys|1", "journal_mode|wal", "busy_timeout|5000", "query_only|1"} {
		name, want, _ := strings.Cut(pragma, "|")
		var group sync.WaitGroup
		for range 4 { // several connections of the pool
			group.Go(func() {
				table, err := s.Query(context.Background(), "SELECT * FROM pragma_"+name)
				if err != nil || fmt.Sprint(table.Rows[0][0]) != want {
					t.Errorf("%s: %v, %v", name, table.Rows, err)
				}
			})
		}
		group.Wait()
	}
}

// rawDB opens the file beside the store, to look at or spoil it.
func rawDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func BenchmarkFoldALongRun(b *testing.B) {
	root := b.TempDir()
	l, err := event.Create(filepath.Join(root, "runs", id("r")))
	if err != nil {
		b.Fatal(err)
	}
	for step := range 20_000 {
		values := map[string]event.Value{}
		for i := range 25 {
			values[fmt.Sprintf("series/%d", i)] = event.Value(1 / float64(step+i+1))
		}
		if err := l.Append(event.Step{Step: step, Values: values}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := store.Open(filepath.Join(b.TempDir(), "x.db"))
		if err != nil {
			b.Fatal(err)
		}
		if err := store.Fold(context.Background(), root, s); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"headroom/metrics/store"
)

func TestReadersOfARebuildSeeTheOldOrTheNew(t *testing.T) {
	w := demo(t)
	for i := range 8 {
		w.steps(w.attempt(string(rune('m'+i)), 0), 0, 40)
	}
	s := w.open()
	w.fold(s)
	const question = "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM series), (SELECT count(*) FROM scores), (SELECT count(*) FROM verdicts)"
	answer := func(s *store.Store) (string, error) {
		table, err := s.Query(context.Background(), question)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(table.Rows), nil
	}
	want, err := answer(s)
	if err != nil {
		t.Fatal(err)
	}
	ended, opened := make(chan struct{}), 0
	var group sync.WaitGroup
	group.Go(func() { // has the database open all the time
		for seen := 0; ; seen++ {
			if got, err := answer(s); err != nil || got != want {
				t.Errorf("an open store: %s, %v; want %s", got, err, want)
				return
			}
			select {
			case <-ended:
				t.Logf("an open store was read %d times", seen)
				return
			default:
			}
		}
	})
	group.Go(func() { // is a new command again and again
		for {
			late, err := store.Open(s.Path())
			if err == nil {
				var got string
				if got, err = answer(late); err == nil && got != want {
					err = fmt.Errorf("%s, want %s", got, want)
				}
				err = errors.Join(err, late.Close())
			}
			if err != nil {
				t.Errorf("a new store: %v", err)
				return
			}
			opened++
			select {
			case <-ended:
				t.Logf("a new store was read %d times", opened)
				return
			default:
			}
		}
	})
	for range 5 {
		if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil {
			t.Error(err)
		}
	}
	close(ended)
	group.Wait()
	if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(s.Path() + "-wal") // s has it open
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 0 {
		t.Errorf("with nobody reading, the log keeps %d bytes", info.Size())
	}
}

func TestAnOpenStoreFoldsOnAfterARebuild(t *testing.T) {
	w := newSpace(t)
	s := w.open()
	logOfZ := w.attempt("z", 0)
	w.steps(logOfZ, 0, 3)
	w.fold(s)
	logOfA := w.attempt("a", 0) // behind z here, before it in a rebuilt database
	w.steps(logOfA, 0, 3)
	w.fold(s)
	row := "SELECT id FROM run WHERE run = '" + id("z") + "'"
	expect(t, s, row, "1")
	if err := store.Rebuild(context.Background(), w.Root, s.Path()); err != nil {
		t.Fatal(err)
	}
	expect(t, s, row, "2")
	w.steps(logOfZ, 3, 7)
	w.steps(logOfA, 3, 5)
	w.fold(s)
	expect(t, s, "SELECT count(*) FROM series", "24")
	w.sameAsNew(s)
}

func TestARebuildTakesWhateverIsThere(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, path string)
	}{
		{"nothing", func(t *testing.T, path string) {}},
		{"a newer schema", func(t *testing.T, path string) {
			execAt(t, path, "CREATE TABLE later (x)", "INSERT INTO later VALUES (1)", "PRAGMA user_version = 99")
		}},
		{"tables dropped", func(t *testing.T, path string) { execAt(t, path, "DROP VIEW runs", "DROP TABLE step_value") }},
		{"pages of another size", func(t *testing.T, path string) {
			execAt(t, path, "PRAGMA page_size = 8192", "CREATE TABLE other (x)", "PRAGMA journal_mode = WAL")
		}},
		{"an empty file", func(t *testing.T, path string) { write(t, path, "") }},
		{"a text", func(t *testing.T, path string) { write(t, path, strings.Repeat("no database\n", 1000)) }},
		{"folders of killed rebuilds", func(t *testing.T, path string) {
			for _, name := range []string{"1", "2"} {
				folder := filepath.Join(filepath.Dir(path), ".new-headroom.db."+name)
				if err := os.Mkdir(folder, 0o777); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(folder, "headroom.db"), "half")
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := demo(t)
			path := filepath.Join(w.Root, store.FileName)
			if c.name != "nothing" && c.name != "pages of another size" {
				s, err := store.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				w.fold(s)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			c.spoil(t, path)
			if err := store.Rebuild(context.Background(), w.Root, path); err != nil {
				t.Fatal(err)
			}
			s := w.open()
			w.sameAsNew(s)
			if err := store.Check(context.Background(), w.Root, s); err != nil {
				t.Error(err)
			}
			expect(t, s, "SELECT count(*) FROM sqlite_schema WHERE name IN ('later', 'other')", "0")
			names, err := filepath.Glob(filepath.Join(w.Root, ".new-*"))
			if err != nil || len(names) > 0 {
				t.Errorf("left beside it: %v, %v", names, err)
			}
		})
	}
}

// A file with pages of another size cannot take the new content by SQLite's own means. It is not
// taken from under another process.
func TestARebuildOverwritesNoFileThatAnotherProcessHasOpen(t *testing.T) {
	w := demo(t)
	path := filepath.Join(w.Root, store.FileName)
	execAt(t, path, "PRAGMA page_size = 8192", "CREATE TABLE other (x)", "PRAGMA journal_mode = WAL")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDatabase+"="+path)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "opened <nil>\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	if err := store.Rebuild(context.Background(), w.Root, path); !errors.Is(err, store.ErrBusy) {
		t.Errorf("while another process has it open: %v", err)
	}
	in.Close()
	if err := child.Wait(); err != nil {
		t.Errorf("the other process: %v", err)
	}
	if err := store.Rebuild(context.Background(), w.Root, path); err != nil {
		t.Fatal(err)
	}
	s := w.open()
	w.sameAsNew(s)
	expect(t, s, "SELECT page_size FROM pragma_page_size", "4096")
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file is another one: %v", err)
	}
}

func TestARebuildThatIsStoppedChangesNothing(t *testing.T) {
	w := demo(t)
	s := w.open()
	w.fold(s)
	want := dump(t, s)
	w.steps(w.attempt("later", 0), 0, 5)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := store.Rebuild(ctx, w.Root, s.Path()); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	tx, err := rawDB(t, s.Path()).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE run SET written = written"); err != nil {
		t.Fatal(err)
	}
	if err := store.Rebuild(context.Background(), w.Root, s.Path()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("while another program writes: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := dump(t, s); got != want {
		t.Errorf("it changed: %s", difference(got, want))
	}
}

// execAt runs statements in one connection that is closed afterwards.
func execAt(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

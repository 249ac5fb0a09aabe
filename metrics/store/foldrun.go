package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"headroom/metrics/event"
	"headroom/metrics/outline"
)

// run folds what is new in the logs of one run.
func (f *fold) run(run string, before *state) error {
	dir := filepath.Join(f.workspace, "runs", run)
	logs, err := logsOf(dir)
	if err != nil {
		return err
	}
	id, known := before.runs[run]
	at := before.attempts[id]
	news, again := !known || !before.written[run], false
	for _, l := range logs {
		news = news || l.changed(at[l.n])
	}
	// A log that is gone, shorter or another one: the run is folded from the start.
	for n, old := range at {
		i := slices.IndexFunc(logs, func(l logFile) bool { return l.n == n })
		if i < 0 {
			again = true
		} else if logs[i].changed(old) && !again {
			if again, err = logs[i].replaced(old); err != nil {
				return err
			}
		}
	}
	news = news || again
	outlined := !ended(at) || before.outlined[run] == outline.Version
	if !news && outlined {
		return nil
	}
	return f.inTx(func(tx *sql.Tx) error {
		id, err := runID(f.ctx, tx, run)
		if err != nil {
			return err
		}
		if !before.written[run] {
			if _, err := tx.ExecContext(f.ctx, "UPDATE run SET written = 1 WHERE id = ?", id); err != nil {
				return err
			}
		}
		if again {
			if err := deleteRows(f.ctx, tx, id); err != nil {
				return err
			}
			at = nil
		}
		var seen *drawn
		if len(logs) == 1 && len(at) == 0 {
			seen = &drawn{names: drawnNames()}
		}
		outlined := outlined && !again
		for _, l := range logs {
			from, known := at[l.n]
			if !l.changed(from) {
				continue
			}
			grown, err := f.log(tx, id, l, from, seen)
			if err != nil {
				return err
			}
			outlined = outlined && known && !grown
		}
		if outlined { // no new line: a log has another time, or ends with another torn line
			return nil
		}
		return f.outlineRun(tx, id, seen)
	})
}

// logFile is the log file of one attempt.
type logFile struct {
	n    int
	path string
	// size and modified are read once per pass.
	size, modified int64
}

// logsOf lists a run's logs. An attempt whose process died at once has none.
func logsOf(dir string) ([]logFile, error) {
	attempts, err := event.Attempts(dir)
	if err != nil {
		return nil, err
	}
	var logs []logFile
	for _, n := range attempts {
		path := event.Path(dir, n)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		logs = append(logs, logFile{n, path, info.Size(), info.ModTime().UnixNano()})
	}
	return logs, nil
}

func (l logFile) changed(at folded) bool { return l.size != at.offset || l.modified != at.modified }

// replaced reports whether the file has another line in the place of the last one that was
// folded: somebody removed the run and ran it again.
func (l logFile) replaced(at folded) (bool, error) {
	if at.offset == 0 {
		return false, nil
	}
	if l.size < at.offset {
		return true, nil
	}
	tail, err := tailOf(l.path, at.offset)
	return tail != at.tail, err
}

// tailOf returns the checksum of the line that ends at an offset: the last 8 characters
// before `"}` and the newline.
func tailOf(path string, offset int64) (string, error) {
	const sum, rest = 8, 3
	if offset < sum+rest {
		return "", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var b [sum]byte
	if _, err := file.ReadAt(b[:], offset-sum-rest); err != nil && err != io.EOF {
		return "", err
	}
	return string(b[:]), nil
}

// deleteRows deletes all rows that come from a run's logs.
func deleteRows(ctx context.Context, tx *sql.Tx, id int64) error {
	for _, table := range []string{"attempt", "step_value", "outline", "head_norm", "episode", "judgement", "selection"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE run_id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// log folds one log from where the last pass stopped, and reports whether there was more. seen collects
// the series that reports draw; it is nil if these series also have points from elsewhere than the rest of this log.
func (f *fold) log(tx *sql.Tx, run int64, file logFile, from folded, seen *drawn) (grown bool, err error) {
	l, err := openLog(f.ctx, tx, run, file.n)
	if err != nil {
		return false, err
	}
	l.seen = seen
	var inner error
	at, err := event.Scan(file.path, event.Position{Offset: from.offset, Seq: from.seq}, func(r event.Record) error {
		inner = l.record(r)
		return inner
	})
	if inner != nil {
		return false, inner
	}
	if err != nil {
		f.fault(err) // the lines before the damage count
	}
	tail, err := tailOf(file.path, at.Offset)
	if err != nil {
		return false, err
	}
	return at.Offset > from.offset, l.close(folded{offset: at.Offset, seq: at.Seq, modified: file.modified, tail: tail})
}

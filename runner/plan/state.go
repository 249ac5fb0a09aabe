package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

func runFolder(workspace string, id sweeps.ID) string {
	return filepath.Join(workspace, "runs", string(id))
}

// runsWithFolders lists the runs that have a folder; most runs of a large sweep have none yet.
func runsWithFolders(workspace string) map[sweeps.ID]bool {
	runs := map[sweeps.ID]bool{}
	entries, err := os.ReadDir(filepath.Join(workspace, "runs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil // each folder is tried, and says what is wrong
	}
	for _, entry := range entries {
		runs[sweeps.ID(entry.Name())] = true
	}
	return runs
}

// absent reports whether a run is known to have no folder.
func (m *maker) absent(id sweeps.ID) bool { return m.made != nil && !m.made[id] }

// settle decides a run's state from its files.
func (m *maker) settle(run *Run) {
	if m.absent(run.ID) {
		run.State, run.Why = New, absent
	} else {
		run.State, run.Why, run.Verdict = m.state(run.Folder, run.Config.Train.Steps)
	}
	if run.State.Finished() {
		if err := Intact(m.Resolver, m.Workspace, string(run.ID)); err != nil {
			run.State, run.Why = Damaged, fmt.Sprintf("%s, but %v", run.Why, err)
		}
	}
	if run.State != New {
		return
	}
	for _, earlier := range m.Earlier {
		id := earlier.RunID(run.Config, run.Inputs)
		if id == run.ID || m.absent(id) {
			continue
		}
		if state, _, _ := m.state(runFolder(m.Workspace, id), run.Config.Train.Steps); state.Finished() {
			run.State, run.Why = Stale, fmt.Sprintf("done as %s, but what its settings mean has changed since", id.Short())
			return
		}
	}
}

// state decides from a run's folder.
func (m *maker) state(folder string, steps int) (state State, why string, verdict *string) {
	attempts, err := event.Attempts(folder)
	if err != nil {
		return Failed, err.Error(), nil
	}
	if m.Holder != nil && len(attempts) > 0 {
		if who := m.Holder(folder); who != "" {
			return Running, "held by " + who, nil
		}
	}
	if len(attempts) == 0 {
		if _, err := os.Stat(filepath.Join(folder, "config.toml")); err == nil {
			return Queued, "in the workspace, not begun", nil
		}
		return New, absent, nil
	}
	// An attempt that finished decides, even if others came after it.
	var last end
	number, cut := 0, error(nil)
	for i := len(attempts) - 1; i >= 0; i-- {
		e, err := readEnd(event.Path(folder, attempts[i]))
		if err == nil && e.ended != nil && e.ended.State == event.StateDone {
			state, why = e.state(attempts[i], steps)
			return state, why, e.verdict()
		}
		if number == 0 {
			last, number, cut = e, attempts[i], err
		}
	}
	if errors.Is(cut, fs.ErrNotExist) {
		return Interrupted, fmt.Sprintf("attempt %d ended before it began; run resumes it", number), nil
	}
	if cut != nil {
		return Damaged, fmt.Sprintf("the log of attempt %d is damaged (%v): the rest of it is read, and work resumes from the newest sound checkpoint", number, cut), nil
	}
	state, why = last.state(number, steps)
	return state, why, nil
}

// Finished reports whether an attempt at the run in a folder has finished the run.
func Finished(folder string) (bool, error) {
	last, err := lastFinish(folder)
	return last.Done, err
}

// end holds the contents of the last lines of an attempt's log.
type end struct {
	ended      *event.Ended
	judged     *event.Judged
	checkpoint *event.Checkpoint
	lastStep   int
	steps      bool
	seconds    []float64 // of the last steps
	measured   *event.Measured
}

func (e end) state(attempt, steps int) (State, string) {
	if e.ended == nil || e.ended.State == event.StateInterrupted || e.ended.State == event.StatePreempted {
		how := "was cut short"
		if e.ended != nil {
			how = "was " + e.ended.State
		}
		at := ""
		if e.ended != nil && e.ended.Step > 0 {
			at = fmt.Sprintf(" at step %d of %d", e.ended.Step, steps)
		} else if e.steps {
			at = fmt.Sprintf(" after step %d of %d", e.lastStep, steps)
		}
		return Interrupted, fmt.Sprintf("attempt %d %s%s; run resumes it", attempt, how, at)
	}
	switch e.ended.State {
	case event.StateDone:
		if verdict := e.verdict(); verdict != nil && *verdict != stability.Healthy {
			return Done, "finished: collapsed (" + *verdict + "); it is not tried again"
		}
		if e.judged != nil && len(e.judged.Chain) > 0 {
			return Done, "finished: it recovered from " + strings.Join(e.judged.Chain, ", ")
		}
		return Done, "finished"
	case event.StateFailed:
		return Failed, fmt.Sprintf("attempt %d failed: %s", attempt, e.ended.Error)
	}
	return Failed, fmt.Sprintf("attempt %d ended as %q, which this version does not know", attempt, e.ended.State)
}

func (e end) verdict() *string {
	if e.judged == nil || e.judged.Verdict == "" {
		return nil
	}
	return &e.judged.Verdict
}

// tailBytes is the number of bytes that are read at a log's end. An attempt closes with
// a few short lines, and a plan must not read millions of steps to find them.
const tailBytes = 1 << 16

// readEnd reads the end of an attempt's log.
func readEnd(path string) (end, error) {
	var e end
	err := ScanTail(path, func(r event.Record) error {
		switch v := r.Event.(type) {
		case event.Ended:
			e.ended = &v
		case event.Judged:
			e.judged = &v
		case event.Checkpoint:
			e.checkpoint = &v
		case event.Step:
			e.lastStep, e.steps = v.Step, true
			if s := v.Values["seconds"]; s > 0 && s.NonFinite() == "" {
				e.seconds = append(e.seconds, float64(s))
			}
		case event.Measured:
			e.measured = &v
		}
		return nil
	})
	return e, err
}

// ScanTail visits the records at the end of an attempt's log.
func ScanTail(path string, visit func(event.Record) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read event log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read event log: %w", err)
	}
	if info.Size() > tailBytes {
		offset := info.Size() - tailBytes
		tail, err := io.ReadAll(io.NewSectionReader(f, offset, tailBytes))
		if err != nil {
			return fmt.Errorf("read event log: %w", err)
		}
		if cut := bytes.IndexByte(tail, '\n'); cut >= 0 {
			tail = tail[cut+1:]
			if seq, ok := firstSeq(tail); ok {
				from := event.Position{Offset: offset + int64(cut) + 1, Seq: seq - 1}
				_, err := event.ScanReader(bytes.NewReader(tail), path, from, visit)
				return err
			}
		}
	}
	_, err = event.Scan(path, event.Position{}, visit)
	return err
}

// firstSeq reads the number of the first whole line.
func firstSeq(tail []byte) (int64, bool) {
	line, _, whole := bytes.Cut(tail, []byte("\n"))
	var head struct {
		Seq int64 `json:"seq"`
	}
	return head.Seq, whole && json.Unmarshal(line, &head) == nil && head.Seq > 0
}

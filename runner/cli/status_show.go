package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/metrics/store"
	"headroom/runner/plan"
)

// states returns the states of runs. If a window is too small for all runs, those with the
// first states are shown.
func states() []string {
	return []string{record.StateRunning, record.StateFailed, string(plan.Damaged), record.StateInterrupted, record.StateQueued, record.StateNew, record.StateDone}
}

// showStatus prints a status, or replaces the one before. With watch on a terminal it fits the
// status into the window.
func (a *app) showStatus(d statusDocument, watch, first bool) error {
	if a.global.json {
		if !first {
			return a.printLine(d)
		}
		return a.printJSON(d)
	}
	width := a.env.Columns(a.stdout)
	var out bytes.Buffer
	height := 0
	if !watch {
		width = 0
	}
	if width > 0 {
		height = a.env.Lines(a.stdout)
		if !first {
			out.WriteString("\x1b[H\x1b[2J")
		}
	}
	var text bytes.Buffer
	if err := writeStatus(&text, d, width, height); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if width > 0 {
			line = cutLine(strings.TrimSuffix(line, "\n"), width) + "\n"
		}
		out.WriteString(line)
	}
	if watch && height > 0 { // a line end after the last line would scroll the first line away
		out.Truncate(len(bytes.TrimSuffix(out.Bytes(), []byte("\n"))))
	}
	if _, err := out.WriteTo(a.stdout); err != nil || !d.withSuperseded {
		return err
	}
	return a.printSuperseded(d.Superseded)
}

// cutLine cuts a line to a width.
func cutLine(line string, width int) string {
	if runes := []rune(line); len(runes) > width {
		return string(runes[:max(0, width-1)]) + "…"
	}
	return line
}

// writeStatus writes a status in at most height lines of at most width characters; 0 sets no
// limit.
func writeStatus(out *bytes.Buffer, d statusDocument, width, height int) error {
	if len(d.Runs) == 0 && d.Former == 0 {
		fmt.Fprintln(out, "no sweep has been run in this workspace")
		return nil
	}
	fmt.Fprintf(out, "%s: %s%s\n", nouns.Count(len(d.Runs), "run"), countStates(d.Runs), formerNote(d.Former))
	for _, l := range d.Lacking {
		fmt.Fprintln(out, l)
	}
	if d.Cluster != nil {
		fmt.Fprintln(out, d.Cluster)
		if d.Cluster.Silent != "" {
			fmt.Fprintf(out, "what is in the queue is not known: %s\n", plain.Line(d.Cluster.Silent))
		}
		for _, t := range d.Cluster.Others {
			fmt.Fprintf(out, "%s: %s\n", plain.Line(t.Label), plain.Line(t.String()))
		}
	}
	shown, left := d.Runs, []statusRun(nil)
	if room := height - bytes.Count(out.Bytes(), []byte("\n")) - 1; height > 0 && len(shown) > room {
		shown, left = choose(shown, max(1, room-1))
	}
	rows := statusTable(shown)
	if width > 0 {
		rows = fit(rows, width)
	}
	if err := writeTable(out, rows); err != nil {
		return err
	}
	if len(left) > 0 {
		fmt.Fprintf(out, "… and %d more: %s\n", len(left), countStates(left))
	}
	return nil
}

// choose returns n runs in their order, preferring those with the first states, and the rest.
func choose(runs []statusRun, n int) (shown, left []statusRun) {
	taken := map[int]bool{}
	for _, state := range states() {
		for i, r := range runs {
			if r.State == state && len(taken) < n {
				taken[i] = true
			}
		}
	}
	for i, r := range runs {
		if taken[i] {
			shown = append(shown, r)
		} else {
			left = append(left, r)
		}
	}
	return shown, left
}

func countStates(runs []statusRun) string {
	counts := map[string]int{}
	for _, r := range runs {
		counts[r.State]++
	}
	order := states()
	var parts []string
	for _, state := range append(order[len(order)-1:], order[:len(order)-1]...) {
		if counts[state] > 0 {
			parts = append(parts, strconv.Itoa(counts[state])+" "+state)
		}
	}
	return strings.Join(parts, ", ")
}

// statusTable has one row per run. Columns in which no run has anything are left out.
func statusTable(runs []statusRun) [][]string {
	has := func(what func(statusRun) bool) bool { return slices.ContainsFunc(runs, what) }
	scored := has(func(r statusRun) bool { return r.Score != nil })
	watched := has(func(r statusRun) bool { return r.Dev != nil })
	varied := has(func(r statusRun) bool { return r.settings != "" })
	submitted := has(func(r statusRun) bool { return r.Cluster != nil && r.State != record.StateDone })
	beside := has(func(r statusRun) bool { return r.Standing != store.FromFile })
	head := []string{"run", "id", "step", "seconds", "ETA", "state", "verdict"}
	var drawn []int
	for j, w := range watchedSeries() {
		if has(func(r statusRun) bool { return r.curves[j] != "" }) {
			drawn, head = append(drawn, j), append(head, w.column)
		}
	}
	several := false
	for _, r := range runs {
		several = several || r.Score != nil && r.Score.column() != scoreColumn(runs)
	}
	for _, column := range []struct {
		name  string
		there bool
	}{{scoreColumn(runs), scored && !several}, {"main score", several}, {"dev", watched}, {"settings", varied}, {"cluster", submitted}, {"beside the file", beside}} {
		if column.there {
			head = append(head, column.name)
		}
	}
	rows := [][]string{head}
	for _, r := range runs {
		verdict, left := "-", "-"
		if r.Verdict != nil {
			verdict = stability.MarkedVerdict(*r.Verdict, r.Recovered)
		}
		if r.ETA != nil {
			left = seconds(r.ETA)
		}
		row := []string{r.Label, r.ID[:min(8, len(r.ID))], strconv.Itoa(r.Step) + "/" + strconv.Itoa(r.Steps), fmt.Sprintf("%.0f", r.Seconds), left, r.State, verdict}
		for _, j := range drawn {
			row = append(row, r.curves[j])
		}
		if scored {
			score := "-"
			if r.Score != nil {
				score = fmt.Sprintf("%.4f", r.Score.Value)
				if several {
					score = r.Score.column() + " " + score
				}
			}
			row = append(row, score)
		}
		if watched {
			dev := r.Dev.String()
			if r.Selected != nil {
				dev += fmt.Sprintf(", selected @%d", *r.Selected)
			}
			row = append(row, dev)
		}
		if varied {
			row = append(row, r.settings)
		}
		if submitted {
			row = append(row, r.clusterText())
		}
		if beside {
			row = append(row, besideFile(r))
		}
		rows = append(rows, row)
	}
	return rows
}

// clusterText describes the state of an unfinished run on the cluster.
func (r statusRun) clusterText() string {
	if r.Cluster == nil || r.State == record.StateDone {
		return "-"
	}
	return r.Cluster.String()
}

func (s *runScore) column() string { return s.Measure + " " + s.Dataset }

// scoreColumn is the name of the first score's column, "" if no run has a score.
func scoreColumn(runs []statusRun) string {
	for _, r := range runs {
		if r.Score != nil {
			return r.Score.column()
		}
	}
	return ""
}

// besideFile describes how a run that is no point of the file came into its sweep.
func besideFile(r statusRun) string {
	switch r.Standing {
	case store.Added:
		return "added: " + r.Added
	case store.Former:
		return "former"
	}
	return ""
}

// formerNote counts the former runs that are not shown.
func formerNote(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s not shown (--all shows them)", nouns.Count(n, "former run"))
}

package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/reports/compare"
	"headroom/reports/plot"
	"headroom/reports/table"
)

// markdown writes report.md.
func markdown(w io.Writer, c *compare.Comparison, more Extras, figures []*plot.Figure, tables []Named) error {
	b := bufio.NewWriter(w)
	byName := map[string]Named{}
	for _, t := range tables {
		byName[t.Name] = t
	}
	write := func(name string) error {
		t := byName[name]
		if len(t.Table.Rows) == 0 {
			fmt.Fprintf(b, "Nothing yet.\n")
			return nil
		}
		if err := t.Table.Markdown(b); err != nil {
			return err
		}
		fmt.Fprintf(b, "\nAlso as [%s.csv](%s.csv) and [%s.tex](%s.tex).\n", name, name, name, name)
		return nil
	}

	fmt.Fprintf(b, "# %s\n\n", c.Sweep)
	if c.Question != "" {
		fmt.Fprintf(b, "> %s\n\n", table.Inline(c.Question))
	}
	fmt.Fprintf(b, "%s\n\n", status(c))
	writeFirst(b, c)
	if len(c.Matched) > 0 {
		fmt.Fprintf(b, "\n## %s\n\n", byName["matched"].Table.Title)
		if err := write("matched"); err != nil {
			return err
		}
	}
	if more.Claims != nil {
		fmt.Fprintf(b, "\n## Claims\n\n%s\n\n", table.Inline(claimsNote(more.Claims, more.Beside)))
		if err := write("claims"); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "\n## %s\n\nThe models as they were trained, whatever they cost.\n\n", byName["table"].Table.Title)
	if err := write("table"); err != nil {
		return err
	}
	if more.Paper != nil {
		fmt.Fprintf(b, "\n## %s\n\n", table.Inline(byName["paper"].Table.Title))
		if err := write("paper"); err != nil {
			return err
		}
	}
	if len(c.Groups) > 0 {
		b.WriteString("\n## Findings\n\nEach sentence is chosen by the data; ~ is no evidence either way.\n")
	}
	for _, g := range c.Groups {
		fmt.Fprintf(b, "\n<details><summary>%s (%d)</summary>\n\n", g.Title, len(g.Sentences))
		bullets(b, g.Sentences)
		b.WriteString("\n</details>\n")
	}
	b.WriteString("\n## Figures\n")
	for _, f := range figures {
		svg, png := f.Files()
		fmt.Fprintf(b, "\n![%s](%s)\n\n%s ([SVG](%s))\n", plain.Line(f.Alt), png, plain.Line(f.Caption), svg)
	}
	fmt.Fprintf(b, "\n## %s\n\n", byName["differences"].Table.Title)
	if err := write("differences"); err != nil {
		return err
	}
	if len(byName["scores"].Table.Rows) > 0 {
		fmt.Fprintf(b, "\n%s, over healthy and over all seeds: [scores.md](scores.md), [scores.csv](scores.csv), [scores.tex](scores.tex).\n", byName["scores"].Table.Title)
	}
	b.WriteString("\n## Runs\n\n")
	if err := write("runs"); err != nil {
		return err
	}
	b.WriteString("\n## Where the numbers come from\n\nIds and digests are cut to eight digits here; provenance.csv and runs.csv have them whole.\n\n")
	if err := write("provenance"); err != nil {
		return err
	}
	settings(b, c)
	return b.Flush()
}

// Print writes the main table and the findings, as Markdown, for a terminal.
func Print(w io.Writer, c *compare.Comparison) error {
	b := bufio.NewWriter(w)
	t := mainTable(c)
	fmt.Fprintf(b, "# %s\n\n%s\n\n", c.Sweep, status(c))
	writeFirst(b, c)
	if len(t.Rows) > 0 {
		b.WriteString("\n## As trained, whatever it costs\n\n")
		if err := t.Markdown(b); err != nil {
			return err
		}
	}
	for _, g := range c.Groups {
		fmt.Fprintf(b, "\n## %s\n\n", g.Title)
		bullets(b, g.Sentences)
	}
	return b.Flush()
}

// writeFirst writes the first page: k at equal cost, the collapses, the limits.
func writeFirst(b *bufio.Writer, c *compare.Comparison) {
	b.WriteString("## The answer at equal cost\n\n")
	if note := answerNote(c); note != "" {
		fmt.Fprintf(b, "%s\n\n", table.Inline(note))
	}
	bullets(b, c.Answer)
	b.WriteString("\n## What collapsed\n\n")
	bullets(b, c.CollapseFindings)
	b.WriteString("\n## What this does not show\n\n")
	bullets(b, c.Limits)
}

func bullets(b *bufio.Writer, lines []string) {
	if len(lines) == 0 {
		b.WriteString("- Nothing yet.\n")
	}
	for _, line := range lines {
		fmt.Fprintf(b, "- %s\n", table.Inline(line))
	}
}

// status counts the runs.
func status(c *compare.Comparison) string {
	finished, collapsed, recovered, unjudged := 0, 0, 0, 0
	for _, r := range c.Runs {
		if !r.Finished() {
			continue
		}
		finished++
		if r.Collapsed() {
			collapsed++
		}
		if r.Recovered != "" {
			recovered++
		}
		if r.Verdict == "" {
			unjudged++
		}
	}
	text := fmt.Sprintf("%s: %d finished", nouns.Count(len(c.Runs), "run"), finished)
	if finished > 0 {
		text += fmt.Sprintf(", %d of them collapsed", collapsed)
	}
	if recovered > 0 {
		text += fmt.Sprintf(", %d recovered from a collapse", recovered)
	}
	if unjudged > 0 {
		text += fmt.Sprintf(", %d not judged", unjudged)
	}
	if n := len(c.Open); n > 0 {
		states := map[string]int{}
		for _, r := range c.Open {
			states[r.State]++
		}
		var words []string
		for s, n := range states {
			words = append(words, fmt.Sprintf("%d %s", n, s))
		}
		sort.Strings(words)
		text += "; not finished: " + strings.Join(words, ", ")
	}
	text += "."
	if c.Revision != "" {
		text += fmt.Sprintf(" Sweep %s, revision %s.", c.Sweep, c.Revision)
	}
	if c.Part != "" {
		text += fmt.Sprintf(" Only the runs with %s.", c.Part)
	}
	if c.Former > 0 {
		text += fmt.Sprintf(" Left out: %s that the sweep's file has no longer.", nouns.Count(c.Former, "former run"))
	}
	return text
}

// settings lists the configuration that all runs share and the keys that vary.
func settings(b *bufio.Writer, c *compare.Comparison) {
	if text := configuration(c); text != "" {
		b.WriteString("\n## Configuration\n\nAll effective keys; where runs differ, their values.\n\n```\n" + text + "```\n")
	}
}

// configuration has a line per effective key; "" if none is known.
func configuration(c *compare.Comparison) string {
	values := map[string]map[string]bool{}
	var keys []string
	for _, r := range c.Runs {
		for _, s := range r.Config {
			if values[s.Key] == nil {
				values[s.Key] = map[string]bool{}
				keys = append(keys, s.Key)
			}
			values[s.Key][s.Value] = true
		}
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, key := range keys {
		var words []string
		for v := range values[key] {
			words = append(words, v)
		}
		slices.SortFunc(words, compare.CompareValues)
		fmt.Fprintf(&b, "%s = %s\n", key, plain.Line(strings.Join(words, " | ")))
	}
	return b.String()
}

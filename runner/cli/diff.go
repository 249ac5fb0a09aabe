package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"headroom/metrics/stability"
	"headroom/sweeps"
)

func newDiff(a *app) *cobra.Command {
	var perQuery bool
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "the differences of two runs: settings, verdicts, scores, sparsity",
		Long: `Lists the settings, inputs and programs in which two runs differ, and their results:
verdicts and, on each collection on which both were measured, the measures, active dims
and FLOPS, second minus first. The interval of a difference is over queries. It is about
these two models; with another seed the difference may be another.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.diff(cmd.Context(), args[0], args[1], perQuery)
		},
	}
	cmd.Flags().BoolVarP(&perQuery, "per-query", "q", false, "the values of every query too, those that differ most first")
	return cmd
}

type diffDocument struct {
	Schema     int             `json:"schema"`
	A          diffRun         `json:"a"`
	B          diffRun         `json:"b"`
	Config     []sweeps.Change `json:"config"`
	Inputs     []difference    `json:"inputs"`
	Provenance []difference    `json:"provenance"`
	// Evaluations are on the present contents of collections on which both were measured.
	Evaluations []diffEvaluation `json:"evaluations"`
}

type diffRun struct {
	ID      string  `json:"id"`
	Label   string  `json:"label"`
	State   string  `json:"state"`
	Verdict *string `json:"verdict"` // null until judged
	// Recovered names the collapses from which a healthy run recovered, and when; "" for none.
	Recovered string `json:"recovered"`
}

func newDiffRun(r runInfo) diffRun {
	d := diffRun{ID: r.ref.ID, Label: r.ref.Label, State: r.state, Recovered: stability.Recovered(r.verdict, r.episodes)}
	if r.verdict != "" {
		d.Verdict = &r.verdict
	}
	return d
}

// difference is one fact in which the runs differ.
type difference struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

func (a *app) diff(ctx context.Context, first, second string, perQuery bool) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	var infos [2]runInfo
	for i, text := range []string{first, second} {
		ref, err := findRun(w, text)
		if err != nil {
			return err
		}
		if infos[i], err = a.readRun(w, ref); err != nil {
			return err
		}
	}
	d, err := a.newDiffDocument(ctx, infos[0], infos[1], perQuery)
	if err != nil {
		return err
	}
	if a.global.json {
		return a.printJSON(d)
	}
	return a.printDiff(d)
}

// newDiffDocument compares two runs.
func (a *app) newDiffDocument(ctx context.Context, x, y runInfo, perQuery bool) (diffDocument, error) {
	s, err := a.openOwnStore(ctx)
	if err != nil {
		return diffDocument{}, err
	}
	defer s.Close()
	evaluations, err := diffScores(ctx, s, x.ref.ID, y.ref.ID, perQuery)
	if err != nil {
		return diffDocument{}, err
	}
	return diffDocument{
		Schema: schema,
		A:      newDiffRun(x), B: newDiffRun(y), Evaluations: evaluations,
		Config: append([]sweeps.Change{}, sweeps.Diff(x.config, y.config)...),
		Inputs: differences([]difference{
			{"weights", x.inputs.Weights, y.inputs.Weights},
			{"tokenizer", x.inputs.Tokenizer, y.inputs.Tokenizer},
			{"data", x.inputs.Data, y.inputs.Data},
		}),
		Provenance: differences([]difference{
			{"executable", x.provenance.Executable, y.provenance.Executable},
			{"commit", x.provenance.Commit, y.provenance.Commit},
			{"go", x.provenance.Go, y.provenance.Go},
			{"simd", strconv.FormatBool(x.provenance.SIMD), strconv.FormatBool(y.provenance.SIMD)},
			{"system", x.provenance.System, y.provenance.System},
			{"cpu", x.provenance.CPU, y.provenance.CPU},
			{"driver", x.provenance.Driver, y.provenance.Driver},
			{"host", x.provenance.Host, y.provenance.Host},
		}),
	}, nil
}

func (a *app) printDiff(d diffDocument) error {
	if d.A.ID == d.B.ID {
		_, err := fmt.Fprintln(a.stdout, "no difference")
		return failedError(err)
	}
	rows := [][]string{{"", d.A.Label, d.B.Label}}
	for _, c := range d.Config {
		key := c.Key
		if !c.Semantic {
			key += " (not in the id)"
		}
		rows = append(rows, []string{key, orDash(c.A), orDash(c.B)})
	}
	for _, group := range []struct {
		name string
		list []difference
	}{{"input ", d.Inputs}, {"made by ", d.Provenance}} {
		for _, c := range group.list {
			rows = append(rows, []string{group.name + c.Key, orDash(c.A), orDash(c.B)})
		}
	}
	if len(rows) == 1 {
		rows = append(rows, []string{"no setting differs"})
	}
	if err := a.table(rows); err != nil {
		return err
	}
	rows = [][]string{{"", d.A.Label, d.B.Label, "second − first", "95 % over queries"}, {"state", d.A.State, d.B.State}}
	verdicts := []string{"verdict", "-", "-"}
	for i, r := range []diffRun{d.A, d.B} {
		if r.Verdict != nil {
			verdicts[i+1] = stability.MarkedVerdict(*r.Verdict, r.Recovered)
		}
	}
	rows = append(rows, verdicts)
	for _, e := range d.Evaluations {
		rows = append(rows, e.rows()...)
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(rows); err != nil {
		return err
	}
	if len(d.Evaluations) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no collection that both were measured on")
		return failedError(err)
	}
	for _, e := range d.Evaluations {
		for _, m := range e.Measures {
			if len(m.PerQuery) == 0 {
				continue
			}
			fmt.Fprintln(a.stdout)
			if err := a.table(append([][]string{{m.Measure + " on " + e.Dataset, d.A.Label, d.B.Label, "second − first"}}, m.perQueryRows()...)); err != nil {
				return err
			}
		}
	}
	return nil
}

func differences(all []difference) []difference {
	kept := []difference{}
	for _, d := range all {
		if d.A != d.B {
			kept = append(kept, d)
		}
	}
	return kept
}

func orDash(text string) string {
	return cmp.Or(text, "-")
}

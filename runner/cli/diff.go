package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"headroom/sweeps"
)

func newDiff(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "what two runs differ in",
		Args:  cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.diff(args[0], args[1])
		},
	}
}

type diffDocument struct {
	Schema     int             `json:"schema"`
	A          diffRun         `json:"a"`
	B          diffRun         `json:"b"`
	Config     []sweeps.Change `json:"config"`
	Inputs     []difference    `json:"inputs"`
	Provenance []difference    `json:"provenance"`
}

type diffRun struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// difference is one fact that is not the same.
type difference struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

func (a *app) diff(first, second string) error {
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
	x, y := infos[0], infos[1]
	d := diffDocument{
		Schema: schema,
		A:      diffRun{x.ref.ID, x.ref.Label}, B: diffRun{y.ref.ID, y.ref.Label},
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
	}
	if a.global.json {
		return a.printJSON(d)
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
		fmt.Fprintln(a.stdout, "no difference")
		return nil
	}
	return a.table(rows)
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
	if text == "" {
		return "-"
	}
	return text
}

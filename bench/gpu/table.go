package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// table prints the results in a folder: SHAPE.headroom.json and SHAPE.peer.json for every shape of the plan; for one
// shape also SHAPE.again.json, a second run that must be the same, and SHAPE.tuned.json, with kernels that were tried
// out. It names what is missing.
func table(out io.Writer, dir string) error {
	var p plan
	if err := read(filepath.Join(dir, "plan.json"), &p); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d queries of %d tokens and %d documents of %d a step; %d steps compared, %d timed (median).\n\n",
		p.Queries, p.QueryTokens, p.Documents, p.DocumentTokens, p.Batches, p.Timed)
	fmt.Fprintln(out, "| shape | precision | step, headroom | step, sentence-transformers | ratio | of the matrix rate | encoding, headroom | encoding, s-t | ratio | peak memory | first step | losses apart by | same again |")
	fmt.Fprintln(out, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	device, peer := "", ""
	var faults []error
	var tuned []string
	for _, shape := range p.Shapes {
		var own, again, fast, other result
		if err := load(dir, shape, "headroom", &own); err != nil {
			fmt.Fprintf(out, "| %s | headroom was not measured: %v |\n", shape, err)
			faults = append(faults, fmt.Errorf("shape %s: headroom was not measured", shape))
			continue
		}
		device = own.Device
		row := row{own: own}
		if load(dir, shape, "again", &again) == nil {
			row.again = &again
		}
		if load(dir, shape, "tuned", &fast) == nil {
			tuned = append(tuned, fmt.Sprintf("%s with kernels that XLA tries out, and so with results that may differ from run to run: a step %s, encoding %.0f/s, first step %s.",
				shape, seconds(fast.Step), fast.Encode, seconds(fast.First)))
		}
		if load(dir, shape, "peer", &other) == nil {
			row.peer, peer = &other, other.System+" on "+other.Device
		}
		if row.again != nil && !row.same() {
			faults = append(faults, fmt.Errorf("shape %s: a second run ended with other weights or losses", shape))
		}
		fmt.Fprintln(out, row)
	}
	for _, line := range tuned {
		fmt.Fprintf(out, "\n%s\n", line)
	}
	fmt.Fprintf(out, "\nDevice: %s. Peer: %s.\n", orNone(device), orNone(peer))
	return errors.Join(faults...)
}

func load(dir, shape, side string, r *result) error {
	path := filepath.Join(dir, shape+"."+side+".json")
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return fmt.Errorf("no %s", filepath.Base(path))
	}
	return read(path, r)
}

type row struct {
	own         result
	again, peer *result
}

func (r row) String() string {
	const none = "–"
	step, ratio, share, encode, encodeRatio, apart, same := none, none, none, none, none, none, none
	peak := memory(r.own.Peak)
	if r.peer != nil {
		step, encode = seconds(r.peer.Step), fmt.Sprintf("%.0f/s", r.peer.Encode)
		ratio, encodeRatio = fmt.Sprintf("%.2f×", r.peer.Step/r.own.Step), fmt.Sprintf("%.2f×", r.own.Encode/r.peer.Encode)
		if r.peer.Rate > 0 {
			share = fmt.Sprintf("%.0f %%", 100*r.own.FLOP/r.own.Step/r.peer.Rate)
		}
		apart = fmt.Sprintf("%.2g", gap(r.own.Losses, r.peer.Losses))
		peak += " / " + memory(r.peer.Peak)
	}
	if r.again != nil {
		same = "no"
		if r.same() {
			same = "yes"
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %.0f/s | %s | %s | %s | %s | %s | %s |", r.own.Shape, r.own.Precision,
		seconds(r.own.Step), step, ratio, share, r.own.Encode, encode, encodeRatio, peak, seconds(r.own.First), apart, same)
}

func (r row) same() bool {
	return r.again.Digest == r.own.Digest && slices.Equal(r.again.Losses, r.own.Losses)
}

// gap is the largest relative difference of two series of losses.
func gap(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	worst := 0.0
	for i := range a {
		worst = math.Max(worst, math.Abs(a[i]-b[i])/math.Abs(b[i]))
	}
	return worst
}

func seconds(s float64) string { return fmt.Sprintf("%.1f ms", 1e3*s) }

func memory(bytes float64) string {
	if bytes == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f GB", bytes/1e9)
}

func orNone(s string) string {
	return cmp.Or(s, "none")
}

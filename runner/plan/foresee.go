package plan

import (
	"slices"

	"headroom/data/packages"
	"headroom/data/published"
	"headroom/sweeps"
)

// The rates for predictions if nothing has been measured: an eighth of the peak rate of an
// H100.
const (
	share    = 8
	bfloat16 = 989e12 // operations per second
	float32s = 67e12
)

// Foreseen is the basis of a prediction without a measurement.
const Foreseen = "operations at full length and an eighth of an H100's rate; nothing was measured"

// Disk is the approximate space that a sweep takes, in bytes.
type Disk struct {
	// Workspace is the space that the unfinished runs will take, kept vectors with it, and the largest
	// additional space of a run while it trains or encodes.
	Workspace int64 `json:"workspace"`
	// Data is the space for data to be downloaded: archives and their contents.
	Data int64 `json:"data"`
}

// foresee predicts seconds if no run of any kind is finished, for runs that may compute on
// a GPU and have a backbone of known size. A CPU's rate is not known well enough.
func (m *maker) foresee() {
	table, err := m.Resolver.Table()
	if err != nil {
		return
	}
	total := 0.0
	for i := range m.plan.Runs {
		run := &m.plan.Runs[i]
		if run.Seconds == nil {
			if seconds, ok := m.foreseenRun(table, run.Config); ok {
				run.Seconds, run.Basis = &seconds, Foreseen
			}
		}
		if run.Seconds != nil {
			total += *run.Seconds
		}
	}
	for i := range m.plan.Full {
		f := &m.plan.Full[i]
		if f.State != FullWaits {
			continue
		}
		seeds := map[int64]bool{}
		for _, run := range m.plan.Runs {
			if run.Config.Model.Backbone == f.Backbone {
				seeds[run.Config.Seed] = true
			}
		}
		for _, run := range m.plan.Runs {
			if run.Config.Model.Backbone == f.Backbone && run.Basis == Foreseen {
				seconds := float64(len(seeds)) * m.encoding(table, run.Config, f.Collections)
				f.Seconds = &seconds
				total += seconds
				break
			}
		}
	}
	if total > 0 {
		m.plan.Seconds = &total
	}
}

// parameters is the number of parameters of a backbone: from its files or, for a backbone of
// the paper whose files are not here yet, from its card on the hub.
func (m *maker) parameters(backbone string) int64 {
	if n := m.found.models[backbone].parameters; n > 0 {
		return n
	}
	switch backbone {
	case "google-bert/bert-base-uncased", "bert-base-uncased":
		return 110e6
	case "answerdotai/ModernBERT-base", "jhu-clsp/ettin-encoder-150m":
		return 150e6
	}
	return 0
}

// foreseenRun is the predicted time of a run: its steps, its evaluations on dev data and at its end.
func (m *maker) foreseenRun(table published.Table, c sweeps.RunConfig) (seconds float64, ok bool) {
	n := m.parameters(c.Model.Backbone)
	if n == 0 || c.Compute.Backend == "go" {
		return 0, false
	}
	// Forward is 2 operations per parameter and token, backward twice that.
	steps := float64(c.Train.Steps) * 6 * float64(n) * work(c) / rate(c)
	looks := evaluations(c, c.Train.Steps)
	return steps + looks*m.encoding(table, c, c.Evaluate.During) + m.encoding(table, c, c.Evaluate.Final), true
}

// encoding is the predicted time to encode the documents of collections.
func (m *maker) encoding(table published.Table, c sweeps.RunConfig, references []string) float64 {
	n := m.parameters(c.Model.Backbone)
	return 2 * float64(n) * float64(documentsOf(table, references)) * float64(c.Data.MaxDocument) / rate(c)
}

// documentsOf is the number of documents of collections; collections with the same files count once, and folders not at
// all, as no table has their number of documents.
func documentsOf(table published.Table, references []string) int {
	known := map[string]bool{}
	documents := 0
	for _, ref := range references {
		named, ok := table.Collection(ref)
		corpus := named.Corpus + named.Package + "/" + named.Folder
		if !ok || known[corpus] {
			continue
		}
		known[corpus] = true
		documents += named.Counts.Documents
	}
	return documents
}

// vectorBytes is the predicted space of a document's vector: 200 terms of 5 bytes.
const vectorBytes = 200 * 5

func rate(c sweeps.RunConfig) float64 {
	if c.Train.Precision == "bfloat16" {
		return bfloat16 / share
	}
	return float32s / share
}

// disk adds up the space that the sweep takes on disks; nil if no backbone is known.
func (m *maker) disk() *Disk {
	var d Disk
	var largest, references = int64(0), []string{}
	table, err := m.Resolver.Table()
	if err != nil {
		return nil
	}
	add := func(list ...string) {
		for _, ref := range list {
			if !slices.Contains(references, ref) {
				references = append(references, ref)
			}
		}
	}
	for _, run := range m.plan.Runs {
		c := run.Config
		add(c.Data.Train)
		add(c.Evaluate.Final...)
		add(c.Evaluate.During...)
		add(c.Evaluate.Full...)
		n := m.parameters(c.Model.Backbone)
		if run.State.Finished() || n == 0 {
			continue
		}
		// The weights of the last step, of the best step and of the export; while a run trains,
		// also two states with both of AdamW's moments.
		d.Workspace += 3 * 4 * n
		largest = max(largest, 2*12*n)
		vectors := vectorBytes * int64(documentsOf(table, slices.Concat(c.Evaluate.Final, c.Evaluate.During)))
		if c.Evaluate.KeepVectors {
			d.Workspace += vectors
		} else { // they stay until the run's evaluations are done
			largest = max(largest, vectors, vectorBytes*int64(documentsOf(table, c.Evaluate.Full)))
		}
	}
	d.Workspace += largest
	lacking, _ := m.Resolver.MissingPackages(references...) // faults are reported elsewhere
	for _, p := range lacking {
		d.Data += p.Size() + packages.Unpacked(p)
	}
	if d.Workspace+d.Data == 0 {
		return nil
	}
	return &d
}

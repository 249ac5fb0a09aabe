package incident_test

import (
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/internal/spacetest"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/incident"
	"headroom/sweeps"
)

var update = flag.Bool("update", false, "write the golden file again")

const steps = 60

// collapsing writes the log of a run whose queries are empty from step 30 up to last, as
// its worker would, and returns it. Without evidence the log is an older program's.
func collapsing(t *testing.T, last int, evidence bool) incident.Run {
	t.Helper()
	l, folder, write := spacetest.NewLog(t)
	facts := event.Facts{Batch: 8, Candidates: 8, Vocab: 100, RampEnd: 10, Loss: "infonce"}
	write(event.Started{Run: "aa", Attempt: 1, Steps: steps, Facts: facts})
	m := stability.NewMonitor(facts, steps, stability.Defaults())
	for s := range steps {
		wave := .1 * math.Sin(float64(s))
		v := map[string]event.Value{"loss": event.Value(1 + wave), "loss/contrastive": event.Value(1 + wave), "grad_norm": event.Value(2 + wave),
			"accuracy": event.Value(.8 + wave), "empty/query": 0, "empty/document": 0, "lr": event.Value(s), "seconds": 1, "cosine/query": .2, "score/sd": 3}
		if s >= 30 && s <= last {
			v["empty/query"], v["loss"], v["grad_norm"] = 1, 9, event.Value(math.Inf(1))
			if s > 30 {
				v["grad_norm"] = 0
			}
		}
		if evidence {
			v["grad_norm/encoder"] = v["grad_norm"]
			if s%8 == 0 {
				v["probe/seconds"], v["probe/rank/query"], v["probe/sink_position/query"] = .1, event.Value(20-s/4), -1
				write(event.Probed{Step: s, Texts: 64, Query: []event.Term{{ID: 7, Token: "##s|", Share: .25}, {ID: 9, Share: .125}}, Document: []event.Term{{ID: 3, Token: "the", Share: .5}}})
			}
		}
		write(event.Step{Step: s, Values: v})
		plain := map[string]float64{}
		for name, x := range v {
			plain[name] = float64(x)
		}
		m.Observe(s, plain)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := m.Result()
	config := sweeps.Defaults()
	config.Model.Backbone, config.Train.LR = "here", .1
	return incident.Run{ID: "aa", Label: "bad-k1", Folder: folder, Verdict: r.Verdict, Episodes: r.Episodes, Config: config}
}

// others are healthy runs: far, near, and as near with another backbone.
func others() []incident.Other {
	make := func(id, label string, edit func(*sweeps.RunConfig)) incident.Other {
		c := sweeps.Defaults()
		c.Model.Backbone = "here"
		edit(&c)
		return incident.Other{ID: id, Label: label, Config: c}
	}
	return []incident.Other{
		make("bb", "far", func(c *sweeps.RunConfig) { c.Train.LR, c.Train.Batch, c.Seed = .2, 4, 9 }),
		make("cc", "elsewhere", func(c *sweeps.RunConfig) { c.Model.Backbone, c.Train.LR = "there", .1 }),
		make("dd", "near", func(c *sweeps.RunConfig) { c.Train.LR, c.Compute.Threads = .01, 7 }),
		make("aa", "itself", func(c *sweeps.RunConfig) { c.Train.LR = .1 }),
	}
}

func TestAPageOfACollapse(t *testing.T) {
	page, err := incident.PageOf(collapsing(t, steps, true), others())
	if err != nil {
		t.Fatal(err)
	}
	if page.Onset.Verdict != "empty" || page.Onset.FirstStep != 30 || page.Onset.LastHealthy != event.Some(29) || page.Recovered != "" {
		t.Errorf("the onset is %+v, recovered %q", page.Onset, page.Recovered)
	}
	if want := []int{10, 20, 25, 28, 29, 30, 31, 32, 35, 40, 50}; !reflect.DeepEqual(page.Steps, want) {
		t.Errorf("steps %v, want %v", page.Steps, want)
	}
	if want := []int{16, 24, 32, 40, 48}; !reflect.DeepEqual(page.Looks, want) || len(page.Terms) != 5 {
		t.Errorf("looks %v with %d terms, want %v", page.Looks, len(page.Terms), want)
	}
	if page.Nearest == nil || page.Nearest.Label != "near" || len(page.Nearest.Changes) != 1 || page.Nearest.Changes[0].Key != "train.lr" {
		t.Errorf("the nearest healthy run is %+v", page.Nearest)
	}
	moved := map[string]incident.Moved{}
	for _, m := range page.Moved {
		moved[m.Name] = m
	}
	if !math.IsInf(float64(moved["grad_norm"].Times), 1) || moved["loss"].After != 9 || !math.IsInf(float64(moved["empty/query"].Times), 1) || moved["lr"].Name != "" || moved["cosine/query"].Name != "" {
		t.Errorf("moved: %+v", page.Moved)
	}
	var b bytes.Buffer
	if err := page.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "incident.md")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s differs (-update writes it again); got\n%s", golden, b.String())
	}
}

func TestAPageOfARecovery(t *testing.T) {
	page, err := incident.PageOf(collapsing(t, 40, false), nil)
	if err != nil {
		t.Fatal(err)
	}
	if page.Verdict != stability.Healthy || page.Recovered != "empty at 30–40, non_finite at 30–30" || page.Nearest != nil || len(page.Looks) != 0 {
		t.Errorf("%s, recovered from %q, nearest %v, looks %v", page.Verdict, page.Recovered, page.Nearest, page.Looks)
	}
	if notes := strings.Join(page.Notes, "\n"); !strings.Contains(notes, "no gradient norms by group") || !strings.Contains(notes, "no probe set") || !strings.Contains(notes, "no healthy run") {
		t.Errorf("notes: %s", notes)
	}
}

func TestARunWithoutAnIncident(t *testing.T) {
	for verdict, want := range map[string]string{stability.Healthy: "no collapse was seen in it", "": "no verdict yet"} {
		if _, err := incident.PageOf(incident.Run{Label: "fine", Verdict: verdict}, nil); !errors.Is(err, incident.ErrNone) || !strings.Contains(err.Error(), want) {
			t.Errorf("verdict %q: %v", verdict, err)
		}
	}
}

package serve

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/reports/live"
)

// overview is the first page.
type overview struct {
	shown
	Places []placeCard
	Alerts []live.Alert
	// MoreAlerts counts those that are not shown.
	MoreAlerts int
	News       []*live.Run
}

// placeCard is a workspace on the first page.
type placeCard struct {
	Place    *Place
	Snapshot *live.Snapshot
	Cards    []sweepCard
}

// sweepCard is a sweep on the first page.
type sweepCard struct {
	*live.Sweep
	Link        string
	Runs        int
	Done, Total int
	ETA         time.Duration
	States      []tally
	Verdicts    []tally
	Answer      []string
	Alerts      int
}

// tally is the number of runs with a word, and the address that shows them.
type tally struct {
	Word string
	N    int
	Link string
}

const (
	shownAlerts = 12
	shownNews   = 8
)

func (s *Server) overview(r *http.Request, base shown) (anyPage, error) {
	base.page, base.Title = "overview", "headroom"
	o := &overview{shown: base}
	o.Live = liveAddress("/api/live", base.V)
	for _, p := range s.o.Places {
		if base.V.get("w") != "" && p != base.Place {
			continue
		}
		card := placeCard{Place: p, Snapshot: p.Watcher.Snapshot()}
		for _, sweep := range card.Snapshot.Sweeps {
			card.Cards = append(card.Cards, s.card(p, card.Snapshot, sweep))
		}
		o.Places = append(o.Places, card)
		o.Alerts = append(o.Alerts, card.Snapshot.Alerts...)
		o.News = append(o.News, newest(card.Snapshot)...)
	}
	slices.SortStableFunc(o.News, func(a, b *live.Run) int { return b.Heard.Compare(a.Heard) })
	o.News = o.News[:min(len(o.News), shownNews)]
	if len(o.Alerts) > shownAlerts && !base.V.is("all") {
		o.MoreAlerts = len(o.Alerts) - shownAlerts
		o.Alerts = o.Alerts[:shownAlerts]
	}
	return o, nil
}

// newest returns the runs whose logs grew last.
func newest(s *live.Snapshot) []*live.Run {
	var runs []*live.Run
	for _, sweep := range s.Sweeps {
		for _, r := range sweep.Runs {
			if !r.Heard.IsZero() && s.Run(r.Run.Run) == r {
				runs = append(runs, r)
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b *live.Run) int { return b.Heard.Compare(a.Heard) })
	return runs[:min(len(runs), shownNews)]
}

func (s *Server) card(p *Place, snapshot *live.Snapshot, sweep *live.Sweep) sweepCard {
	link := view{path: "/sweeps/" + sweep.Name}
	if len(s.o.Places) > 1 {
		link = link.with("w", p.Name)
	}
	c := sweepCard{Sweep: sweep, Link: link.String()}
	states, verdicts := map[string]int{}, map[string]int{}
	running, left := 0, time.Duration(0)
	var paces []float64
	for _, r := range sweep.Runs {
		if r.Standing == store.Former {
			continue
		}
		c.Runs++
		states[r.State]++
		if word := verdictOf(r); word != r.State || r.State == record.StateFailed {
			verdicts[word]++
		}
		done, total := progress(r)
		c.Done, c.Total = c.Done+done, c.Total+total
		if r.Done > 0 && r.Seconds > 0 {
			paces = append(paces, r.Seconds/float64(r.Done))
		}
		if r.State == record.StateRunning {
			running++
		}
	}
	if running > 0 && len(paces) > 0 {
		slices.Sort(paces)
		left = time.Duration(paces[len(paces)/2] * float64(c.Total-c.Done) / float64(running) * float64(time.Second))
	}
	c.ETA = left
	c.States, c.Verdicts = tallies(states, "state", link), tallies(verdicts, "verdict", link)
	for _, a := range snapshot.Alerts {
		if a.Sweep == sweep.Name && a.Stands {
			c.Alerts++
		}
	}
	c.Answer = s.answerOf(p, sweep)
	return c
}

func tallies(counts map[string]int, parameter string, link view) []tally {
	var out []tally
	for word, n := range counts {
		out = append(out, tally{word, n, link.With(parameter, word)})
	}
	slices.SortFunc(out, func(a, b tally) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Word, b.Word)) })
	return out
}

package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"headroom/internal/plain"
	"headroom/reports/incident"
	"headroom/reports/live"
)

// incidentPage is the page about a run's collapse.
type incidentPage struct {
	shown
	Run *live.Run
	incident.Page
	RunLink string
	// Show is the command that prints the same text.
	Show string
	// Fault says why there is no text.
	Fault string
}

// incidentTime limits the time to read the logs of one run.
const incidentTime = 60 * time.Second

// told caches the pages of incidents by run and version; when it is full it is emptied.
type told struct {
	mu   sync.Mutex
	have map[toldKey]incident.Page
}

type toldKey struct {
	place, run string
	changed    uint64
}

const mostTold = 50

func (s *Server) incident(r *http.Request, base shown) (anyPage, error) {
	run, _ := find(base.Snapshot, r.PathValue("run"))
	if run == nil || s.o.Incident == nil {
		base.page, base.Code, base.Title = "nothing", http.StatusNotFound, "no such run · headroom"
		return &message{base, "There is no run of this id or label in the workspace."}, nil
	}
	base.page, base.Title = "incident", "incident: "+run.Label+" · headroom"
	p := &incidentPage{shown: base, Run: run, RunLink: base.V.At("/runs/"+run.Run.Run, "w")}
	p.Show = p.Prefix() + " show " + short(run.Run.Run) + " --incident"
	var err error
	p.Page, err = s.incidentOf(r.Context(), base.Place, run)
	switch {
	case errors.Is(err, ErrArgument):
		p.Fault = plain.Line(err.Error())
	case err != nil:
		return nil, err
	}
	return p, nil
}

func (s *Server) incidentOf(ctx context.Context, place *Place, run *live.Run) (page incident.Page, err error) {
	key := toldKey{place.Name, run.Run.Run, run.Changed}
	s.told.mu.Lock()
	page, known := s.told.have[key]
	s.told.mu.Unlock()
	if known {
		return page, nil
	}
	err = s.inWorker(ctx, incidentTime, func(ctx context.Context) (err error) {
		page, err = s.o.Incident(ctx, place.Watcher.Root(), run.Run.Run)
		return err
	})
	if err != nil {
		return page, err
	}
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	if s.told.have == nil || len(s.told.have) >= mostTold {
		s.told.have = map[toldKey]incident.Page{}
	}
	s.told.have[key] = page
	return page, nil
}

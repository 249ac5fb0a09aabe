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

// incidentCache has the pages of incidents by run and version. It is emptied when it is full.
type incidentCache struct {
	mu   sync.Mutex
	have map[incidentKey]incident.Page
}

type incidentKey struct {
	place, run string
	changed    uint64
}

const mostIncidents = 50

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
	key := incidentKey{place.Name, run.Run.Run, run.Changed}
	s.incidents.mu.Lock()
	page, known := s.incidents.have[key]
	s.incidents.mu.Unlock()
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
	s.incidents.mu.Lock()
	defer s.incidents.mu.Unlock()
	if s.incidents.have == nil || len(s.incidents.have) >= mostIncidents {
		s.incidents.have = map[incidentKey]incident.Page{}
	}
	s.incidents.have[key] = page
	return page, nil
}

package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"headroom/internal/plain"
	"headroom/reports/live"
)

// faultDocument is the answer in place of a document after a fault, in the form that
// commands print.
type faultDocument struct {
	Schema int   `json:"schema"`
	Error  fault `json:"error"`
}

type fault struct {
	Code    int    `json:"code"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// document answers with the JSON that a command prints.
func (s *Server) document(w http.ResponseWriter, r *http.Request, make func(base shown) (any, error)) {
	base, ok := s.base(r)
	var document any
	err := notFound("the workspace w=" + r.URL.Query().Get("w"))
	if ok {
		document, err = make(base)
	}
	code := http.StatusOK
	if err != nil {
		document, code = failure(err)
	}
	writeJSON(w, r, code, document)
}

// notFound says what a request names that is not there.
func notFound(what string) error {
	return fmt.Errorf("%w: %s; /api/ lists sweeps and runs", ErrNotFound, what)
}

// apiUnknown answers below /api/ where there is no document.
func (s *Server) apiUnknown(w http.ResponseWriter, r *http.Request) {
	document, code := failure(fmt.Errorf("%w: no document is at this address; allowed: /api/, /api/sweeps/NAME, /api/runs/ID, /api/compare?run=A&run=B", ErrNotFound))
	writeJSON(w, r, code, document)
}

func failure(err error) (faultDocument, int) {
	d := faultDocument{Schema: 1, Error: fault{Code: 1, Kind: "failed", Message: plain.Lines(err.Error())}}
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrNotFound):
		d.Error.Code, d.Error.Kind, code = 2, "refused", http.StatusNotFound
	case errors.Is(err, ErrArgument):
		d.Error.Code, d.Error.Kind, code = 2, "refused", http.StatusBadRequest
	case errors.Is(err, live.ErrClosed):
		code = http.StatusServiceUnavailable
	}
	return d, code
}

func writeJSON(w http.ResponseWriter, r *http.Request, code int, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "this document cannot be written: "+plain.Line(err.Error()))
		return
	}
	answer(w, r, code, "application/json", append(text, '\n'))
}

func (s *Server) apiStatus(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, func(base shown) (any, error) {
		return s.o.Documents.Status(r.Context(), base.Workspace(), "", base.V.values["only"])
	})
}

func (s *Server) apiSweep(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, func(base shown) (any, error) {
		name := r.PathValue("name")
		if base.Snapshot.Sweep(name) == nil {
			return nil, notFound("the sweep " + name)
		}
		return s.o.Documents.Status(r.Context(), base.Workspace(), name, base.V.values["only"])
	})
}

func (s *Server) apiRun(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, func(base shown) (any, error) {
		run, _ := find(base.Snapshot, r.PathValue("run"))
		if run == nil {
			return nil, notFound("the run " + r.PathValue("run"))
		}
		return s.o.Documents.Show(r.Context(), base.Workspace(), run.Run.Run)
	})
}

func (s *Server) apiCompare(w http.ResponseWriter, r *http.Request) {
	s.document(w, r, func(base shown) (any, error) {
		given := base.V.values["run"]
		if len(given) != 2 {
			return nil, fmt.Errorf("%w: runs given: %d; allowed: two, as run=A&run=B", ErrArgument, len(given))
		}
		a, _ := find(base.Snapshot, given[0])
		b, _ := find(base.Snapshot, given[1])
		if a == nil {
			return nil, notFound("the run " + given[0])
		}
		if b == nil {
			return nil, notFound("the run " + given[1])
		}
		return s.o.Documents.Diff(r.Context(), base.Workspace(), a.Run.Run, b.Run.Run, false)
	})
}

// Package serve shows workspaces as web pages, also while other programs write in them.
//
// Contract. It changes nothing: it answers only GET and HEAD. A page's address determines
// its content. Pages work without a script; the script draws curves and updates the page.
// No page loads anything from another server, and texts of a workspace are always escaped.
//
// Everybody who can reach the address can read the workspaces, so an address beyond this
// machine requires a token. Pages of other sites cannot read through a visitor's browser:
// Host and Origin are checked, and no answer may be framed or shared.
package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"headroom/reports/incident"
	"headroom/reports/live"
)

// Place is one workspace that is served.
type Place struct {
	// Name is its unique name in addresses.
	Name    string
	Watcher *live.Watcher
	curves  *live.Curves
}

// Documents returns the JSON that commands print with --json, for the workspace in a
// folder. The error is ErrNotFound for an argument that names nothing, and ErrArgument for
// a malformed one.
type Documents interface {
	// Status is of all sweeps if sweep is "".
	Status(ctx context.Context, root, sweep string, only []string) (any, error)
	Show(ctx context.Context, root, run string) (any, error)
	// Diff has each query's values if queries is true.
	Diff(ctx context.Context, root, a, b string, queries bool) (any, error)
}

// Errors of Documents.
var (
	ErrNotFound = errors.New("not found")
	ErrArgument = errors.New("cannot be read")
)

// Term is a term of a text's vector.
type Term struct {
	Text   string
	Weight float64
}

// Options configure a Server.
type Options struct {
	Places    []*Place
	Documents Documents
	// Terms encodes a text with a run's model, in another process, and returns its greatest
	// weights; nil if that is not offered.
	Terms func(ctx context.Context, root, run, text string, query bool) ([]Term, error)
	// Incident describes how a run collapsed, in another process. An ErrArgument says why
	// there is nothing to describe. It is nil if that is not offered.
	Incident func(ctx context.Context, root, run string) (incident.Page, error)
	// Answer returns a sweep's comparison at equal cost, computed in another process; nil
	// if that is not offered.
	Answer func(ctx context.Context, root, sweep string) ([]string, error)
	// Token is required of visitors; "" requires none.
	Token string
	// Hosts are the allowed names of the server, besides those of the loopback and, with a
	// token, addresses.
	Hosts []string
	Now   func() time.Time
	// Command is the program's name in commands that pages show.
	Command string
}

// Limits of what visitors can use.
const (
	maxConnections = 2048
	maxStreams     = 128
	maxHeader      = 16 << 10
	maxQuery       = 8 << 10
	headerTime     = 5 * time.Second
	idleTime       = 60 * time.Second
	writeTime      = 20 * time.Second
	// maxBusy is the number of answers that are computed at the same time; others wait.
	maxBusy = 4
)

// Server answers requests.
type Server struct {
	o         Options
	pages     pages
	assets    map[string]asset
	busy      chan struct{}
	streams   chan struct{}
	worker    chan struct{} // one child process at a time
	answers   answers
	incidents incidentCache
	epoch     string
	stop      context.Context
	end       context.CancelFunc
}

// New makes a server of at least one place.
func New(o Options) (*Server, error) {
	if len(o.Places) == 0 {
		return nil, errors.New("serve: no workspace")
	}
	parsed, err := parsePages()
	if err != nil {
		return nil, err
	}
	files, err := readAssets()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, pages: parsed, assets: files, busy: make(chan struct{}, maxBusy), streams: make(chan struct{}, maxStreams),
		worker: make(chan struct{}, 1), epoch: newEpoch()}
	s.stop, s.end = context.WithCancel(context.Background())
	for _, p := range o.Places {
		p.curves = live.NewCurves(p.Watcher)
	}
	return s, nil
}

// Handler returns the handler of all requests, with all checks.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"/{$}":                 s.page(s.overview),
		"/sweeps/{name}":       s.page(s.sweep),
		"/runs/{run}":          s.page(s.run),
		"/runs/{run}/incident": s.page(s.incident),
		"/compare":             s.page(s.compare),
		"/help":                s.page(s.help),
		"/download/{file}":     s.bounded(s.download),
		"/api/{$}":             s.bounded(s.apiStatus),
		"/api/sweeps/{name}":   s.bounded(s.apiSweep),
		"/api/runs/{run}":      s.bounded(s.apiRun),
		"/api/compare":         s.bounded(s.apiCompare),
		"/api/curves":          s.bounded(s.apiCurves),
		"/api/live":            s.apiLive,
		"/api/":                s.apiUnknown,
		"/assets/{name}":       s.asset,
		"/":                    s.page(s.nothing),
	} {
		mux.HandleFunc("GET "+pattern, handle)
	}
	return s.guard(mux)
}

// Serve answers on a listener until the context ends.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, WriteTimeout: writeTime,
	}
	stopped := context.AfterFunc(ctx, func() {
		s.end() // Shutdown would wait for open streams
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(closing) != nil {
			server.Close()
		}
	})
	defer stopped()
	err := server.Serve(&limited{Listener: listener, slots: make(chan struct{}, maxConnections)})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// limited closes connections above a number at once.
type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &counted{Conn: c, free: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			c.Close()
		}
	}
}

type counted struct {
	net.Conn
	free func()
}

func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}

// bounded limits the number of answers that are computed at the same time.
func (s *Server) bounded(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.busy <- struct{}{}:
			defer func() { <-s.busy }()
			handle(w, r)
		case <-r.Context().Done():
		}
	}
}

// OrderPlaces sorts workspaces by their names.
func OrderPlaces(places []*Place) {
	slices.SortFunc(places, func(a, b *Place) int { return strings.Compare(a.Name, b.Name) })
}

package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strings"
	"time"

	"headroom/reports/live"
)

// news is one event of a page's stream: changed parts of the page, changed rows of its
// table, and new points of its curves.
type news struct {
	// Parts has the new content of elements by their ids.
	Parts map[string]string `json:"parts,omitempty"`
	// Rows has table rows by the run's id.
	Rows map[string]string `json:"rows,omitempty"`
	// Curves has the points after those of the page; nil if there are none.
	Curves *curvesDocument `json:"curves,omitempty"`
	// Redraw asks the page to read its curves again.
	Redraw bool `json:"redraw,omitempty"`
	// Title is the tab's title.
	Title string `json:"title"`
	// Fault says why the workspace cannot be read now; "" if it can.
	Fault string `json:"fault"`
}

const (
	// pingEvery is the time between two pings, by which each end notices that the other is
	// gone.
	pingEvery = 15 * time.Second
	// slowest is the time that a reader may take for one event before the stream is closed.
	slowest = 10 * time.Second
	// mostNews is the least time between two events of a page.
	mostNews = 400 * time.Millisecond
)

// stream is the stream of news to one page.
type stream struct {
	s      *Server
	page   string // its address
	url    *url.URL
	width  string
	places []*Place
	cursor cursor
	sent   map[string]uint64 // sums of the parts as the page has them
	rows   map[string]uint64
	order  uint64
}

func (s *Server) apiLive(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages listen already", maxStreams))
		return
	}
	values := r.URL.Query()
	st := &stream{s: s, page: values.Get("page"), width: values.Get("width"), sent: map[string]uint64{}, rows: map[string]uint64{}}
	u, err := url.Parse(st.page)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		refuse(w, http.StatusBadRequest, "page is missing: want the address of a page here")
		return
	}
	st.url = u
	base, ok := s.base(&http.Request{URL: u})
	if !ok {
		refuse(w, http.StatusNotFound, "no such workspace")
		return
	}
	st.places = []*Place{base.Place}
	if u.Path == "/" && base.V.get("w") == "" {
		st.places = s.o.Places
	}
	given := r.Header.Get("Last-Event-ID")
	if given == "" {
		given = values.Get("after")
	}
	st.cursor, _ = parseCursor(given) // an unreadable cursor is that of an empty page
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()
	// The stream ends if the reader is gone or too slow; nothing is buffered for it.
	_ = st.run(ctx, w)
}

func (st *stream) run(ctx context.Context, w http.ResponseWriter) error {
	rc := http.NewResponseController(w)
	send := func(text string) error {
		if err := rc.SetWriteDeadline(time.Now().Add(slowest)); err != nil {
			return err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		return rc.Flush()
	}
	if err := send("retry: 2000\n\n"); err != nil {
		return err
	}
	version := uint64(0)
	if st.cursor.epoch == st.s.epoch && st.cursor.version == st.version() {
		// The page is up to date: its present parts are remembered, not sent.
		if _, err := st.readNews(ctx); err != nil {
			return err
		}
		version = st.cursor.version
	}
	for {
		now, err := st.newer(ctx, version)
		if err != nil {
			return err
		}
		if now == version {
			if err := send(": here\n\n"); err != nil {
				return err
			}
			continue
		}
		version = now
		event, err := st.readNews(ctx)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false) // the page's script parses it as JSON, not as markup
		if err := encoder.Encode(event); err != nil {
			return err
		}
		if err := send("id: " + st.cursor.String() + "\nevent: news\ndata: " + text.String() + "\n"); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(mostNews):
		}
	}
}

// version returns a version of all workspaces of the page together.
func (st *stream) version() uint64 {
	var sum uint64
	for _, p := range st.places {
		sum += p.Watcher.Snapshot().Version
	}
	return sum
}

// newer waits for another version; after a while it returns the same one.
func (st *stream) newer(ctx context.Context, version uint64) (uint64, error) {
	if now := st.version(); now != version {
		return now, nil
	}
	waiting, cancel := context.WithTimeout(ctx, pingEvery)
	defer cancel()
	for _, p := range st.places[1:] {
		go func() {
			if _, err := p.Watcher.Newer(waiting, p.Watcher.Snapshot().Version); err == nil {
				cancel()
			}
		}()
	}
	first := st.places[0].Watcher
	if _, err := first.Newer(waiting, first.Snapshot().Version); err != nil && ctx.Err() != nil {
		return 0, errors.Join(err, ctx.Err())
	}
	return st.version(), nil
}

// readNews returns what is new since the last look.
func (st *stream) readNews(ctx context.Context) (news, error) {
	s := st.s
	base, ok := s.base(&http.Request{URL: st.url})
	if !ok {
		return news{}, ErrNotFound
	}
	base.V, base.forNews = base.V.with("text", ""), true // the visitor's text is not encoded again
	n := news{Parts: map[string]string{}, Rows: map[string]string{}, Fault: base.Snapshot.Fault}
	p, parts, err := st.model(ctx, base)
	if err != nil {
		return n, err
	}
	n.Title = p.common().Title
	for _, name := range parts {
		text, err := s.part(p, name)
		if err != nil {
			return n, err
		}
		if sum := sumOf(text); st.sent[name] != sum {
			n.Parts[name], st.sent[name] = text, sum
		}
	}
	if page, is := p.(*sweepPage); is {
		if err := st.table(page, &n); err != nil {
			return n, err
		}
	}
	st.curves(ctx, &n)
	return n, nil
}

// model returns the page's model and the names of its parts that may change.
func (st *stream) model(ctx context.Context, base shown) (anyPage, []string, error) {
	if name, is := strings.CutPrefix(st.url.Path, "/sweeps/"); is {
		p, err := st.s.sweepOf(name, base)
		if _, found := p.(*sweepPage); !found {
			return p, nil, err
		}
		return p, []string{"summary", "alerts", "map", "cost"}, err
	}
	if id, is := strings.CutPrefix(st.url.Path, "/runs/"); is {
		p, err := st.s.runOf(ctx, id, base)
		if _, found := p.(*runPage); !found {
			return p, nil, err
		}
		return p, []string{"summary", "evidence", "attempts", "scores", "log"}, err
	}
	p, err := st.s.overview(&http.Request{URL: st.url}, base)
	return p, []string{"places", "alerts", "recent"}, err
}

// table adds the rows that changed, or the whole table if its rows or their order did.
func (st *stream) table(page *sweepPage, n *news) error {
	order := fnv.New64a()
	fmt.Fprint(order, page.Table.Columns, page.Table.More)
	for _, row := range page.Table.Rows {
		order.Write([]byte(row.ID))
	}
	whole := order.Sum64() != st.order
	st.order = order.Sum64()
	for _, row := range page.Table.Rows {
		sum := fnv.New64a()
		fmt.Fprint(sum, row)
		if st.rows[row.ID] == sum.Sum64() {
			continue
		}
		st.rows[row.ID] = sum.Sum64()
		if whole {
			continue
		}
		text, err := st.s.rowText(row)
		if err != nil {
			return err
		}
		n.Rows[row.ID] = text
	}
	if !whole {
		return nil
	}
	text, err := st.s.part(page, "table")
	n.Parts["table"] = text
	return err
}

// curves adds new points.
func (st *stream) curves(ctx context.Context, n *news) {
	q, base, ok := st.s.requestOf(st.page, st.width)
	if !ok {
		return
	}
	now := st.s.cursorOf(st.versionOf(base.Snapshot), q)
	from, same := st.cursor.since(now, q)
	st.cursor = now
	switch {
	case !same:
		n.Redraw = len(q.curves) > 0
	case len(from) > 0:
		d, err := q.read(ctx, from)
		if err != nil {
			n.Redraw = true
			return
		}
		n.Curves = &d
	}
}

// versionOf returns the version that belongs to a snapshot of the page's first workspace.
func (st *stream) versionOf(snapshot *live.Snapshot) uint64 {
	if len(st.places) == 1 {
		return snapshot.Version
	}
	return st.version()
}

func sumOf(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

package serve_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/reports/serve"
)

func TestAStoreOfANewerProgramIsSaidAndLeftAlone(t *testing.T) {
	s := four(t).open()
	s.page("/sweeps/demo", "tiny-k1-s1")
	file := filepath.Join(s.Root, "headroom.db")
	other := newSite(t)
	other.Root = s.Root
	s.forget()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(text[60:], 9999) // SQLite's user_version, which is the schema
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	other.open()
	other.page("/", "a newer headroom made this database")
	if after, err := os.ReadFile(file); err != nil || string(after) != string(text) {
		t.Errorf("the newer database was touched: %v", err)
	}
}

func TestAVectorOf200000TermsIsBounded(t *testing.T) {
	s := four(t)
	s.options.Terms = func(context.Context, string, string, string, bool) ([]serve.Term, error) {
		list := make([]serve.Term, 200_000)
		for i := range list {
			list[i] = serve.Term{Text: fmt.Sprint("term", i), Weight: 1 / float64(i+1)}
		}
		return list, nil
	}
	s.open()
	text := s.page("/runs/"+id("a")+"?text=hello", "term0", "term199")
	if len(text) > 200_000 || strings.Contains(text, "term200<") {
		t.Errorf("the page has %d bytes", len(text))
	}
}

// oneConnection is a listener of a single connection that holds nothing back: what is not
// read is not written.
type oneConnection struct {
	connection chan net.Conn
	closed     chan struct{}
}

func (l *oneConnection) Accept() (net.Conn, error) {
	select {
	case c := <-l.connection:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// closing is a connection that calls a function when it is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c *closing) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (l *oneConnection) Close() error   { return nil }
func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A page that stops reading is dropped, and nothing is kept for it.
func TestAStalledReaderIsDropped(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for ten seconds")
	}
	s := four(t)
	d := s.attempt("d", 0, 100)
	s.open().watch()
	server, err := serve.New(s.options)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := net.Pipe()
	defer mine.Close()
	listener := &oneConnection{make(chan net.Conn, 1), make(chan struct{})}
	dropped := make(chan struct{})
	listener.connection <- &closing{Conn: theirs, closed: sync.OnceFunc(func() { close(dropped) })}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	fmt.Fprint(mine, "GET /api/live?page=%2Fsweeps%2Fdemo HTTP/1.1\r\nHost: localhost\r\n\r\n")
	in := bufio.NewReader(mine)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "event: news") {
			break
		}
	}
	connected, late := true, time.After(time.Minute)
	for step := 0; connected; step++ { // it has news, and reads none
		s.Add(d, event.Step{Step: step, Values: map[string]event.Value{"loss": 1}})
		select {
		case <-dropped: // after ten seconds
			connected = false
		case <-late:
			t.Fatal("a reader that stopped is still connected")
		case <-time.After(100 * time.Millisecond):
		}
	}
	rest, err := io.ReadAll(in)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if len(rest) > 300_000 {
		t.Errorf("%d bytes were kept for a reader that stopped", len(rest))
	}
	cancel()
	close(listener.closed)
	<-ended
}

// Of a run of 200,000 steps and five series a page takes what it draws, and a zoom the steps
// as they are.
func TestAMillionPointsAreAPage(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes 200,000 steps")
	}
	s := newSite(t)
	s.sweep("demo", "", member{"a", "long", 1, 1, 0})
	l := s.attempt("a", 0, 200_000)
	for step := range 200_000 {
		v := event.Value(1 + step%7)
		if step == 123_456 {
			v = 1e9
		}
		if err := l.Append(event.Step{Step: step, Values: map[string]event.Value{"loss": v, "active/query": 3, "active/document": v, "grad_norm": 1, "seconds": .1}}); err != nil {
			t.Fatal(err)
		}
	}
	s.Add(l)
	s.open()
	s.page("/runs/"+id("a"), "step 200000 of 200000")
	address := "/api/curves?width=400&page=%2Fruns%2F" + id("a") + "%3Fseries%3Dloss"
	code, _, text := s.get(address)
	if code != http.StatusOK || len(text) > 30_000 {
		t.Errorf("%d, %d bytes for one curve", code, len(text))
	}
	curve := s.curves(address).Series[0].Curves[0]
	if len(curve.Steps) > 802 || !containsValue(curve.Values, 1e9) {
		t.Errorf("%d points, the spike is among them: %v", len(curve.Steps), containsValue(curve.Values, 1e9))
	}
	zoomed := s.curves(address + "%26from%3D123450%26to%3D123460").Series[0].Curves[0]
	if zoomed.Bucket != 1 || len(zoomed.Steps) != 10 || *zoomed.Values[6] != 1e9 {
		t.Errorf("zoomed: %+v", zoomed)
	}
}

func containsValue(list []*float64, want float64) bool {
	for _, v := range list {
		if v != nil && *v == want {
			return true
		}
	}
	return false
}

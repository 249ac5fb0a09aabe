package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"headroom/reports/serve"
)

func TestOnlyReadingIsAllowed(t *testing.T) {
	s := four(t).open()
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECTX"} {
		if code, h, _ := s.ask(method, "/", nil); code != http.StatusMethodNotAllowed || h.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, code)
		}
	}
	if code, _, _ := s.ask("GET", "/", strings.NewReader("a body")); code != http.StatusBadRequest {
		t.Errorf("GET with a body: %d", code)
	}
	if code, h, text := s.ask("HEAD", "/", nil); code != http.StatusOK || text != "" || h.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %q", code, text)
	}
}

func TestAnotherNameOrSiteIsRefused(t *testing.T) {
	s := four(t).open()
	host := strings.TrimPrefix(s.server.URL, "http://")
	for _, c := range []struct {
		code   int
		header []string
	}{
		{200, nil},
		{200, []string{"Host", "localhost:99"}},
		{200, []string{"Host", "[::1]:80"}},
		{421, []string{"Host", "evil.example"}},
		{421, []string{"Host", "127.0.0.1.evil.example:80"}},
		{421, []string{"Host", "localhost.evil.example"}},
		{421, []string{"Host", "192.168.1.7"}},
		{421, []string{"Host", "evil.example#localhost"}},
		{200, []string{"Origin", "http://" + host}},
		{403, []string{"Origin", "http://evil.example"}},
		{403, []string{"Origin", "null"}},
		{403, []string{"Origin", "http://localhost:1"}},
		{200, []string{"Sec-Fetch-Site", "same-origin"}},
		{200, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}},
		{403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}},
		{403, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}},
	} {
		if code, _, _ := s.get("/", c.header...); code != c.code {
			t.Errorf("%q: %d, want %d", c.header, code, c.code)
		}
	}
}

func TestEveryAnswerIsClosedToOthers(t *testing.T) {
	s := four(t).open()
	for _, address := range []string{"/", "/sweeps/demo", "/nothing", "/api/", "/assets/page.css", "/api/curves?page=/sweeps/demo"} {
		_, h, text := s.get(address)
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("X-Frame-Options") != "DENY" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", address, h)
		}
		// What the policy forbids is not there to begin with.
		for _, inline := range []string{"<style>", " style=", "<script>", " onclick=", "javascript:"} {
			if strings.HasPrefix(h.Get("Content-Type"), "text/html") && strings.Contains(text, inline) {
				t.Errorf("%s has %q in it", address, inline)
			}
		}
	}
}

func TestNoPathLeadsOutOfWhatIsServed(t *testing.T) {
	s := four(t).open()
	s.Write("secret.txt", "SECRET")
	for _, path := range []string{"/assets/../secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/etc/passwd", "/runs/..%2f..%2fsecret.txt", "/runs/../../etc/passwd",
		"/sweeps/..%2fdemo", "/download/..%2fsecret.txt", "/runs/" + id("a") + "%00", "/api/runs/%2e%2e%2f", "//etc/passwd", "/assets/", "/api/curves?page=/sweeps/../../etc", "/api/curves?page=http://evil.example/"} {
		code, _, text := s.get(path)
		if code == http.StatusOK || strings.Contains(text, "SECRET") || strings.Contains(text, "root:") {
			t.Errorf("%s: %d\n%s", path, code, text)
		}
	}
}

func TestLongInputsAreBounded(t *testing.T) {
	s := four(t).open()
	if code, _, _ := s.get("/sweeps/demo?only=" + strings.Repeat("a", 9000)); code != http.StatusRequestURITooLong {
		t.Errorf("an address of 9,000 bytes: %d", code)
	}
	if code, _, text := s.get("/runs/" + id("a") + "?text=" + strings.Repeat("a", 3000)); code != http.StatusOK || strings.Contains(text, "panic") {
		t.Errorf("a text of 3,000 bytes: %d", code)
	}
	for _, address := range []string{"/sweeps/demo?only=" + strings.Repeat("seed=1,", 900), "/sweeps/demo?only=model.backbone=~((((((((a*)*)*)*)*)*)*)*b",
		"/sweeps/demo?series=" + strings.Repeat("x,", 2000), "/api/curves?width=99999999&page=" + "%2Fsweeps%2Fdemo%3Ffrom%3D-5%26to%3D99999999999999999999",
		"/sweeps/demo?run=" + strings.Repeat("a,", 2000), "/sweeps/demo?sort=%00%ff&x=%ff&y=%00&z=%ff&col=%ff", "/sweeps/demo?from=9&to=3", "/sweeps/demo?%ff=%zz"} {
		if code, _, text := s.get(address); code >= 500 {
			t.Errorf("%.60s: %d %s", address, code, text)
		}
	}
}

func TestBeyondThisMachineATokenIsAsked(t *testing.T) {
	s := four(t)
	s.options.Token = "0123456789abcdef"
	s.options.Hosts = []string{"node7"}
	s.open()
	for _, c := range []struct {
		code    int
		address string
		header  []string
	}{
		{401, "/", nil},
		{401, "/api/", nil},
		{401, "/assets/page.css", nil},
		{401, "/?token=0123456789abcdeF", nil},
		{401, "/?token=", nil},
		{401, "/", []string{"Authorization", "Bearer wrong"}},
		{200, "/", []string{"Authorization", "Bearer 0123456789abcdef"}},
		{200, "/", []string{"Authorization", "Bearer 0123456789abcdef", "Host", "node7:80"}},
		{200, "/", []string{"Authorization", "Bearer 0123456789abcdef", "Host", "10.0.0.7"}},
		{421, "/", []string{"Authorization", "Bearer 0123456789abcdef", "Host", "evil.example"}},
	} {
		if code, _, text := s.get(c.address, c.header...); code != c.code || code == 401 && strings.Contains(text, "demo") {
			t.Errorf("%s %q: %d, want %d", c.address, c.header, code, c.code)
		}
	}
	code, h, _ := s.get("/sweeps/demo?seeds=1&token=0123456789abcdef")
	cookie := h.Get("Set-Cookie")
	if code != http.StatusSeeOther || h.Get("Location") != "/sweeps/demo?seeds=1" || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Fatalf("with the token: %d, %v", code, h)
	}
	pair, _, _ := strings.Cut(cookie, ";")
	if code, _, _ := s.get("/sweeps/demo", "Cookie", pair); code != http.StatusOK {
		t.Errorf("with the cookie: %d", code)
	}
}

// listener serves with the limits of the whole server, until the test ends.
func (s *site) listener(t *testing.T) (address string) {
	t.Helper()
	server, err := serve.New(s.options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return listener.Addr().String()
}

func TestAThousandIdleConnectionsKeepNobodyOut(t *testing.T) {
	address := four(t).open().listener(t)
	var took time.Duration
	for range 5 { // on a busy machine one answer may be late by chance
		if took = besideIdle(t, address, 1000); took < 3*time.Second { // idle connections are closed after five
			return
		}
	}
	t.Errorf("beside 1,000 idle connections a page takes %v", took)
}

// besideIdle returns how long a page takes while so many connections are open that ask for nothing.
func besideIdle(t *testing.T, address string, connections int) time.Duration {
	t.Helper()
	for range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Skipf("this machine opens no more connections: %v", err)
		}
		defer c.Close()
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	answer, err := client.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("beside %d idle connections: %d", connections, answer.StatusCode)
	}
	return time.Since(began)
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for five seconds")
	}
	address := four(t).open().listener(t)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.Contains(line, "408") {
		t.Errorf("a header that never ends is answered with %q", line)
	}
	if e, is := err.(net.Error); is && e.Timeout() {
		t.Error("a header that never ends is waited for")
	}
}

// Package download brings files from addresses onto the disk. A file that is cut off is gone
// on with by range, checked by its digest and size, and named only when it is whole.
//
// What may pass (a server that is busy, a connection that ends, a stall, a range that is
// ignored) is tried again, with pauses; what will not (a name that is not there, a token that
// is refused, redirects in a circle) is an error at once. What came of a file before an error
// is kept, and the next call goes on from it.
package download

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Patience is how long a client goes on trying. The zero value is the usual one.
type Patience struct {
	// Attempts is how often a request is tried that fails for a reason that may
	// pass; 0 is 5. One that came further in a file begins the count anew.
	Attempts int
	// Pause is the time before the second attempt, doubled for each further one
	// up to half a minute; 0 is one second.
	Pause time.Duration
	// Stall ends an attempt in which nothing has come for so long; 0 is a minute.
	Stall time.Duration
}

func (p Patience) orUsual() Patience {
	if p.Attempts <= 0 {
		p.Attempts = 5
	}
	if p.Pause <= 0 {
		p.Pause = time.Second
	}
	if p.Stall <= 0 {
		p.Stall = time.Minute
	}
	return p
}

// Client asks servers for files. Its methods are safe for concurrent use once the fields are
// set, which callers of New do before the first request.
type Client struct {
	// Failed is told of each attempt that is followed by another; nil tells nobody.
	Failed func(message string)
	// Refused words an answer that another attempt would get again; nil words it plainly.
	Refused func(a *Answer, what string) error
	// Header is sent with every request.
	Header http.Header

	patience Patience
	home     *url.URL // the token's; nil has none
	token    string
	client   *http.Client
}

// New makes a client. The token is sent to the scheme, host and port of home alone, and may
// be "", as home may be nil.
func New(patience Patience, home *url.URL, token string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &Client{
		patience: patience.orUsual(), home: home, token: token,
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Close ends the connections that wait for another request.
func (c *Client) Close() { c.client.CloseIdleConnections() }

// Answer is a response, and what home's own redirects on the way to it said of the file
// behind it.
type Answer struct {
	*http.Response
	// Foreign tells that it comes from another host than home.
	Foreign bool
	// Tag and Size are what home said of the file behind its redirect: X-Linked-Etag and
	// X-Linked-Size, "" where it said nothing.
	Tag, Size string
}

const maxRedirects = 10

func (c *Client) foreign(where *url.URL) bool {
	return c.home == nil || where.Scheme != c.home.Scheme || where.Host != c.home.Host
}

// Ask sends one request and follows redirects. With HEAD a redirect to another host than home
// is the answer.
func (c *Client) Ask(ctx context.Context, method string, where *url.URL, header http.Header) (*Answer, error) {
	result := &Answer{}
	first := where
	for range maxRedirects {
		request, err := http.NewRequestWithContext(ctx, method, where.String(), nil)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", where.Host, err)
		}
		for _, h := range []http.Header{c.Header, header} {
			for name, values := range h {
				request.Header[name] = values
			}
		}
		request.Header.Set("Accept-Encoding", "identity") // sizes and ranges are of the file itself
		request.Header.Set("User-Agent", "headroom")
		result.Foreign = c.foreign(where)
		if c.token != "" && !result.Foreign {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := c.client.Do(request)
		if err != nil {
			return nil, connectionError(ctx, where, err)
		}
		result.Response = response
		if !result.Foreign {
			if tag := response.Header.Get("X-Linked-Etag"); tag != "" {
				result.Tag, result.Size = tag, response.Header.Get("X-Linked-Size")
			}
		}
		location := response.Header.Get("Location")
		if response.StatusCode/100 != 3 || location == "" {
			return result, nil
		}
		next, err := where.Parse(location)
		if err != nil || next.Host == "" || next.Scheme != "https" && (next.Scheme != "http" || where.Scheme == "https") {
			response.Body.Close()
			return nil, fmt.Errorf("%s redirects to an address that is not followed", where.Host)
		}
		if method == http.MethodHead && c.home != nil && c.foreign(next) {
			return result, nil
		}
		response.Body.Close()
		where = next
	}
	return nil, fmt.Errorf("%s redirects more than %d times", first.Host, maxRedirects)
}

// Package download fetches files to the disk. A download that was cut off is resumed by a
// range request. A file is checked by its digest and size, and gets its name only when it is
// whole.
//
// Failures that may pass (a busy server, a lost connection, a stall, an ignored range) are
// tried again after pauses. Others (a missing file, a refused token, redirects in a circle)
// are errors at once. The bytes that arrived before an error are kept, and the next call
// resumes after them.
package download

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Patience says how long a client keeps trying. The zero value takes all defaults.
type Patience struct {
	// Attempts is how often a request is tried if its failure may pass; 0 is 5. An
	// attempt that brings new bytes of a file starts the count again.
	Attempts int
	// Pause is the time before the second attempt; it doubles for each further attempt,
	// up to half a minute. 0 is one second.
	Pause time.Duration
	// Stall is the time without new bytes after which an attempt ends; 0 is a minute.
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

// Client fetches files from servers. Set its fields before the first request; after that its
// methods are safe for concurrent use.
type Client struct {
	// Failed is called after each failed attempt that another one follows; nil is allowed.
	Failed func(message string)
	// Refused makes the error for an answer that would not change; nil makes a plain error.
	Refused func(a *Answer, what string) error
	// Header is sent with every request.
	Header http.Header

	patience Patience
	home     *url.URL // the server that gets the token, or nil
	token    string
	client   *http.Client
}

// New makes a client. It sends the token only to the scheme, host and port of home. The token
// may be "", and home may be nil.
func New(patience Patience, home *url.URL, token string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &Client{
		patience: patience.orUsual(), home: home, token: token,
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Close ends the connections that wait for another request.
func (c *Client) Close() { c.client.CloseIdleConnections() }

// Answer is a response, with what the redirects of home have said about the file.
type Answer struct {
	*http.Response
	// Foreign is true if the response comes from another host than home.
	Foreign bool
	// Tag and Size are X-Linked-Etag and X-Linked-Size of home's redirect, "" if it has
	// none.
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

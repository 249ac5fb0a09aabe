package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Hub is the server that models are fetched from. The zero value is the public
// hub without a token.
type Hub struct {
	// Endpoint is its address; "" is the public hub's.
	Endpoint string
	// Token is sent to the endpoint, and to no other host; "" is what TokenFile
	// holds, nothing where there is no such file.
	Token     string
	TokenFile string
	// Attempts is how often a request is tried that fails for a reason that may
	// pass; 0 is 5. One that came further in a file begins the count anew.
	Attempts int
	// Pause is the time before the second attempt, doubled for each further one
	// up to half a minute; 0 is one second.
	Pause time.Duration
	// Stall ends an attempt in which nothing has come for so long; 0 is a minute.
	Stall time.Duration
}

const publicHub = "https://huggingface.co"

// shown is the endpoint as messages name it, without any password.
func (h Hub) shown() string {
	if h.Endpoint == "" {
		return publicHub
	}
	if u, err := url.Parse(h.Endpoint); err == nil {
		return u.Redacted()
	}
	return "HF_ENDPOINT"
}

// remote is one repository on the hub.
type remote struct {
	hub    Hub
	base   *url.URL
	token  string
	client *http.Client
	name   string // owner/name
	// failed is told of each attempt that is followed by another; nil for nobody.
	failed func(string)
}

func (h Hub) open(name string) (*remote, error) {
	endpoint := h.Endpoint
	if endpoint == "" {
		endpoint = publicHub
	}
	base, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("HF_ENDPOINT is not an address; allowed: https://HOST[/PATH]")
	}
	token := h.Token
	if token == "" && h.TokenFile != "" {
		text, err := os.ReadFile(h.TokenFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the hub's token: %w", err)
		}
		token = string(text)
	}
	token = strings.TrimSpace(token)
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("the hub's token (HF_TOKEN or the file that HF_TOKEN_PATH names) holds a character that no token has")
	}
	if h.Attempts <= 0 {
		h.Attempts = 5
	}
	if h.Pause <= 0 {
		h.Pause = time.Second
	}
	if h.Stall <= 0 {
		h.Stall = time.Minute
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &remote{hub: h, base: base, token: token, client: client, name: name}, nil
}

func (c *remote) close() { c.client.CloseIdleConnections() }

// revision is what the hub says of one revision.
type revisionInfo struct {
	Commit string `json:"sha"`
	Files  []struct {
		Name string `json:"rfilename"`
	} `json:"siblings"`
}

func (i revisionInfo) has(name string) bool {
	for _, f := range i.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// maxListing bounds what is read of a repository's list of files.
const maxListing = 64 << 20

// resolve asks which commit a revision is and which files it has.
func (c *remote) resolve(ctx context.Context, revision string) (revisionInfo, error) {
	var info revisionInfo
	where := c.base.JoinPath("api", "models", c.name, "revision", url.PathEscape(revision))
	err := c.try(ctx, func(ctx context.Context, _ func(bool)) error {
		answer, err := c.ask(ctx, http.MethodGet, where, nil)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return c.refusal(answer, fmt.Sprintf("revision %q", revision))
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, maxListing))
		if err != nil {
			return passing{err: err}
		}
		if err := json.Unmarshal(text, &info); err != nil {
			return fmt.Errorf("the answer to revision %q is not JSON of the hub: %w", revision, err)
		}
		return nil
	})
	if err != nil {
		return info, err
	}
	if !commit.MatchString(info.Commit) || commit.MatchString(revision) && info.Commit != revision {
		return info, fmt.Errorf("the hub answers to revision %q with the commit %.60q", revision, info.Commit)
	}
	return info, nil
}

// file is the address of a file at a commit.
func (c *remote) file(commit, name string) *url.URL {
	return c.base.JoinPath(c.name, "resolve", commit, name)
}

// answer is a response, and what the hub's own redirects on the way to it said
// of the file behind it.
type answer struct {
	*http.Response
	foreign            bool // it comes from another host
	linkedTag, linkedN string
}

const maxRedirects = 10

// ask sends one request and follows redirects. The token goes to the endpoint's
// own scheme, host and port alone. With HEAD a redirect to another host is the
// answer.
func (c *remote) ask(ctx context.Context, method string, where *url.URL, header http.Header) (*answer, error) {
	result := &answer{}
	for range maxRedirects {
		request, err := http.NewRequestWithContext(ctx, method, where.String(), nil)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", where.Host, err)
		}
		for name, values := range header {
			request.Header[name] = values
		}
		request.Header.Set("Accept-Encoding", "identity") // sizes and ranges are of the file itself
		request.Header.Set("User-Agent", "headroom")
		result.foreign = where.Scheme != c.base.Scheme || where.Host != c.base.Host
		if c.token != "" && !result.foreign {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := c.client.Do(request)
		if err != nil {
			return nil, connectionError(ctx, where, err)
		}
		result.Response = response
		if !result.foreign {
			if tag := response.Header.Get("X-Linked-Etag"); tag != "" {
				result.linkedTag, result.linkedN = tag, response.Header.Get("X-Linked-Size")
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
		if method == http.MethodHead && (next.Scheme != c.base.Scheme || next.Host != c.base.Host) {
			return result, nil
		}
		response.Body.Close()
		where = next
	}
	return nil, fmt.Errorf("%s redirects more than %d times", c.base.Host, maxRedirects)
}

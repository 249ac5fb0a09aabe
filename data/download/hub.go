package download

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Hub is the server of models and datasets. The zero value is the public hub
// without a token.
type Hub struct {
	// Endpoint is its address; "" is the public hub's.
	Endpoint string
	// Token is sent to the endpoint, and to no other host; "" takes the content of
	// TokenFile, if there is such a file.
	Token     string
	TokenFile string
	// Patience says how long to keep trying.
	Patience
}

const publicHub = "https://huggingface.co"

// Shown is the endpoint as messages name it, without any password.
func (h Hub) Shown() string {
	if h.Endpoint == "" {
		return publicHub
	}
	if u, err := url.Parse(h.Endpoint); err == nil {
		return u.Redacted()
	}
	return "HF_ENDPOINT"
}

// Kind is the kind of a repository of the hub.
type Kind string

// The kinds that are fetched.
const (
	Model   Kind = "model"
	Dataset Kind = "dataset"
)

// path is the path of a repository of the kind below the endpoint.
func (k Kind) path(name string) []string {
	if k == Dataset {
		return []string{"datasets", name}
	}
	return []string{name}
}

// Repository is one repository on the hub.
type Repository struct {
	*Client
	// Name is owner/name.
	Name string

	kind     Kind
	hub      Hub
	base     *url.URL
	hasToken bool
}

// Open makes a client for one repository. It sends no request.
func (h Hub) Open(kind Kind, name string) (*Repository, error) {
	endpoint := h.Endpoint
	endpoint = cmp.Or(endpoint, publicHub)
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
	r := &Repository{Client: New(h.Patience, base, token), Name: name, kind: kind, hub: h, base: base, hasToken: token != ""}
	r.Refused = r.refusal
	return r, nil
}

// Revision is the hub's description of one revision.
type Revision struct {
	Commit string `json:"sha"`
	Files  []struct {
		Name string `json:"rfilename"`
	} `json:"siblings"`
}

// Has reports whether the revision has a file.
func (i Revision) Has(name string) bool {
	for _, f := range i.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// maxListing bounds the part that is read of a repository's list of files.
const maxListing = 64 << 20

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// IsCommit reports whether a revision is a full commit hash.
func IsCommit(revision string) bool { return commit.MatchString(revision) }

// Resolve asks the hub for the commit and the files of a revision.
func (c *Repository) Resolve(ctx context.Context, revision string) (Revision, error) {
	var info Revision
	where := c.base.JoinPath("api", string(c.kind)+"s", c.Name, "revision", url.PathEscape(revision))
	err := c.Try(ctx, func(ctx context.Context, _ func(bool)) error {
		answer, err := c.Ask(ctx, http.MethodGet, where, nil)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return c.Refusal(answer, fmt.Sprintf("revision %q", revision))
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, maxListing))
		if err != nil {
			return Passing{Err: err}
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

// Address is the address of a file at a commit.
func (c *Repository) Address(commit, name string) *url.URL {
	return c.base.JoinPath(append(c.kind.path(c.Name), "resolve", commit, name)...)
}

// Describe asks the hub for the digest and size of a file. The digest is SHA-256 for a file
// in large file storage, else git's SHA-1 of a blob.
func (c *Repository) Describe(ctx context.Context, where *url.URL, name string) (File, error) {
	f := File{Name: name}
	err := c.Try(ctx, func(ctx context.Context, _ func(bool)) error {
		a, err := c.Ask(ctx, http.MethodHead, where, nil)
		if err != nil {
			return err
		}
		a.Body.Close()
		tag, size := a.Tag, a.Size
		switch {
		case a.StatusCode == http.StatusOK && tag == "":
			tag, size = a.Header.Get("Etag"), a.Header.Get("Content-Length")
		case a.StatusCode == http.StatusOK, a.StatusCode/100 == 3 && tag != "":
		default:
			return c.Refusal(a, name)
		}
		if size == "" && a.StatusCode == http.StatusOK {
			size = a.Header.Get("Content-Length")
		}
		f.Digest = strings.ToLower(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
		if f.Size, err = strconv.ParseInt(size, 10, 64); err != nil || f.Size < 0 || !IsDigest(f.Digest) || len(f.Digest) == 32 {
			return fmt.Errorf("%s names no digest and size of %s (ETag %.80q, size %.20q): nothing could be checked", where.Host, name, tag, size)
		}
		return nil
	})
	return f, err
}

// refusal returns the error for an answer of the hub that is not the file.
func (c *Repository) refusal(a *Answer, what string) error {
	status := Status(a)
	code := a.Header.Get("X-Error-Code")
	page := c.base.JoinPath(c.kind.path(c.Name)...).Redacted()
	switch {
	case a.Foreign:
		// A signed address that has expired: the next attempt gets another.
		return Passing{Err: fmt.Errorf("%s, where the hub keeps %s, answers %s", a.Request.URL.Host, what, status)}
	case code == "GatedRepo" && !c.hasToken:
		return fmt.Errorf("the %s is gated (%s): accept its terms on %s, then set HF_TOKEN to a token of yours with read access", c.kind, status, page)
	case code == "GatedRepo":
		return fmt.Errorf("the %s is gated and the token that is set has no access (%s): accept its terms on %s, or set HF_TOKEN to a token that may read it", c.kind, status, page)
	case a.StatusCode == http.StatusUnauthorized && !c.hasToken:
		return fmt.Errorf("the hub answers %s: there is no such %s, or it is private or gated; check the name, or set HF_TOKEN to a token that may read it (%s)", status, c.kind, page)
	case a.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the hub answers %s: it does not accept the token of HF_TOKEN or %s", status, orNone(c.hub.TokenFile))
	case a.StatusCode == http.StatusForbidden && !c.hasToken:
		return fmt.Errorf("the hub answers %s: accept the %s's terms on %s and set HF_TOKEN to a token that may read it", status, c.kind, page)
	case a.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the hub answers %s: the token that is set may not read %s; set HF_TOKEN to one that may (%s)", status, c.Name, page)
	case code == "RevisionNotFound":
		return fmt.Errorf("the %s has no %s (%s)", c.kind, what, page)
	case a.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the hub answers %s to %s: there is no such %s, or not for the token that is set (%s)", status, what, c.kind, page)
	}
	return fmt.Errorf("%s answers %s to %s", a.Request.URL.Host, status, what)
}

func orNone(path string) string {
	return cmp.Or(path, "a token file")
}

package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// passing is an error that the next attempt may not meet.
type passing struct {
	err   error
	after time.Duration // what the server asks to wait; 0 is nothing
}

func (p passing) Error() string { return p.err.Error() }
func (p passing) Unwrap() error { return p.err }

const (
	longestPause = 30 * time.Second
	longestAfter = 2 * time.Minute
)

var errStalled = errors.New("nothing came for too long")

// try makes attempts until one succeeds or fails for good. An attempt calls
// alive whenever bytes have come: it is ended where none come for Stall. One that
// came further than all before begins the count anew.
func (c *remote) try(ctx context.Context, attempt func(ctx context.Context, alive func(further bool)) error) error {
	pause := c.hub.Pause
	for left := c.hub.Attempts; ; {
		gained := false
		limited, cancel := context.WithCancelCause(ctx)
		watch := time.AfterFunc(c.hub.Stall, func() { cancel(errStalled) })
		err := attempt(limited, func(further bool) {
			gained = gained || further
			watch.Reset(c.hub.Stall)
		})
		watch.Stop()
		stalled := context.Cause(limited) == errStalled
		cancel(nil)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var p passing
		if stalled {
			p.err = fmt.Errorf("%w (%v)", errStalled, c.hub.Stall)
		} else if !errors.As(err, &p) {
			return err
		}
		if gained {
			left, pause = c.hub.Attempts, c.hub.Pause
		}
		if left--; left <= 0 {
			return fmt.Errorf("given up after %d attempts: %w", c.hub.Attempts, p.err)
		}
		wait := max(min(pause, longestPause), p.after)
		pause *= 2
		if c.failed != nil {
			c.failed(fmt.Sprintf("attempt %d of %d failed: %v; the next is in %s", c.hub.Attempts-left, c.hub.Attempts, p.err, wait.Round(100*time.Millisecond)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// connectionError tells what may pass from what will not, and keeps the address
// out of the message: that of a redirect may be signed.
func connectionError(ctx context.Context, where *url.URL, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	err = fmt.Errorf("ask %s: %w", where.Host, err)
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	if ctx.Err() != nil && context.Cause(ctx) != errStalled || errors.As(err, &name) && name.IsNotFound || errors.As(err, &certificate) {
		return err
	}
	return passing{err: err}
}

// refusal words the hub's answer when it is not what was asked for.
func (c *remote) refusal(a *answer, what string) error {
	status := strconv.Itoa(a.StatusCode) + " " + http.StatusText(a.StatusCode)
	code := a.Header.Get("X-Error-Code")
	page := c.base.JoinPath(c.name).Redacted()
	switch {
	case a.StatusCode >= 500, a.StatusCode == http.StatusTooManyRequests, a.StatusCode == http.StatusRequestTimeout:
		after := time.Duration(0)
		if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds > 0 {
			after = min(time.Duration(min(seconds, 3600))*time.Second, longestAfter)
		}
		return passing{err: fmt.Errorf("%s answers %s to %s", a.Request.URL.Host, status, what), after: after}
	case a.foreign:
		// A signed address that has run out: the next attempt gets another.
		return passing{err: fmt.Errorf("%s, where the hub keeps %s, answers %s", a.Request.URL.Host, what, status)}
	case code == "GatedRepo" && c.token == "":
		return fmt.Errorf("the model is gated (%s): accept its terms on %s, then set HF_TOKEN to a token of yours with read access", status, page)
	case code == "GatedRepo":
		return fmt.Errorf("the model is gated and the token that is set has no access (%s): accept its terms on %s, or set HF_TOKEN to a token that may read it", status, page)
	case a.StatusCode == http.StatusUnauthorized && c.token == "":
		return fmt.Errorf("the hub answers %s: there is no such model, or it is private or gated; check the name, or set HF_TOKEN to a token that may read it (%s)", status, page)
	case a.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the hub answers %s: it does not accept the token of HF_TOKEN or %s", status, orNone(c.hub.TokenFile))
	case a.StatusCode == http.StatusForbidden && c.token == "":
		return fmt.Errorf("the hub answers %s: accept the model's terms on %s and set HF_TOKEN to a token that may read it", status, page)
	case a.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the hub answers %s: the token that is set may not read %s; set HF_TOKEN to one that may (%s)", status, c.name, page)
	case code == "RevisionNotFound":
		return fmt.Errorf("the model has no %s (%s)", what, page)
	case a.StatusCode == http.StatusNotFound:
		return fmt.Errorf("the hub answers %s to %s: there is no such model, or not for the token that is set (%s)", status, what, page)
	default:
		return fmt.Errorf("%s answers %s to %s", a.Request.URL.Host, status, what)
	}
}

func orNone(path string) string {
	if path == "" {
		return "a token file"
	}
	return path
}

package download

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

// Passing is an error that may not occur in the next attempt.
type Passing struct {
	Err error
	// After is the time that the server asks to wait; 0 is none.
	After time.Duration
}

func (p Passing) Error() string { return p.Err.Error() }
func (p Passing) Unwrap() error { return p.Err }

const (
	longestPause = 30 * time.Second
	longestAfter = 2 * time.Minute
)

var errStalled = errors.New("nothing came for too long")

// Try makes attempts until one succeeds or fails for good. An attempt calls
// alive whenever bytes have arrived; if none arrive for Stall, it is ended. An attempt
// that came further than all before starts the count again.
func (c *Client) Try(ctx context.Context, attempt func(ctx context.Context, alive func(further bool)) error) error {
	pause := c.patience.Pause
	for left := c.patience.Attempts; ; {
		gained := false
		limited, cancel := context.WithCancelCause(ctx)
		watch := time.AfterFunc(c.patience.Stall, func() { cancel(errStalled) })
		err := attempt(limited, func(further bool) {
			gained = gained || further
			watch.Reset(c.patience.Stall)
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
		var p Passing
		if stalled {
			p.Err = fmt.Errorf("%w (%v)", errStalled, c.patience.Stall)
		} else if !errors.As(err, &p) {
			return err
		}
		if gained {
			left, pause = c.patience.Attempts, c.patience.Pause
		}
		if left--; left <= 0 {
			return fmt.Errorf("given up after %d attempts: %w", c.patience.Attempts, p.Err)
		}
		wait := max(min(pause, longestPause), p.After)
		pause *= 2
		if c.Failed != nil {
			c.Failed(fmt.Sprintf("attempt %d of %d failed: %v; the next is in %s", c.patience.Attempts-left, c.patience.Attempts, p.Err, wait.Round(100*time.Millisecond)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// connectionError makes errors that may pass Passing, and keeps the address out of
// the message, because the address of a redirect may be signed.
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
	return Passing{Err: err}
}

// Refusal returns the error for an answer that is not the requested file.
func (c *Client) Refusal(a *Answer, what string) error {
	status := Status(a)
	switch {
	case a.StatusCode >= 500, a.StatusCode == http.StatusTooManyRequests, a.StatusCode == http.StatusRequestTimeout:
		after := time.Duration(0)
		if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds > 0 {
			after = min(time.Duration(min(seconds, 3600))*time.Second, longestAfter)
		}
		return Passing{Err: fmt.Errorf("%s answers %s to %s", a.Request.URL.Host, status, what), After: after}
	case c.Refused != nil:
		return c.Refused(a, what)
	}
	return fmt.Errorf("%s answers %s to %s", a.Request.URL.Host, status, what)
}

// Status is the status of an answer, such as "404 Not Found".
func Status(a *Answer) string {
	return strconv.Itoa(a.StatusCode) + " " + http.StatusText(a.StatusCode)
}

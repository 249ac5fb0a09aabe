package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"headroom/internal/plain"
)

// webhook posts a message to an address.
type webhook struct {
	at          *url.URL
	header      http.Header
	contentType string
	form        // turns a message into what is sent
	client      *http.Client
}

// newClient returns a client that follows no redirect: a redirected POST becomes a GET, and
// its headers, which may have secrets, would go to another host.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() // it is one in the standard library
	transport.DisableKeepAlives = true                           // messages are rare
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h webhook) name() string { return "webhook " + h.at.Scheme + "://" + h.at.Host }

func (h webhook) deliver(ctx context.Context, m Message) error {
	body, err := h.body(m)
	if err != nil {
		return final{err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.at.String(), bytes.NewReader(body))
	if err != nil {
		return final{errors.New("no request can be made of its address")}
	}
	r.Header.Set("Content-Type", h.contentType)
	r.Header.Set("User-Agent", "headroom")
	for name, values := range h.header {
		r.Header[name] = values
	}
	answer, err := h.client.Do(r)
	if err != nil {
		var full *url.Error
		if errors.As(err, &full) { // its text has the whole address
			err = full.Err
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return errors.New("it did not answer in time")
		}
		return err
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // the text is for people only
	code := answer.StatusCode
	err = fmt.Errorf("it answered %s", statusText(code))
	if len(said) > 0 {
		err = fmt.Errorf("it answered %s: %s", statusText(code), plain.Line(string(said)))
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		to := "elsewhere"
		if u, err := answer.Location(); err == nil {
			to = "to " + u.Scheme + "://" + u.Host
		}
		return final{fmt.Errorf("it answered %s and leads %s; redirects are not followed: alerts.webhook must be the address itself", statusText(code), to)}
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // a date counts as no answer
		return later{err, time.Duration(max(0, seconds)) * time.Second}
	case code == http.StatusRequestTimeout, code >= 500:
		return err
	}
	return final{err}
}

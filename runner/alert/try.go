package alert

import (
	"context"

	"headroom/sweeps"
)

// Attempt is what one receiver said to a trial.
type Attempt struct {
	// To is the receiver, without what could be a secret.
	To string `json:"to"`
	// Fault says why it did not take it; "" if it did.
	Fault string `json:"fault"`
	// Body is what was sent.
	Body string `json:"body"`
}

// TryAll sends a message once to every receiver, now; a dry one only makes what would be
// sent. An error is of the settings.
func TryAll(ctx context.Context, a sweeps.Alerts, getenv func(string) string, m Message, dry bool) ([]Attempt, error) {
	list, err := targets(a, getenv)
	if err != nil {
		return nil, err
	}
	var out []Attempt
	for _, t := range list {
		one := Attempt{To: t.name()}
		body, err := t.body(m.clean())
		one.Body = string(body)
		if err == nil && !dry {
			trying, cancel := context.WithTimeout(ctx, usualTimeout)
			err = t.deliver(trying, m.clean())
			cancel()
		}
		if err != nil {
			one.Fault = brief(err)
		}
		out = append(out, one)
	}
	return out, nil
}

package alert

import (
	"context"

	"headroom/sweeps"
)

// Attempt is the result of sending a test message to one receiver.
type Attempt struct {
	// To is the receiver, without parts that could be secret.
	To string `json:"to"`
	// Fault is the reason why it did not accept the message; "" if it did.
	Fault string `json:"fault"`
	// Body is the text that was sent.
	Body string `json:"body"`
}

// TryAll sends a message once to every receiver, now. With dry it only makes the texts that
// it would send. It returns an error if the settings are wrong.
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

package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// Setting is one effective key of a run's configuration and its value as text.
type Setting struct{ Key, Value string }

// Lookup finds a key in settings sorted by key.
func Lookup(settings []Setting, key string) string {
	i, ok := slices.BinarySearchFunc(settings, key, func(s Setting, key string) int { return strings.Compare(s.Key, key) })
	if !ok {
		return ""
	}
	return settings[i].Value
}

// ParseSettings flattens a nested JSON object into dotted keys, sorted. Numbers keep
// their digits; an array becomes one value.
func ParseSettings(text []byte) ([]Setting, error) {
	var settings []Setting
	if err := flatten("", text, &settings); err != nil {
		return nil, err
	}
	sort.Slice(settings, func(a, b int) bool { return settings[a].Key < settings[b].Key })
	for i := 1; i < len(settings); i++ {
		if settings[i].Key == settings[i-1].Key {
			return nil, fmt.Errorf("read configuration: key %q stands twice", settings[i].Key)
		}
	}
	return settings, nil
}

func flatten(prefix string, text []byte, out *[]Setting) error {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' {
		if prefix == "" {
			return errors.New("read configuration: not a JSON object")
		}
		value, err := plainText(text)
		if err != nil {
			return fmt.Errorf("read configuration key %q: %w", prefix, err)
		}
		*out = append(*out, Setting{Key: prefix, Value: value})
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("read configuration: %w", err)
		}
		key, _ := name.(string)
		if prefix != "" {
			key = prefix + "." + key
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("read configuration key %q: %w", key, err)
		}
		if err := flatten(key, value, out); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if _, err := d.Token(); prefix == "" && !errors.Is(err, io.EOF) {
		return errors.New("read configuration: text after the JSON object")
	}
	return nil
}

// plainText is a JSON value without the quotes of a string.
func plainText(text []byte) (string, error) {
	if text[0] == '"' {
		var s string
		err := json.Unmarshal(text, &s)
		return s, err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return "", err
	}
	return b.String(), nil
}

// isShown reports whether a report's rows show a key themselves.
func isShown(key string) bool {
	return key == "seed" || key == "model.backbone" || key == "model.rescale"
}

// selectsBest reports whether a run's weights are those of the best step on dev data.
func selectsBest(r *Run) bool { return r.Setting("checkpoint.select") == "best" }

// isIncidental reports whether a key does not change a run's result, so that a difference
// in it splits no group. sweeps marks the same keys `id:"no"`.
func isIncidental(key string) bool {
	return strings.HasPrefix(key, "compute.") || strings.HasPrefix(key, "evaluate.") ||
		key == "checkpoint.every" || key == "checkpoint.keep" || key == "train.micro_batch"
}

// matters reports whether a difference in a key makes runs different. A key that does not change
// the training matters if it decides which weights are chosen.
func matters(key string, runs []*Run) bool {
	return !isIncidental(key) ||
		slices.Contains([]string{"evaluate.during", "evaluate.every", "evaluate.measures"}, key) && slices.ContainsFunc(runs, selectsBest)
}

// varying returns, sorted, the keys on which the runs do not all agree. A run
// without the key differs from one with it.
func varying(runs []*Run) []string {
	if len(runs) < 2 {
		return nil
	}
	keys := map[string]bool{}
	for _, r := range runs {
		for _, s := range r.Config {
			keys[s.Key] = true
		}
	}
	var out []string
	for key := range keys {
		for _, r := range runs[1:] {
			if r.Setting(key) != runs[0].Setting(key) {
				out = append(out, key)
				break
			}
		}
	}
	sort.Strings(out)
	return out
}

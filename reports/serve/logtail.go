package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"headroom/internal/plain"
	"headroom/metrics/event"
)

const (
	tailBytes = 32 << 10
	tailLines = 25
)

// tailOf returns the last events of a run's last attempt in words, one per line.
func tailOf(folder string) []string {
	attempts, err := event.Attempts(folder)
	if err != nil || len(attempts) == 0 {
		return nil
	}
	file, err := os.Open(event.Path(folder, attempts[len(attempts)-1]))
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-tailBytes)
	text := make([]byte, info.Size()-from)
	n, err := file.ReadAt(text, from)
	if err != nil && err != io.EOF {
		return nil
	}
	lines := bytes.Split(bytes.TrimRight(text[:n], "\n"), []byte("\n"))
	if from > 0 {
		lines = lines[1:] // the first line is cut off
	}
	var out []string
	for _, line := range lines[max(0, len(lines)-tailLines):] {
		out = append(out, inWords(line))
	}
	return out
}

// inWords returns a line of a log for people: its time, its kind, and its content.
func inWords(line []byte) string {
	var e struct {
		T       string                 `json:"t"`
		Type    string                 `json:"type"`
		Step    *int                   `json:"step"`
		Values  map[string]event.Value `json:"values"`
		Message string                 `json:"message"`
		Verdict string                 `json:"verdict"`
		State   string                 `json:"state"`
		Error   string                 `json:"error"`
		Dataset string                 `json:"dataset"`
		Host    string                 `json:"host"`
	}
	if json.Unmarshal(line, &e) != nil {
		return plain.Line(string(line[:min(len(line), 200)]))
	}
	moment := strings.TrimSuffix(strings.Replace(e.T, "T", " ", 1), "Z")
	words := []string{moment, e.Type}
	if e.Step != nil {
		words = append(words, fmt.Sprint(*e.Step))
	}
	for _, name := range []string{"loss", "grad_norm", "active/query", "active/document", "lr"} {
		if v, ok := e.Values[name]; ok {
			words = append(words, name+" "+value(float64(v)))
		}
	}
	words = append(words, slices.DeleteFunc([]string{e.Verdict, e.State, e.Dataset, e.Host, e.Message, e.Error}, func(s string) bool { return s == "" })...)
	return plain.Line(strings.Join(words, "  "))
}

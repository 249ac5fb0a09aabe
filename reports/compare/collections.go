package compare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/sweeps"
)

// nameCollections writes the labels of collections into the settings that list them, so that
// the same contents have one name in a report, wherever they are stored.
func nameCollections(settings []Setting, asked []store.Collection) error {
	for i, s := range settings {
		split := map[string]string{"evaluate.final": record.FinalSplit, "evaluate.during": record.DuringSplit}[s.Key]
		if split == "" {
			continue
		}
		names := listed(s.Value)
		for j, name := range names {
			for _, c := range asked {
				if c.Reference == name && c.Split == split {
					names[j] = c.Label
				}
			}
		}
		if len(names) == 0 {
			continue
		}
		text, err := json.Marshal(names)
		if err != nil {
			return fmt.Errorf("name the collections of %s: %w", s.Key, err)
		}
		settings[i].Value = string(text)
	}
	return nil
}

// unmeasured lists collections on which finished runs have no figures, for example because
// the files were edited and not all runs were measured again.
func (c *Comparison) unmeasured(finished []*Run, add func(format string, args ...any)) {
	var asked []string
	lacking := map[string]int{}
	for _, r := range finished {
		for _, name := range listed(r.Setting("evaluate.final")) {
			if !slices.Contains(asked, name) {
				asked = append(asked, name)
			}
			if r.Evaluation(name, "") == nil {
				lacking[name]++
			}
		}
	}
	for _, name := range asked {
		if n := lacking[name]; n > 0 {
			add("On %s as it is now %d of %d finished runs were not measured: `headroom run` measures them.", name, n, len(finished))
		}
	}
}

// encodingOf reads a run's encoding from its configuration, which is nested JSON.
func encodingOf(config []byte) (sweeps.Encoding, error) {
	var c struct {
		Model struct {
			Pooling        string  `json:"pooling"`
			Activation     string  `json:"activation"`
			TopK           int     `json:"top_k"`
			TokenTopM      int     `json:"token_top_m"`
			QueryPrompt    *string `json:"query_prompt"`
			DocumentPrompt *string `json:"document_prompt"`
		} `json:"model"`
		Data struct {
			MaxQuery    int `json:"max_query"`
			MaxDocument int `json:"max_document"`
		} `json:"data"`
		Train struct {
			Precision string `json:"precision"`
		} `json:"train"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return sweeps.Encoding{}, fmt.Errorf("read how the run encodes: %w", err)
	}
	e := sweeps.Encoding{Pooling: c.Model.Pooling, Activation: c.Model.Activation, TopK: c.Model.TopK, TokenTopM: c.Model.TokenTopM,
		MaxQuery: c.Data.MaxQuery, MaxDocument: c.Data.MaxDocument, Precision: c.Train.Precision}
	if c.Model.QueryPrompt != nil {
		e.QueryPrompt = *c.Model.QueryPrompt
	}
	if c.Model.DocumentPrompt != nil {
		e.DocumentPrompt = *c.Model.DocumentPrompt
	}
	return e, nil
}

// Encoding is the encoding of the line's runs; nil if it is not known.
func (l *Line) Encoding() *sweeps.Encoding {
	for _, p := range l.Points {
		for _, runs := range [][]*Run{p.Runs, p.Open} {
			for _, r := range runs {
				if r.Encoding != (sweeps.Encoding{}) {
					return &r.Encoding
				}
			}
		}
	}
	return nil
}

// Baseline finds a baseline's evaluation. backbone is "" for BM25. A baseline with an encoding
// belongs to runs with the same encoding; with encoding nil any baseline matches.
func (c *Comparison) Baseline(name, backbone, dataset string, encoding *sweeps.Encoding) *Evaluation {
	for i := range c.Baselines {
		b := &c.Baselines[i]
		same := encoding == nil || b.Encoding == nil || *b.Encoding == *encoding
		if b.Name == name && b.Backbone == backbone && b.Evaluation.Dataset == dataset && b.Evaluation.Split != "dev" && same {
			return &b.Evaluation
		}
	}
	return nil
}

// Form describes how a baseline's encoding differs from those of other baselines with its name
// and backbone: "top_k 10, 16 and 32 tokens"; "" if it is the only one.
func (c *Comparison) Form(b Baseline) string {
	if b.Encoding == nil {
		return ""
	}
	alone, lengths := true, false
	for _, other := range c.Baselines {
		if other.Name == b.Name && other.Backbone == b.Backbone && other.Encoding != nil && *other.Encoding != *b.Encoding {
			alone = false
			lengths = lengths || other.Encoding.MaxQuery != b.Encoding.MaxQuery || other.Encoding.MaxDocument != b.Encoding.MaxDocument
		}
	}
	text := b.Encoding.Form()
	if alone {
		return text
	}
	text = cmp.Or(text, "the default form")
	if lengths {
		text += fmt.Sprintf(", %d and %d tokens", b.Encoding.MaxQuery, b.Encoding.MaxDocument)
	}
	return text
}

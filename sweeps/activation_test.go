package sweeps_test

import (
	"strings"
	"testing"
)

// sentence-transformers' words for activations are one logarithm off: they are refused or explained.
func TestWordsOfSentenceTransformersForActivations(t *testing.T) {
	err := faultsOf(t, base, "model.activation='relu'")
	for _, word := range []string{"model.activation", `"relu" is sentence-transformers' word`, `"log1p_relu" here`, `"log1p_log1p_relu" here`} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("message lacks %q: %v", word, err)
		}
	}
	for name, c := range map[string]struct {
		args []string
		said bool
	}{
		"not written":             {nil, false},
		"the word that is a trap": {[]string{"model.activation='log1p_relu'"}, true},
		"our word for it":         {[]string{"model.activation='log1p_log1p_relu'"}, false},
		"both, by one who knows":  {[]string{"model.activation=['log1p_relu','log1p_log1p_relu']"}, false},
		"the trap on an axis":     {[]string{"model.activation=['log1p_relu']"}, true},
	} {
		notices := parse(t, base, c.args...).Notices()
		if said := len(notices) == 1 && strings.Contains(notices[0], `"log1p_log1p_relu" here`); said != c.said || len(notices) > 1 {
			t.Errorf("%s: %q", name, notices)
		}
	}
}

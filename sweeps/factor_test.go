package sweeps_test

import (
	"strings"
	"testing"

	"headroom/sweeps"
)

// A factor that float32 does not hold would divide the head by 0 or by infinity.
func TestAFactorThatWeightsCannotBeDividedByIsRefused(t *testing.T) {
	text := func(k string) []byte {
		return []byte("name = \"x\"\n[model]\nbackbone = \"org/name\"\nrescale = " + k + "\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 1\n")
	}
	for _, k := range []string{"1e-300", "1e300"} {
		if _, err := sweeps.Parse("x.toml", text(k)); err == nil || !strings.Contains(err.Error(), "model.rescale") || !strings.Contains(err.Error(), "float32") {
			t.Errorf("k = %s: %v", k, err)
		}
	}
	for _, k := range []string{"1e-30", "1e30"} {
		if _, err := sweeps.Parse("x.toml", text(k)); err != nil {
			t.Errorf("k = %s: %v", k, err)
		}
	}
}

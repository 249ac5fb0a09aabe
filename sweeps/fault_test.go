package sweeps_test

import (
	"fmt"
	"strings"
	"testing"

	"headroom/sweeps"
)

func TestManyFaultsOfOneKindAreOneLine(t *testing.T) {
	values := make([]string, 60)
	for i := range values {
		values[i] = fmt.Sprint(-1 - i)
	}
	text := "name = \"x\"\n[grid]\nmodel.rescale = [" + strings.Join(values, ", ") + "]\n[model]\nbackbone = \"recipe:a\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 1\nbatch = 0\n"
	_, err := sweeps.Parse("x.toml", []byte(text))
	if err == nil {
		t.Fatal("no fault")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "model.rescale = -1") || !strings.HasSuffix(lines[0], "(and 59 more of this kind)") || !strings.Contains(lines[1], "train.batch = 0") {
		t.Errorf("%d lines:\n%s", len(lines), err)
	}
}

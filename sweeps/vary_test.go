package sweeps_test

import (
	"slices"
	"testing"

	"headroom/sweeps"
)

func TestVariationsAreWhatLabelsDoNotTell(t *testing.T) {
	for name, c := range map[string]struct {
		tables string
		want   []string
	}{
		"labels tell all": {"[grid]\nmodel.rescale = [1, 4]\nseed = [1, 2]\n", []string{"", "", "", ""}},
		"one axis":        {"[grid]\n\"model.pooling\" = [\"max\", \"sum\"]\n", []string{"model.pooling=max", "model.pooling=sum"}},
		"two, and one that is not always set": {"[[include]]\ntrain.lr = 1\n[[include]]\nmodel.dropout = 0.5\n",
			[]string{"train.lr=1.0", "model.dropout=0.5 train.lr=2e-05"}},
		"where it is computed is no difference": {"[compute]\nthreads = 2\n", []string{""}},
	} {
		if got := sweeps.Variations(expand(t, parse(t, base+c.tables))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	twins := expand(t, parse(t, base))
	twins = append(twins, twins[0])
	twins[1].Model.Backbone = "./other/demo-bert"
	if got := sweeps.Variations(twins); got[0]+got[1] != "" {
		t.Errorf("two backbones of one name, which labels tell apart: %q", got)
	}
}

package sweeps_test

import (
	"slices"
	"strings"
	"testing"

	"headroom/sweeps"
)

func TestALossSaysItsSeriesAndItsCandidates(t *testing.T) {
	for _, c := range []struct {
		args       []string
		series     string
		candidates int // of 8 queries with 3 documents each
	}{
		{nil, "loss/contrastive", 24},
		{[]string{"loss.candidates=in_batch_and_own"}, "loss/contrastive", 10},
		{[]string{"loss.hardness=hard_negatives", "loss.hardness_strength=5"}, "loss/contrastive_hardness", 24},
		{[]string{"loss.kind=margin_mse"}, "loss/margin_mse", 3},
		{[]string{"loss.kind=kl", "loss.candidates=in_batch_and_own", "loss.hardness=hard_negatives", "loss.hardness_strength=5"}, "loss/kl", 3},
	} {
		loss := only(t, base, append(c.args, "data.negatives=2")...).Loss
		if got := loss.Series(); got != c.series {
			t.Errorf("%q: series %q, want %q", c.args, got, c.series)
		}
		if got := loss.CandidatesOf(8, 3); got != c.candidates {
			t.Errorf("%q: %d candidates, want %d", c.args, got, c.candidates)
		}
	}
	if _, err := sweeps.LossOf("triplet"); err == nil || !strings.Contains(err.Error(), "infonce, margin_mse, kl") {
		t.Errorf("an unknown loss: %v", err)
	}
	if _, err := sweeps.RegularizerOf("l2"); err == nil || !strings.Contains(err.Error(), "flops, l1, df_flops, none") {
		t.Errorf("an unknown regularizer: %v", err)
	}
}

// A setting that does nothing is a fault if that is never meant, and said where another
// arm of a sweep may read it.
func TestASettingThatNothingReads(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"loss.hardness=all_negatives"}, "loss.hardness_strength = 0: loss.hardness = \"all_negatives\" adds nothing"},
		{[]string{"loss.hardness=hard_negatives", "loss.hardness_strength=1"}, "loss.hardness = \"hard_negatives\": there are none with data.negatives = 0"},
		{[]string{"loss.hardness=hard"}, `allowed: "none", "in_batch_negatives", "hard_negatives", "all_negatives"`},
		{[]string{"regularizer.df_alpha=1"}, "regularizer.df_alpha = 1"},
		{[]string{"regularizer.anti_zero=-1"}, "regularizer.anti_zero = -1"},
		{[]string{"model.shift=nan"}, "model.shift = nan: not a finite number"},
	} {
		if err := faultsOf(t, base, c.args...); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.args, err, c.want)
		}
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"loss.temperature=2"}, []string{`loss.temperature = 2.0 is not read with loss.kind = "infonce"`}},
		{[]string{"loss.hardness_strength=2"}, []string{`loss.hardness_strength = 2.0 is not read with loss.hardness = "none"`}},
		{[]string{"loss.candidates=in_batch_and_own"}, []string{"loss.candidates = \"in_batch_and_own\" is not read with data.negatives = 0"}},
		{[]string{"regularizer.threshold_query=3", "regularizer.kind=l1"}, []string{`regularizer.threshold_query = 3 is not read with regularizer.kind = "l1"`}},
		{[]string{"regularizer.threshold_query=3"}, nil},
	} {
		if got := only(t, base, c.args...).Notices(); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.args, got, c.want)
		}
	}
}

package sweeps_test

import (
	"slices"
	"testing"

	"headroom/sweeps"
)

func TestLabelsThatWouldBeOneHaveMoreDigits(t *testing.T) {
	c := sweeps.Defaults()
	c.Model.Backbone = "recipe:tiny"
	other := c
	other.Seed = 7
	got := sweeps.Labels([]sweeps.Labelled{
		{Config: c, ID: "abcd1111"}, {Config: c, ID: "abcd1122"}, {Config: c, ID: "abce0000"}, {Config: other, ID: "abcd1133"}, {Config: other, Backbone: "x1/Tiny", ID: "abcd1144"}, {Config: c},
	})
	want := []string{"tiny-k1-s1-abcd111", "tiny-k1-s1-abcd112", "tiny-k1-s1-abce", "tiny-k1-s7-abcd", "x1-tiny-k1-s7-abcd", "tiny-k1-s1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package sweeps_test

import (
	"strings"
	"testing"

	"headroom/sweeps"
)

// A form that an older program knew has the id that it gave.
func TestEncodersStayWhatTheyWere(t *testing.T) {
	if got := sweeps.EncoderID("run", sweeps.EncodingOf(only(t, base))); got != "b463fc83bfe49eceace5e8c0a7f98d03f20d0f8cb664d47189f3b31b1f5f0d2b" {
		t.Errorf("the default encoder is %s", got)
	}
}

func TestATopMPerTokenIsPartOfTheForm(t *testing.T) {
	if got := sweeps.EncodingOf(only(t, base, "model.token_top_m=4", "model.pooling=sum")).Form(); got != "token_top_m 4, pooling sum" {
		t.Errorf("the form is %q", got)
	}
	for _, c := range [][2]string{
		{"model.token_top_m=-1", "model.token_top_m = -1"},
		{"model.token_top_m=1.5", "model.token_top_m = 1.5: is a number with a fraction; allowed: integer"},
	} {
		if err := faultsOf(t, base, c[0]); !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	if err := faultsOf(t, base, "model.token_top_m=4", "model.rescale=auto-score"); !strings.Contains(err.Error(), "model.token_top_m use a number") {
		t.Errorf("with auto-score: %v", err)
	}
	only(t, base, "model.token_top_m=4", "model.rescale=auto-norm") // looks at weights alone
}

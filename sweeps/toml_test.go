package sweeps_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// What the parser relies on, or guards against, in the TOML library. An upgrade
// that changes one of these must change the parser too.
func TestTheLibrarysOwnMatchingWouldLetTyposPass(t *testing.T) {
	var into struct {
		Steps int `toml:"steps"`
	}
	md, err := toml.Decode("steps = 1\nSTEPS = 2\nstepz = 3\n", &into)
	if err != nil {
		t.Fatalf("unknown keys are errors now: %v", err)
	}
	var missed []string
	for _, key := range md.Undecoded() {
		missed = append(missed, key.String())
	}
	if got := strings.Join(missed, " "); got != "stepz" {
		t.Errorf("undecoded: %q; matching ignored case, so STEPS was not among them", got)
	}
	if into.Steps != 1 && into.Steps != 2 {
		t.Errorf("steps = %d", into.Steps)
	}
	if n := len(md.Keys()); n != 3 {
		t.Errorf("Keys() lists %d keys, want all 3 in their own spelling", n)
	}
}

func TestNonFiniteNumbersAreLegalTOML(t *testing.T) {
	var into struct{ A, B, C float64 }
	if _, err := toml.Decode("a = nan\nb = inf\nc = -inf\n", &into); err != nil {
		t.Fatalf("they are errors now: %v", err)
	}
	if !math.IsNaN(into.A) || !math.IsInf(into.B, 1) || !math.IsInf(into.C, -1) {
		t.Errorf("decoded %v", into)
	}
}

func TestIntegersAndFloatsMayShareAnArray(t *testing.T) {
	var into struct{ A []float64 }
	if _, err := toml.Decode("a = [1, 0.5]\n", &into); err != nil || len(into.A) != 2 || into.A[0] != 1 {
		t.Errorf("%v, %v", into.A, err)
	}
}

func TestAFloatForAnIntegerIsNoParseError(t *testing.T) {
	var into struct{ A int }
	_, err := toml.Decode("b = 1\na = 1.5\n", &into)
	var syntax toml.ParseError
	if err == nil || errors.As(err, &syntax) || !strings.Contains(err.Error(), `line 2 (last key "a")`) {
		t.Errorf("got %v (ParseError: %t)", err, errors.As(err, &syntax))
	}
	_, err = toml.Decode("a = \n", &into)
	if !errors.As(err, &syntax) || syntax.Position.Line != 1 {
		t.Errorf("a syntax error: %v", err)
	}
}

func TestDecodingAValueIntoAMapLeavesTheMapNil(t *testing.T) {
	var into map[string]toml.Primitive
	md, err := toml.Decode("a = 1\nb = {}\n", &into)
	if err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]bool{"a": false, "b": true} {
		var inner map[string]toml.Primitive
		if err := md.PrimitiveDecode(into[name], &inner); err != nil || (inner != nil) != table {
			t.Errorf("%s: map %v, %v", name, inner, err)
		}
	}
}

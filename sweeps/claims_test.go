package sweeps_test

import (
	"slices"
	"testing"

	"headroom/sweeps"
)

func TestDifferingKeysOfTwoExpressions(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want []string
	}{
		{"model.rescale=4", "model.rescale=1", []string{"model.rescale"}},
		{"model.rescale=4, model.backbone=~ettin", "model.backbone=~ettin and model.rescale=1", []string{"model.rescale"}},
		{"model.rescale=4, seed=1", "model.rescale=4", []string{"seed"}},
		{"seed=[1,2]", "seed=[2, 1]", nil}, {"seed=1", "seed!=1", []string{"seed"}},
		{"model.backbone=~a", "model.backbone=~b, train.lr=1e-3", []string{"model.backbone", "train.lr"}},
	} {
		a, err := sweeps.ParseOnly(test.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := sweeps.ParseOnly(test.b)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.DifferingKeys(b); !slices.Equal(got, test.want) {
			t.Errorf("%s and %s differ in %v, want %v", test.a, test.b, got, test.want)
		}
		if got := b.DifferingKeys(a); !slices.Equal(got, test.want) {
			t.Errorf("%s and %s differ in %v, want %v", test.b, test.a, got, test.want)
		}
	}
}

func TestClaimsOfASweepAreInNoID(t *testing.T) {
	const text = "name = \"s\"\n[model]\nbackbone = \"./b\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 1\n"
	id := func(text string) (string, sweeps.ID) {
		s, err := sweeps.Parse("s.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		points, err := s.Points()
		if err != nil || len(points) != 1 {
			t.Fatalf("%d points, %v", len(points), err)
		}
		return s.Claims, sweeps.RunID(points[0].Config, sweeps.Inputs{})
	}
	none, before := id(text)
	claims, after := id("claims = \"claims.toml\"\n" + text)
	if none != "" || claims != "claims.toml" || before != after {
		t.Errorf("claims %q and %q, ids %s and %s", none, claims, before, after)
	}
}

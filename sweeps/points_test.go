package sweeps_test

import (
	"strings"
	"testing"
)

// Whatever makes a run twice is named, with both points: a person cannot mend a
// table that the message does not name.
func TestTwoPointsThatAreOneRunAreNamedWithWhatMakesThem(t *testing.T) {
	grid := "[grid]\n\"model.rescale\" = [1, 4]\n"
	for name, c := range map[string]struct {
		text, key string
		args      []string
		says      string
	}{
		"a grid over what nothing reads": {
			base + "[grid]\n\"loss.temperature\" = [1, 2]\n", "grid", nil,
			"loss.temperature = 1.0, and loss.temperature = 2.0; they differ in loss.temperature alone, which nothing reads",
		},
		"a zip that repeats its values": {
			base + "[[zip]]\nseed = [7, 8, 7]\ntrain.lr = [1, 1, 1]\n", "[[zip]] 1", nil,
			"seed = 7, train.lr = 1.0 (number 1 of [[zip]] 1), and seed = 7, train.lr = 1.0 (number 3 of [[zip]] 1)",
		},
		"a zip beside a grid": {
			base + "[[zip]]\nseed = [7, 7]\n" + grid, "[[zip]] 1", nil,
			"seed = 7, model.rescale = 1 (number 1 of [[zip]] 1), and seed = 7, model.rescale = 1 (number 2 of [[zip]] 1)",
		},
		"two zips": {
			base + "[[zip]]\nseed = [7, 7]\n[[zip]]\ntrain.lr = [1, 1]\n", "[[zip]] 2", nil, "",
		},
		"an include and the grid": {
			base + grid + "[[include]]\nmodel.rescale = 4\n", "[grid] and [[include]] 1", nil,
			"model.rescale = 4 of [grid], and model.rescale = 4 of [[include]] 1",
		},
		"an include and a zip": {
			base + "[[zip]]\nseed = [1, 2]\n[[include]]\nseed = 9\n[[include]]\nseed = 2\n", "[[zip]] 1 and [[include]] 2", nil,
			"seed = 2 of [[zip]] 1, and seed = 2 of [[include]] 2",
		},
		"two includes": {
			base + "[[include]]\nseed = 3\n[[include]]\nseed = [4, 3]\n", "[[include]] 1 and [[include]] 2", nil,
			"seed = 3 of [[include]] 1, and seed = 3 of [[include]] 2",
		},
		"one include": {
			base + "[[include]]\nloss.temperature = [1, 3]\n", "[[include]] 1", nil,
			"loss.temperature = 1.0, and loss.temperature = 3.0; they differ in loss.temperature alone",
		},
		"an include and everything": {
			base + grid + "[[zip]]\nseed = [1, 2]\n[[include]]\nmodel.rescale = 1\nseed = 1\n", "[grid] × [[zip]] 1 and [[include]] 1", nil, "",
		},
		"the command line": {
			base, "command line", []string{"loss.temperature=[1, 2]"}, "they differ in loss.temperature alone",
		},
	} {
		faults := faultsOf(t, c.text, c.args...)
		if len(faults) == 0 || faults[0].Key != c.key || !strings.Contains(faults[0].Message, "two points are the same run: "+c.says) && !strings.Contains(faults[0].Message, c.says) {
			t.Errorf("%s: %v; want a fault of %q that says %q", name, faults, c.key, c.says)
		}
	}
}

func TestPointsSayWhatMakesThem(t *testing.T) {
	for text, want := range map[string]string{
		base:                             "",
		base + "[grid]\nseed = [1, 2]\n": "[grid], [grid]",
		base + "[[zip]]\nseed = [1, 2]\n[[include]]\nseed = 3\n":                                       "[[zip]] 1, [[zip]] 1, [[include]] 1",
		base + "[[zip]]\nseed = [1, 2]\n[grid]\ntrain.lr = [1]\n[[include]]\nseed = 3\ntrain.lr = 3\n": "[grid] × [[zip]] 1, [grid] × [[zip]] 1, [[include]] 1",
	} {
		points, err := parse(t, text).Points()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range points {
			got = append(got, p.Place)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s\n got %s\nwant %s", text, strings.Join(got, ", "), want)
		}
	}
}

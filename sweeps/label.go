package sweeps

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Label is a run's name for people: backbone, k, seed and the id's first
// digits, as in "modernbert-k8-s1-4f2a". It is valid in a file name. Without
// an id the last part is left out.
func Label(c RunConfig, id ID) string { return Labels([]Labelled{{Config: c, ID: id}})[0] }

// Labelled is a run that gets a label.
type Labelled struct {
	Config RunConfig
	ID     ID
	// Backbone is its backbone's name in the label; "" takes BackboneName.
	Backbone string
}

// Labels returns the labels of runs that are shown together. Runs with equal labels get
// as many digits of their ids as make the labels differ.
func Labels(runs []Labelled) []string {
	stems, ids := make([]string, len(runs)), map[string][]ID{}
	for i, r := range runs {
		name := r.Backbone
		name = cmp.Or(name, BackboneName(r.Config.Model.Backbone))
		stems[i] = fmt.Sprintf("%s-k%s-s%d", fileName(name), r.Config.Model.Rescale, r.Config.Seed)
		ids[stems[i]] = append(ids[stems[i]], r.ID)
	}
	for stem := range ids {
		slices.Sort(ids[stem])
		ids[stem] = slices.Compact(ids[stem])
	}
	labels := make([]string, len(runs))
	for i, r := range runs {
		labels[i] = stems[i]
		if r.ID != "" {
			labels[i] += "-" + string(r.ID[:distinctDigits(r.ID, ids[stems[i]])])
		}
	}
	return labels
}

// distinctDigits is the number of an id's first digits, 4 or more, with which no other id
// begins. The ids ascend, so that those beside it have the most in common with it.
func distinctDigits(id ID, ids []ID) int {
	at, _ := slices.BinarySearch(ids, id)
	n := min(4, len(id))
	for _, i := range []int{at - 1, at + 1} {
		for i >= 0 && i < len(ids) && n < len(id) && strings.HasPrefix(string(ids[i]), string(id[:n])) {
			n++
		}
	}
	return n
}

// BackboneName is the last element of a backbone's reference in lower case,
// without revision and without characters that file names should not have.
func BackboneName(reference string) string {
	name := strings.TrimRight(reference, "/")
	if i := strings.LastIndexAny(name, "/:"); i >= 0 {
		name = name[i+1:]
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		name = name[:i]
	}
	if name = fileName(name); name == "" {
		return "backbone"
	}
	return name
}

// fileName replaces the characters of a name that a file name should not have.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	name = strings.Trim(name, ".-")
	return name[:min(len(name), 60)]
}

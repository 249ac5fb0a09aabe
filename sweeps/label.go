package sweeps

import (
	"fmt"
	"strings"
)

// Label is a run's name for people: backbone, k, seed and the id's first
// digits, as in "modernbert-k8-s1-4f2a". It may stand in a file name. Without
// an id the last part is left out.
func Label(c RunConfig, id ID) string { return Labels([]Labelled{{Config: c, ID: id}})[0] }

// Labelled is a run that is to have a label.
type Labelled struct {
	Config RunConfig
	ID     ID
	// Backbone is what its backbone is called; "" for BackboneName.
	Backbone string
}

// Labels are the labels of runs that stand together: of two that would have one, each
// has as many digits of its id as tell them apart.
func Labels(runs []Labelled) []string {
	stems, ids := make([]string, len(runs)), map[string][]ID{}
	for i, r := range runs {
		name := r.Backbone
		if name == "" {
			name = BackboneName(r.Config.Model.Backbone)
		}
		stems[i] = fmt.Sprintf("%s-k%s-s%d", fileName(name), r.Config.Model.Rescale, r.Config.Seed)
		ids[stems[i]] = append(ids[stems[i]], r.ID)
	}
	labels := make([]string, len(runs))
	for i, r := range runs {
		labels[i] = stems[i]
		if r.ID != "" {
			labels[i] += "-" + string(r.ID[:digits(r.ID, ids[stems[i]])])
		}
	}
	return labels
}

// digits is how many of an id's digits, 4 or more, no other id begins with.
func digits(id ID, others []ID) int {
	n := min(4, len(id))
	for _, other := range others {
		for other != id && n < len(id) && strings.HasPrefix(string(other), string(id[:n])) {
			n++
		}
	}
	return n
}

// BackboneName is the last element of a backbone's reference in lower case,
// without revision and with nothing that a file name could trip over.
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

// fileName leaves nothing in a name that a file's name could trip over.
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

package sweeps

import (
	"fmt"
	"strings"
)

// Label is a run's name for people: backbone, k, seed and the id's first
// digits, as in "modernbert-k8-s1-4f2a". It may stand in a file name. Without
// an id the last part is left out.
func Label(c RunConfig, id ID) string {
	label := fmt.Sprintf("%s-k%s-s%d", BackboneName(c.Model.Backbone), c.Model.Rescale, c.Seed)
	if id != "" {
		label += "-" + string(id[:min(4, len(id))])
	}
	return label
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
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	if name = strings.Trim(name, ".-"); name == "" {
		return "backbone"
	}
	return name[:min(len(name), 60)]
}

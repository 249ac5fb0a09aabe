// Package names gives references short names that differ: two folders x1/model and
// x2/model are not both "model".
package names

import (
	"slices"
	"strings"
)

// Last is the last element of a reference: of /data/model and recipe:model it is "model".
func Last(reference string) string {
	reference = strings.TrimRight(reference, "/")
	if i := strings.LastIndexAny(reference, "/:"); i >= 0 && i+1 < len(reference) {
		return reference[i+1:]
	}
	return reference
}

// DistinctNames gives each reference the name that short returns. References that would have the
// same name get as many of their last elements as make their names differ.
func DistinctNames(references []string, short func(reference string) string) map[string]string {
	groups := map[string][]string{}
	for _, ref := range references {
		if name := short(ref); !slices.Contains(groups[name], ref) {
			groups[name] = append(groups[name], ref)
		}
	}
	names := map[string]string{}
	for name, group := range groups {
		if len(group) == 1 {
			names[group[0]] = name
			continue
		}
		for _, ref := range group {
			names[ref] = uniqueEnd(ref, group)
		}
	}
	return names
}

// uniqueEnd is the shortest end of a reference, in whole elements, in which no other reference ends.
func uniqueEnd(ref string, others []string) string {
	for at := len(ref); at > 0; {
		at = max(0, strings.LastIndexAny(ref[:at-1], "/:")+1)
		end := ref[at:]
		if !slices.ContainsFunc(others, func(other string) bool { return other != ref && endsIn(other, end) }) {
			return end
		}
	}
	return ref
}

// endsIn reports whether a reference's last elements are these.
func endsIn(ref, elements string) bool {
	start, ok := strings.CutSuffix(ref, elements)
	return ok && (start == "" || strings.HasSuffix(start, "/") || strings.HasSuffix(start, ":"))
}

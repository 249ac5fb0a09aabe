package sweeps

import (
	"strings"

	"headroom/internal/near"
)

// nearest returns the valid key most like the unknown one, or "" when none is
// close. A key that differs only in case, or that only lacks its table
// ("steps" for "train.steps"), counts as closest.
func nearest(key string, valid []string) string {
	lower := strings.ToLower(key)
	for _, candidate := range valid {
		if lower == candidate {
			return candidate
		}
	}
	if !strings.Contains(lower, ".") {
		for _, candidate := range valid {
			if candidate[strings.LastIndexByte(candidate, '.')+1:] == lower {
				return candidate
			}
		}
	}
	return near.Word(lower, valid)
}

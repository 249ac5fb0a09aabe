package sweeps

import (
	"reflect"
	"strings"
)

// Variations returns, for each configuration of a list, the settings that differ within
// the list and that its label does not show: "loss.kind=kl data.negatives=3", in the
// order of Keys. All are "" if the labels show every difference.
func Variations(list []RunConfig) []string {
	out := make([]string, len(list))
	if len(list) == 0 {
		return out
	}
	for _, f := range runFields() {
		if f.identity == "no" || inLabel(f.key) {
			continue
		}
		values := make([]string, len(list))
		differ := false
		for i := range list {
			if c := &list[i]; !isUnread(c, f.key) {
				values[i] = literal(f.of(reflect.ValueOf(c).Elem()))
			}
			differ = differ || values[i] != values[0]
		}
		if !differ {
			continue
		}
		for i, v := range values {
			if v == "" {
				continue // not set, or nothing reads it
			}
			out[i] = strings.TrimLeft(out[i]+" "+f.key+"="+strings.Trim(v, `"`), " ")
		}
	}
	return out
}

// inLabel reports whether the label shows a key.
func inLabel(key string) bool {
	return key == "model.backbone" || key == "model.rescale" || key == "seed"
}

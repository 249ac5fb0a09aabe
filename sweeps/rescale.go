package sweeps

import (
	"fmt"
	"strconv"
)

// UnmarshalTOML accepts a number or one of the automatic choices' names. Range
// and spelling are checked by the key's rule, so that they are reported with
// all other faults.
func (r *Rescale) UnmarshalTOML(value any) error {
	switch v := value.(type) {
	case int64:
		*r = Rescale{K: float64(v)}
	case float64:
		*r = Rescale{K: v}
	case string:
		*r = Rescale{Auto: v}
	default:
		return fmt.Errorf("neither a number nor a string")
	}
	return nil
}

// String is the factor in its shortest form, or the automatic choice's name.
func (r Rescale) String() string {
	if r.Auto != "" {
		return r.Auto
	}
	return strconv.FormatFloat(r.K, 'g', -1, 64)
}

// References is one reference or a list of them; a file may write a single one
// as a plain string.
type References []string

// UnmarshalTOML accepts a string or an array of strings.
func (r *References) UnmarshalTOML(value any) error {
	switch v := value.(type) {
	case string:
		*r = References{v}
		return nil
	case []any:
		list := make(References, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				return fmt.Errorf("element %d is not a string", i+1)
			}
			list[i] = text
		}
		*r = list
		return nil
	default:
		return fmt.Errorf("neither a string nor an array of strings")
	}
}

package event

import (
	"encoding/json"
	"strconv"
)

// Maybe is a step, or none. Its zero value is none, in JSON null.
type Maybe struct {
	Step  int
	Known bool
}

// Some is a step that is known.
func Some(step int) Maybe { return Maybe{step, true} }

// String is the step, or "none".
func (m Maybe) String() string {
	if !m.Known {
		return "none"
	}
	return strconv.Itoa(m.Step)
}

// MarshalJSON writes the step's number, or null.
func (m Maybe) MarshalJSON() ([]byte, error) {
	if !m.Known {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(m.Step), 10), nil
}

// UnmarshalJSON reads a number or null.
func (m *Maybe) UnmarshalJSON(text []byte) error {
	var step *int
	if err := json.Unmarshal(text, &step); err != nil {
		return err
	}
	*m = Maybe{}
	if step != nil {
		*m = Some(*step)
	}
	return nil
}

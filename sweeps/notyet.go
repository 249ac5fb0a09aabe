package sweeps

// notYet is what the language has and this version cannot do. A row goes when
// its feature lands; until then using it is an error, never a silent default.
type notYet struct {
	key  string
	used func(c RunConfig) bool
	// instead says what this version does.
	instead string
}

func runsNotYet() []notYet {
	return []notYet{
		{"data.negatives", func(c RunConfig) bool { return c.Data.Negatives > 0 }, "0 (in-batch negatives)"},
	}
}

func recipesNotYet(r Recipe) []Fault {
	if r.Train.Precision == "bfloat16" {
		return []Fault{later("train.precision", `"bfloat16"`, `"float32"`)}
	}
	return nil
}

func later(key, value, instead string) Fault {
	return Fault{Key: key, Value: value, Allowed: instead, Message: "not in this version yet"}
}

package sweeps

// StabilityConfig: whether a collapse ends the run, and the detectors'
// thresholds. The thresholds enter a run's id only where Stop is true: otherwise
// a detector watches and changes nothing, and verdicts can be judged again.
//
// The types below are field for field those of metrics/stability, which owns
// the rules and explains them; they stand here because a configuration knows no
// detector. A test holds names and defaults to each other.
type StabilityConfig struct {
	// Stop ends a collapsing run early. Default false.
	Stop       bool           `toml:"stop"`
	NonFinite  NonFiniteRule  `toml:"non_finite" id:"stop"`
	Empty      EmptyRule      `toml:"empty" id:"stop"`
	Identical  IdenticalRule  `toml:"identical" id:"stop"`
	Stalled    StalledRule    `toml:"stalled" id:"stop"`
	Dense      DenseRule      `toml:"dense" id:"stop"`
	Spike      SpikeRule      `toml:"spike" id:"stop"`
	ScaleShock ScaleShockRule `toml:"scale_shock" id:"stop"`
}

// NonFiniteRule: a series is NaN or infinite.
type NonFiniteRule struct {
	Recovery int `toml:"recovery"` // finite steps in a row until it has passed; default 5
}

// EmptyRule: texts without an active term.
type EmptyRule struct {
	Share float64 `toml:"share"` // of the batch; default 0.1
	Steps int     `toml:"steps"` // in a row; default 5
}

// IdenticalRule: inputs that cannot be told apart.
type IdenticalRule struct {
	Cosine   float64 `toml:"cosine"`    // mean between texts; default 0.95
	Slack    float64 `toml:"slack"`     // how far below its start a cosine counts as falling; default 0.02
	ScoreSD  float64 `toml:"score_sd"`  // of in-batch scores; default 0.05; 0 is off
	Growth   float64 `toml:"growth"`    // over its first value from which the deviation counts as growing; default 2
	Accuracy float64 `toml:"accuracy"`  // from chance to 1, above which a run is excused; default 0.5
	Blank    float64 `toml:"blank"`     // share of empty texts above which nothing is judged; default 0.5
	Steps    int     `toml:"steps"`     // in a row; default 5
	MinSteps int     `toml:"min_steps"` // shorter runs are not judged; default 30
}

// StalledRule: a loss at chance level.
type StalledRule struct {
	InfoNCE  float64  `toml:"infonce"`   // share of ln(candidates); default 0.75
	Accuracy float64  `toml:"accuracy"`  // from chance to 1, up to which it is chance; default 0.1
	Falling  float64  `toml:"falling"`   // fall within a window that excuses; default 0.25
	Window   int      `toml:"window"`    // steps; default 20
	Start    float64  `toml:"start"`     // share of the run before the first window; default 0.5
	MinSteps int      `toml:"min_steps"` // shorter runs are not judged; default 30
	Losses   []string `toml:"losses"`    // kinds that have a chance level; default ["infonce"]; empty is off
}

// DenseRule: too many active terms.
type DenseRule struct {
	Share    float64 `toml:"share"`     // of the vocabulary; default 0.1
	Terms    int     `toml:"terms"`     // default 1000
	Fallen   float64 `toml:"fallen"`    // of the first value, below which a count is falling; default 0.5
	Steps    int     `toml:"steps"`     // in a row; default 5
	MinSteps int     `toml:"min_steps"` // shorter runs are not judged; default 30
}

// SpikeRule: a loss or gradient norm far above its recent values.
type SpikeRule struct {
	Deviations float64 `toml:"deviations"` // robust standard deviations; default 6
	Ratio      float64 `toml:"ratio"`      // and times the median; default 2
	Window     int     `toml:"window"`     // steps; default 128
	After      int     `toml:"after"`      // steps before the rule begins; default 64
	Recovery   int     `toml:"recovery"`   // quiet steps that end an episode; default 5
}

// ScaleShockRule: a first loss far above chance level.
type ScaleShockRule struct {
	Factor   float64 `toml:"factor"`   // times ln(candidates); default 3
	Recovery int     `toml:"recovery"` // steps below it until it has passed; default 5
}

// StabilityDefaults never stops a run.
func StabilityDefaults() StabilityConfig {
	return StabilityConfig{
		NonFinite: NonFiniteRule{Recovery: 5},
		Empty:     EmptyRule{Share: 0.1, Steps: 5},
		Identical: IdenticalRule{
			Cosine: 0.95, Slack: 0.02, ScoreSD: 0.05, Growth: 2, Accuracy: 0.5, Blank: 0.5, Steps: 5, MinSteps: 30,
		},
		Stalled: StalledRule{
			InfoNCE: 0.75, Accuracy: 0.1, Falling: 0.25, Window: 20, Start: 0.5, MinSteps: 30, Losses: []string{"infonce"},
		},
		Dense:      DenseRule{Share: 0.1, Terms: 1000, Fallen: 0.5, Steps: 5, MinSteps: 30},
		Spike:      SpikeRule{Deviations: 6, Ratio: 2, Window: 128, After: 64, Recovery: 5},
		ScaleShock: ScaleShockRule{Factor: 3, Recovery: 5},
	}
}

func stabilityRules() []rule {
	within := func(key string) rule { return number("stability."+key, share, "number, 0 ≤ x ≤ 1") }
	above := func(key string) rule { return number("stability."+key, positive, "number > 0") }
	count := func(key string, low int64, allowed string) rule {
		return integer("stability."+key, low, maxSteps, allowed)
	}
	atLeastOne, atLeastZero := "integer ≥ 1", "integer ≥ 0"
	return []rule{
		flag("stability.stop"),
		count("non_finite.recovery", 1, atLeastOne),
		within("empty.share"), count("empty.steps", 1, atLeastOne),
		within("identical.cosine"), within("identical.slack"),
		number("stability.identical.score_sd", notNegative, "number ≥ 0; 0 is off"),
		above("identical.growth"), within("identical.accuracy"), within("identical.blank"),
		count("identical.steps", 1, atLeastOne), count("identical.min_steps", 0, atLeastZero),
		above("stalled.infonce"), within("stalled.accuracy"), within("stalled.falling"),
		count("stalled.window", 2, "integer ≥ 2"), within("stalled.start"), count("stalled.min_steps", 0, atLeastZero),
		choices("stability.stalled.losses", lossKinds()...),
		within("dense.share"), count("dense.terms", 0, atLeastZero), within("dense.fallen"),
		count("dense.steps", 1, atLeastOne), count("dense.min_steps", 0, atLeastZero),
		above("spike.deviations"), above("spike.ratio"), count("spike.window", 3, "integer ≥ 3"),
		count("spike.after", 3, "integer ≥ 3"), count("spike.recovery", 1, atLeastOne),
		above("scale_shock.factor"), count("scale_shock.recovery", 1, atLeastOne),
	}
}

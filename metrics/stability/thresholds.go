package stability

// Thresholds are the numbers in the rules; their keys in a sweep file are
// stability.<detector>.<key>, and package sweeps says what each accepts. Steps and windows are those of a run of 150 steps or
// more, see the package comment.
type Thresholds struct {
	NonFinite  NonFiniteRule  `toml:"non_finite" json:"non_finite"`
	Empty      EmptyRule      `toml:"empty" json:"empty"`
	Identical  IdenticalRule  `toml:"identical" json:"identical"`
	Stalled    StalledRule    `toml:"stalled" json:"stalled"`
	Spike      SpikeRule      `toml:"spike" json:"spike"`
	NoProgress NoProgressRule `toml:"no_progress" json:"no_progress"`
}

// NonFiniteRule: any series is NaN or infinite at a step.
type NonFiniteRule struct {
	// Recovery is how many steps in a row must be finite for the episode to have
	// passed. Default 5.
	Recovery int `toml:"recovery" json:"recovery"`
}

// EmptyRule: the share of queries or of documents without an active term is above
// Share for Steps steps, at any time of a run.
type EmptyRule struct {
	Share float64 `toml:"share" json:"share"` // default 0.1; 0 accuses a single empty text
	Steps int     `toml:"steps" json:"steps"` // default 5
}

// IdenticalRule: for Steps steps after the λ ramp, the mean cosine between queries, or
// between documents, is above Cosine, or the in-batch scores hardly differ, while the
// in-batch accuracy shows that the model does not distinguish its inputs.
type IdenticalRule struct {
	Cosine float64 `toml:"cosine" json:"cosine"` // default 0.95
	// Slack compares cosines with the run's own start: a run that began above Cosine +
	// Slack and has fallen by more than Slack is improving, and not accused. Default 0.02;
	// with 0 any fall is enough.
	Slack float64 `toml:"slack" json:"slack"`
	// ScoreSD is the standard deviation of the in-batch scores below which they hardly
	// differ. Default 0.05; 0 switches this rule off.
	ScoreSD float64 `toml:"score_sd" json:"score_sd"`
	// Growth compares scores with the run's own start: if their deviation is more than
	// Growth times the first one, it is growing, and the run is not accused. Default 2.
	Growth float64 `toml:"growth" json:"growth"`
	// Accuracy is a share of the way from chance level to 1. A run whose in-batch accuracy
	// is above it, by more than chance could give (5 standard deviations), distinguishes its
	// inputs, whatever their cosine; its queries only under a loss that scores them against
	// other queries' documents. Default 0.5; 1 never excuses.
	Accuracy float64 `toml:"accuracy" json:"accuracy"`
	// Blank is the share of empty texts above which cosines and scores say nothing:
	// an episode then neither opens nor passes. Default 0.5.
	Blank    float64 `toml:"blank" json:"blank"`
	Steps    int     `toml:"steps" json:"steps"`         // default 5
	MinSteps int     `toml:"min_steps" json:"min_steps"` // runs with fewer are not judged; default 30
}

// StalledRule: in the second half of a run and after the λ ramp, the mean InfoNCE of
// Window steps is above InfoNCE × ln(candidates) and not falling fast, or the mean
// accuracy of Window steps, the share of queries whose positive has the greatest score of
// its candidates, is at chance level.
type StalledRule struct {
	InfoNCE float64 `toml:"infonce" json:"infonce"` // share of ln(candidates); default 0.75
	// Accuracy is the share of the way from chance level to 1 up to which accuracy
	// counts as chance. Default 0.1.
	Accuracy float64 `toml:"accuracy" json:"accuracy"`
	// Falling excuses a loss that is still on its way down from a large start: the
	// mean of the window's second half is below that of its first half by more than
	// this share. Default 0.25; 1 never excuses.
	Falling  float64 `toml:"falling" json:"falling"`
	Window   int     `toml:"window" json:"window"`       // default 20
	Start    float64 `toml:"start" json:"start"`         // share of the run after which windows begin; default 0.5
	MinSteps int     `toml:"min_steps" json:"min_steps"` // runs with fewer are not judged; default 30
	// Losses are the kinds of loss to judge; default all. Of another than InfoNCE only the
	// accuracy is read, as its loss has no chance level, and only if a window has enough
	// examples to tell chance level from Accuracy above it. Empty switches the detector off.
	Losses []string `toml:"losses" json:"losses"`
}

// SpikeRule: loss or gradient norm is above the median of the last Window steps by
// Deviations robust standard deviations (1.4826 MAD), and above Ratio times it.
type SpikeRule struct {
	Deviations float64 `toml:"deviations" json:"deviations"` // default 6
	Ratio      float64 `toml:"ratio" json:"ratio"`           // keeps very even curves quiet; default 2
	Window     int     `toml:"window" json:"window"`         // default 128
	After      int     `toml:"after" json:"after"`           // steps before the rule begins; default 64
	// Recovery is how many quiet steps in a row end an episode, so that a burst is one.
	// Default 5.
	Recovery int `toml:"recovery" json:"recovery"`
}

// NoProgressRule: the last steps of a window are all at chance level: InfoNCE between Low
// and High times ln(candidates), and the mean in-batch accuracy below Accuracy. The window
// is Window steps, or Share of the run if that is more. It warns early what stalled would
// say at the end. It is silent in a run with so few queries that chance alone could lift
// the accuracy above Accuracy (5 standard deviations).
type NoProgressRule struct {
	// Accuracy is a share of the way from chance level to 1. Default 0.15.
	Accuracy   float64 `toml:"accuracy" json:"accuracy"`
	Low        float64 `toml:"low" json:"low"`               // times ln(candidates); default 0.95
	High       float64 `toml:"high" json:"high"`             // times ln(candidates); default 1.05
	Window     int     `toml:"window" json:"window"`         // default 5
	Share      float64 `toml:"share" json:"share"`           // of the run; default 0.05
	Start      float64 `toml:"start" json:"start"`           // share of the run after which it may warn; default 0.3
	Candidates int     `toml:"candidates" json:"candidates"` // runs with fewer are not judged; default 16
	Recovery   int     `toml:"recovery" json:"recovery"`     // steps in a row off chance level that end an episode; default 5
	MinSteps   int     `toml:"min_steps" json:"min_steps"`   // runs with fewer are not judged; default 30
}

// Defaults are the thresholds that accused none of 49 healthy runs of a prototype
// and caught 24 of its 25 collapsed ones.
func Defaults() Thresholds {
	return Thresholds{
		NonFinite: NonFiniteRule{Recovery: 5},
		Empty:     EmptyRule{Share: 0.1, Steps: 5},
		Identical: IdenticalRule{Cosine: 0.95, Slack: 0.02, ScoreSD: 0.05, Growth: 2, Accuracy: 0.5, Blank: 0.5,
			Steps: 5, MinSteps: 30},
		Stalled: StalledRule{InfoNCE: 0.75, Accuracy: 0.1, Falling: 0.25, Window: 20, Start: 0.5, MinSteps: 30,
			Losses: []string{"infonce", "margin_mse", "kl"}},
		Spike: SpikeRule{Deviations: 6, Ratio: 2, Window: 128, After: 64, Recovery: 5},
		NoProgress: NoProgressRule{Accuracy: 0.15, Low: 0.95, High: 1.05, Window: 5, Share: 0.05, Start: 0.3, Candidates: 16,
			Recovery: 5, MinSteps: 30},
	}
}

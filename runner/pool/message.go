package pool

import (
	"encoding/json"
	"fmt"
	"io"

	"headroom/metrics/event"
	"headroom/metrics/stability"
)

// The types of a Message.
const (
	TypeProgress = "progress"
	TypeWaiting  = "waiting"  // another live process holds the job's lease; Message says which
	TypeNotice   = "notice"   // a message for the user
	TypeResult   = "result"   // a run's result, in Result
	TypeCollapse = "collapse" // a run has collapsed; Episode has it
)

// The phases that renderers and estimates know; others are shown by their names.
const (
	PhaseTrain    = "train"    // of a run
	PhaseEvaluate = "evaluate" // of the finished model
	PhaseDev      = "dev"      // of the model on dev data, between two training steps
)

// Dev holds the results on dev data of a run in training.
type Dev struct {
	Measure string `json:"measure"`
	// Value is the value of the last evaluation, NaN if it has none.
	Value    event.Value `json:"value"`
	Best     event.Value `json:"best"`
	BestStep int         `json:"best_step"`
}

// Answer is a run's result.
type Answer struct {
	Verdict string `json:"verdict"`
	// Recovered names the collapses from which a healthy run recovered, and when; "" for none.
	Recovered string `json:"recovered,omitempty"`
	// Measure is the first of evaluate.measures, on Dataset, the first of evaluate.final; ""
	// if nothing was measured.
	Measure string      `json:"measure,omitempty"`
	Dataset string      `json:"dataset,omitempty"`
	Value   event.Value `json:"value"`
}

func (a *Answer) String() string {
	verdict := stability.MarkedVerdict(a.Verdict, a.Recovered)
	if a.Measure == "" {
		return verdict
	}
	return fmt.Sprintf("%s, %s %.4f", verdict, a.Measure, float64(a.Value))
}

// Message is one line of a worker's standard output.
type Message struct {
	Type    string      `json:"type"`
	Phase   string      `json:"phase,omitempty"` // a Phase, "pretrain", …
	Step    int         `json:"step"`
	Steps   int         `json:"steps"` // 0 if unknown
	Rate    float64     `json:"rate,omitempty"`
	Loss    event.Value `json:"loss,omitempty"`
	Dev     *Dev        `json:"dev,omitempty"`
	Result  *Answer     `json:"result,omitempty"`
	Message string      `json:"message,omitempty"`
	// Episode is the collapse of a TypeCollapse, as in the run's log.
	Episode *event.Episode `json:"episode,omitempty"`
}

// Write writes the message as one line for Run.
func (m Message) Write(w io.Writer) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write worker message: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// parse reads one line; ok is false for a line that a library has printed.
func parse(line []byte) (m Message, ok bool) {
	if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &m) != nil {
		return Message{}, false
	}
	switch m.Type {
	case TypeProgress, TypeWaiting, TypeNotice, TypeResult, TypeCollapse:
		return m, true
	default:
		return Message{}, false
	}
}

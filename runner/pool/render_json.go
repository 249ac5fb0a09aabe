package pool

import (
	"encoding/json"
	"io"
	"time"

	"headroom/metrics/event"
)

// JSONLines renders for programs: one object per line. The progress of a job comes at
// most once per Every. The caller writes the line of type "end".
type JSONLines struct {
	Out   io.Writer
	Every time.Duration
	Now   func() time.Time

	printed map[string]time.Time
}

type jsonLine struct {
	Type    string         `json:"type"` // "begin", "started", "progress", "waiting", "notice", "collapse", "finished", "interrupted"
	Kind    string         `json:"kind,omitempty"`
	ID      string         `json:"id,omitempty"`
	Label   string         `json:"label,omitempty"`
	Jobs    int            `json:"jobs,omitempty"`
	Phase   string         `json:"phase,omitempty"`
	Step    *int           `json:"step,omitempty"`
	Steps   int            `json:"steps,omitempty"`
	Rate    float64        `json:"rate,omitempty"`
	Loss    event.Value    `json:"loss,omitempty"`
	Dev     *Dev           `json:"dev,omitempty"`
	State   State          `json:"state,omitempty"`
	Message string         `json:"message,omitempty"`
	Tail    string         `json:"tail,omitempty"` // the worker's last lines, if it failed
	Seconds float64        `json:"seconds,omitempty"`
	Result  *Answer        `json:"result,omitempty"`  // of a finished run: its verdict and main score
	Episode *event.Episode `json:"episode,omitempty"` // of a collapse
}

func (j *JSONLines) write(line jsonLine) {
	text, err := json.Marshal(line)
	if err != nil {
		return // cannot happen: every field is plain data
	}
	j.Out.Write(append(text, '\n'))
}

// Begin writes the number of jobs.
func (j *JSONLines) Begin(jobs []Job, _ *Estimate) {
	j.printed = map[string]time.Time{}
	j.write(jsonLine{Type: "begin", Jobs: len(jobs)})
}

// Started names the job.
func (j *JSONLines) Started(job Job) {
	j.write(jsonLine{Type: "started", Kind: job.Kind, ID: job.ID, Label: job.Label})
}

// Message passes the worker's line on.
func (j *JSONLines) Message(job Job, m Message) {
	if now := j.Now(); m.Type == TypeProgress {
		if last, known := j.printed[job.ID]; known && now.Sub(last) < j.Every {
			return
		}
		j.printed[job.ID] = now
	}
	line := jsonLine{Type: m.Type, Kind: job.Kind, ID: job.ID, Label: job.Label, Phase: m.Phase, Steps: m.Steps, Rate: m.Rate, Loss: m.Loss, Dev: m.Dev, Message: m.Message, Episode: m.Episode}
	if m.Type == TypeProgress {
		line.Step = &m.Step
	}
	j.write(line)
}

// Finished writes how the job ended.
func (j *JSONLines) Finished(o Outcome) {
	line := jsonLine{Type: "finished", Kind: o.Job.Kind, ID: o.Job.ID, Label: o.Job.Label, State: o.State, Message: o.Reason, Seconds: o.Took.Seconds(), Result: o.Answer}
	if o.State == Failed {
		line.Tail = o.Tail
	}
	j.write(line)
}

// Interrupted says that running jobs are being waited for.
func (j *JSONLines) Interrupted(running int) {
	j.write(jsonLine{Type: "interrupted", Jobs: running})
}

// End writes nothing: the caller knows more than the pool.
func (j *JSONLines) End(Result) {}

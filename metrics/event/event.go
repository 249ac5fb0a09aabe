// Package event is the record of what happened to a run: a closed set of event
// types and the append-only log that holds them.
//
// Contract. Every attempt at a run has its own log, attempts/<n>/events.jsonl,
// created exclusively by the one process that writes it; n is the fence. A line is
//
//	{"seq":1,"t":"2026-01-02T03:04:05.678Z","type":"step",…,"crc":"8 hex"}
//
// where seq counts the lines from 1, t is UTC, and crc is the CRC32C (Castagnoli) of the
// bytes of the line before `,"crc"`. Only whole sound lines count: a last line that a crash
// cut short is dropped, any other damage is an error that names file and line. NaN and the
// infinities, which JSON lacks, are the strings "nan", "+inf" and "-inf".
//
// A reader ignores unknown fields, so that a newer program may add one. An unknown event
// type is an error, ErrUnknownType: without that event the run might have another result.
package event

import (
	"encoding/json"
	"fmt"
)

// Event is one of the structs of this file; no other type implements it.
type Event interface {
	// Kind is the event's "type" in the log.
	Kind() string
	// check returns an error if a field with a closed set of values has another one.
	check() error
}

// Kinds of events, as the log writes them.
const (
	KindStarted    = "started"
	KindStep       = "step"
	KindHeadNorms  = "head_norms"
	KindEpisode    = "episode"
	KindJudged     = "judged"
	KindCheckpoint = "checkpoint"
	KindMeasured   = "measured"
	KindSelected   = "selected"
	KindEvaluated  = "evaluated"
	KindProbed     = "probed"
	KindNotice     = "notice"
	KindEnded      = "ended"
)

// Started opens an attempt.
type Started struct {
	// Run is the run's full id.
	Run     string `json:"run"`
	Attempt int    `json:"attempt"`
	Host    string `json:"host"`
	PID     int    `json:"pid"`
	// FromStep is the first step of this attempt; above 0 the attempt resumed, and
	// owns every point from here on.
	FromStep int `json:"from_step"`
	// Steps is the number of steps of the whole run.
	Steps int   `json:"steps"`
	Facts Facts `json:"facts"`
}

// Facts are what the detectors need to know of a run besides its series.
type Facts struct {
	// Batch is the number of queries in a step.
	Batch int `json:"batch"`
	// Candidates is the number of documents each query is scored against: chance
	// level of InfoNCE is ln(Candidates). 0 if the loss ranks nothing.
	Candidates int `json:"candidates"`
	// Vocab is the width of the vectors.
	Vocab int `json:"vocab"`
	// RampEnd is the step at which λ reaches its full value.
	RampEnd int `json:"ramp_end"`
	// Loss is the kind of loss: "infonce", "margin_mse", "kl", "mlm".
	Loss string `json:"loss"`
	// Parameters is the number of trained parameters.
	Parameters int64 `json:"parameters"`
	// Rescale is the k that an automatic rescale computed; 0 if the configuration gives the
	// number.
	Rescale float64 `json:"rescale,omitempty"`
}

// Step has the value of every series at one step, taken before that step's update.
type Step struct {
	Step   int              `json:"step"`
	Values map[string]Value `json:"values"`
}

// HeadNorms summarizes the L2 norms of the head's rows at one step.
type HeadNorms struct {
	Step int   `json:"step"`
	Mean Value `json:"mean"`
	P05  Value `json:"p05"`
	P50  Value `json:"p50"`
	P95  Value `json:"p95"`
	Max  Value `json:"max"`
}

// Severities of an episode.
const (
	SeverityCollapse = "collapse"
	SeverityWarning  = "warning"
)

// Episode is a stretch of steps in which a detector's rule held. It is written when it
// opens and when it closes, and at the end of the run if it is still open. Detector, series
// and first step identify it; of several lines for one episode the last one counts.
type Episode struct {
	Detector string `json:"detector"`
	// Version is that of the detector's rule.
	Version int `json:"version"`
	// Verdict is the kind of collapse or warning.
	Verdict string `json:"verdict"`
	// Severity is SeverityCollapse or SeverityWarning.
	Severity  string `json:"severity"`
	FirstStep int    `json:"first_step"`
	LastStep  int    `json:"last_step"`
	// LastHealthy is the last step before FirstStep at which the rule was checked and did
	// not hold; none if it held from the start, and in the logs of older programs.
	LastHealthy Maybe `json:"last_healthy,omitzero"`
	// Stands is true until the episode has passed.
	Stands   bool     `json:"stands"`
	Evidence Evidence `json:"evidence"`
}

// Evidence is the rule that held and the values for which it held.
type Evidence struct {
	// Series names what was judged.
	Series string `json:"series"`
	// Rule is the rule in words, with its numbers filled in.
	Rule      string  `json:"rule"`
	Threshold Value   `json:"threshold"`
	Window    int     `json:"window"`
	Observed  []Point `json:"observed"`
}

// Point is one observed value.
type Point struct {
	Step  int   `json:"step"`
	Value Value `json:"value"`
}

// Judged is the verdict at a run's end.
type Judged struct {
	// Verdict is "healthy" or the kind of collapse that stands.
	Verdict string `json:"verdict"`
	// Chain lists the kinds in the order in which they first appeared.
	Chain []string `json:"chain"`
	// Detectors has the version of each detector that judged, by kind; Thresholds are the
	// thresholds that they used. Both are absent in the logs of older programs.
	Detectors  map[string]int  `json:"detectors,omitempty"`
	Thresholds json.RawMessage `json:"thresholds,omitempty"`
}

// Checkpoint records that a complete checkpoint of the state before Step is on disk.
type Checkpoint struct {
	Step   int    `json:"step"`
	Digest string `json:"digest"`
}

// Measured is one evaluation on dev data during training, of the model before the update of
// Step. If a later attempt resumes at Step, this state was already measured: unlike the
// points of other series, these are kept.
type Measured struct {
	Step int `json:"step"`
	// Measure is the one by which a model is selected, and Value its mean over the
	// collections: NaN if one of them has no value.
	Measure string `json:"measure"`
	Value   Value  `json:"value"`
	// Seconds is the wall time of the whole.
	Seconds     float64    `json:"seconds"`
	Collections []DevScore `json:"collections"`
	// Tested is how many of the dev queries are test queries; it should be 0.
	Tested int `json:"tested,omitempty"`
}

// DevScore has the figures of one collection in a Measured.
type DevScore struct {
	Dataset     string `json:"dataset"`
	Split       string `json:"split"`
	QrelsDigest string `json:"qrels_digest,omitempty"`
	Queries     int    `json:"queries"`
	Documents   int    `json:"documents"`
	// Measures are empty if Refused is set.
	Measures       map[string]Value `json:"measures"`
	ActiveQuery    Value            `json:"active_query"`
	ActiveDocument Value            `json:"active_document"`
	Flops          Value            `json:"flops"`
	Seconds        Seconds          `json:"seconds"`
	// Refused says why there are no figures, such as vectors too dense to search.
	Refused string `json:"refused,omitempty"`
}

// Selected records the step whose weights are the run's result, in a run that chooses it by
// dev data: the best step, or the last one if no step has a value.
type Selected struct {
	Step    int    `json:"step"`
	Measure string `json:"measure"`
	// Value is NaN if no step has one.
	Value Value `json:"value"`
	// Weights is the digest of the selected weights.
	Weights string `json:"weights"`
}

// Evaluated records that an evaluation is complete.
type Evaluated struct {
	ID             string           `json:"id"`
	Dataset        string           `json:"dataset"`
	Split          string           `json:"split"`
	Queries        int              `json:"queries"`
	Documents      int              `json:"documents"`
	Measures       map[string]Value `json:"measures"`
	ActiveQuery    Value            `json:"active_query"`
	ActiveDocument Value            `json:"active_document"`
	Flops          Value            `json:"flops"`
	Seconds        Seconds          `json:"seconds"`
	// Folder is relative to the run's folder.
	Folder string `json:"folder"`
}

// Seconds are the wall times of an evaluation's phases.
type Seconds struct {
	Encode float64 `json:"encode"`
	Index  float64 `json:"index"`
	Search float64 `json:"search"`
}

// ProbePrefix begins the name of every series of a run's probe set.
const ProbePrefix = "probe/"

// Probed records the terms with most of the weight in the vectors of a run's probe set,
// before the update of Step. The probe's figures are series of that step.
type Probed struct {
	Step int `json:"step"`
	// Texts is the number of queries, which is also the number of documents.
	Texts    int    `json:"texts"`
	Query    []Term `json:"query"`
	Document []Term `json:"document"`
}

// Term is a term of the vocabulary and its share of the total weight on its side, queries
// or documents.
type Term struct {
	ID    int    `json:"id"`
	Token string `json:"token"`
	Share Value  `json:"share"`
}

// Notice is a message for the user about something that changes no figure, such as a
// damaged checkpoint that was skipped.
type Notice struct {
	Message string `json:"message"`
}

// States in which an attempt ends.
const (
	StateDone        = "done"
	StateFailed      = "failed"
	StateInterrupted = "interrupted"
	StatePreempted   = "preempted"
)

// Ended closes an attempt. A log without it belongs to a process that is still
// working or was killed.
type Ended struct {
	// State is one of the State constants.
	State string `json:"state"`
	// Step is how many steps of the run are done.
	Step int `json:"step"`
	// Seconds is this attempt's wall time.
	Seconds float64 `json:"seconds"`
	// Error is the cause if State is StateFailed.
	Error string `json:"error,omitempty"`
	// Weights is the digest of the final weights if State is StateDone.
	Weights string `json:"weights,omitempty"`
	// Model is the digest of the exported model's manifest, "sha256:…", or ModelNone, if
	// State is StateDone. It is "" in the logs of older programs.
	Model string `json:"model,omitempty"`
}

// ModelNone is the value of Ended.Model if nothing could be exported because the weights
// were not finite.
const ModelNone = "none"

func (Started) Kind() string    { return KindStarted }
func (Step) Kind() string       { return KindStep }
func (HeadNorms) Kind() string  { return KindHeadNorms }
func (Episode) Kind() string    { return KindEpisode }
func (Judged) Kind() string     { return KindJudged }
func (Checkpoint) Kind() string { return KindCheckpoint }
func (Measured) Kind() string   { return KindMeasured }
func (Selected) Kind() string   { return KindSelected }
func (Evaluated) Kind() string  { return KindEvaluated }
func (Probed) Kind() string     { return KindProbed }
func (Notice) Kind() string     { return KindNotice }
func (Ended) Kind() string      { return KindEnded }

func (Started) check() error    { return nil }
func (Step) check() error       { return nil }
func (HeadNorms) check() error  { return nil }
func (Judged) check() error     { return nil }
func (Checkpoint) check() error { return nil }
func (Measured) check() error   { return nil }
func (Selected) check() error   { return nil }
func (Evaluated) check() error  { return nil }
func (Probed) check() error     { return nil }
func (Notice) check() error     { return nil }

func (e Episode) check() error {
	switch e.Severity {
	case SeverityCollapse, SeverityWarning:
		return nil
	}
	return fmt.Errorf("severity %q of an episode: want %q or %q", e.Severity, SeverityCollapse, SeverityWarning)
}

func (e Ended) check() error {
	switch e.State {
	case StateDone, StateFailed, StateInterrupted, StatePreempted:
		return nil
	}
	return fmt.Errorf("state %q of an attempt's end: want %q, %q, %q or %q",
		e.State, StateDone, StateFailed, StateInterrupted, StatePreempted)
}

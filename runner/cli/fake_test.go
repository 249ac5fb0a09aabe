package cli_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"headroom/data/source"
	"headroom/data/synthetic"
	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/models/hf"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// fakeWorker does what a worker does, without computing: it writes the files
// that a finished job leaves behind. FAKE_FAIL names a part of a job's id or
// recipe that fails, FAKE_HANG is a file to be made by a job that then waits to
// be interrupted (with FAKE_STUBBORN, twice), FAKE_COLLAPSE the verdict of runs, which is no collapse otherwise.
func fakeWorker(args []string) int {
	flags := map[string]string{}
	for i := 1; i+1 < len(args); i += 2 {
		flags[strings.TrimPrefix(args[i], "--")] = args[i+1]
	}
	kind, id := flags["kind"], flags["id"]
	if kind == "check" {
		if backend := flags["backend"]; backend != "go" {
			fmt.Fprintf(os.Stderr, "headroom: open backend %q: no such device\n", backend)
			return 2
		}
		if precision := flags["precision"]; precision != "float32" {
			fmt.Fprintf(os.Stderr, "headroom: precision %q needs XLA\n", precision)
			return 2
		}
		return 0
	}
	w, err := workspace.Open(flags["workspace"])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if part := os.Getenv("FAKE_FAIL"); part != "" && strings.HasPrefix(id, part) {
		fmt.Fprintln(os.Stderr, "headroom: tensor of the wrong shape")
		return 1
	}
	if file := os.Getenv("FAKE_HANG"); file != "" && kind == "run" {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
		os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o644)
		signals := 1
		if os.Getenv("FAKE_STUBBORN") != "" {
			signals = 2
		}
		for range signals {
			select {
			case <-stop:
			case <-time.After(time.Minute):
				return 1
			}
		}
		return 130
	}
	if err := fakeJob(w, kind, id); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func fakeJob(w workspace.Workspace, kind, id string) error {
	switch kind {
	case "pretrain":
		recipe, _, err := w.ReadRecipe(id)
		if err != nil {
			return err
		}
		if err := (pool.Message{Type: pool.TypeProgress, Phase: "pretrain", Step: 1, Steps: recipe.Train.Steps}).Write(os.Stdout); err != nil {
			return err
		}
		return fakeModelOf(w.Backbone(id), recipe.Model.Positions)
	case "baseline":
		b, config, err := w.ReadBaseline(id)
		if err != nil {
			return err
		}
		e, err := fakeBaseline(w, b, config)
		if err != nil {
			return err
		}
		return fakeSummary(w.Baseline(id), evaluate.Summary{Evaluation: e.Record()}, 0.4)
	case "run":
		return fakeRun(w, id)
	case "evaluate":
		log, err := event.Create(w.Run(id))
		if err != nil {
			return err
		}
		if err := fakeEvaluations(w, id, log); err != nil {
			return err
		}
		if err := log.Append(event.Ended{State: event.StateDone, Step: 1, Weights: "sha256:aa"}); err != nil {
			return err
		}
		return log.Close()
	default:
		return fmt.Errorf("no fake of kind %q", kind)
	}
}

// fakeModel writes a model of the sample recipe's shape, untrained.
func fakeModel(folder string) error { return fakeModelOf(folder, 32) }

func fakeModelOf(folder string, positions int) error {
	config, err := hf.NewConfig(hf.Shape{
		ModelType: "bert", Vocab: len(words) + 5, Hidden: 8, Layers: 1, Heads: 2, Intermediate: 16, Positions: positions,
		Tie: true, InitStd: 0.02, CLS: 2, SEP: 3, PAD: 0,
	})
	if err != nil {
		return err
	}
	params := map[string]*hf.Param{}
	random := rand.New(rand.NewPCG(1, 2))
	for _, spec := range config.Params() {
		size := 1
		for _, n := range spec.Shape {
			size *= n
		}
		values := make([]float32, size)
		for i := range values {
			values[i] = float32(random.NormFloat64())
		}
		params[spec.Name] = &hf.Param{Name: spec.Name, Shape: spec.Shape, Data: values}
	}
	return hf.Save(folder, hf.SaveModel{
		Config: config, Params: params, Tied: true, MaxSeqLength: positions,
		Tokenizer: []byte(tinyTokenizer),
	})
}

func fakeRun(w workspace.Workspace, id string) error {
	config, _, err := w.ReadRun(id)
	if err != nil {
		return err
	}
	if _, err := w.ReadProvenance(id); err != nil {
		return err // it must be there before any compute
	}
	log, err := event.Create(w.Run(id))
	if err != nil {
		return err
	}
	verdict := "healthy"
	if os.Getenv("FAKE_COLLAPSE") != "" {
		verdict = os.Getenv("FAKE_COLLAPSE")
	}
	steps := config.Train.Steps
	events := []event.Event{
		event.Started{Run: id, Attempt: log.Attempt(), Host: "here", PID: os.Getpid(), Steps: steps, Facts: event.Facts{Rescale: fakeFactor(config), Batch: config.Train.Batch, Candidates: config.Train.Batch, Vocab: 10, Loss: "infonce"}},
	}
	for step := range steps {
		events = append(events, event.Step{Step: step, Values: map[string]event.Value{"loss": event.Value(1 / float64(step+1))}})
	}
	if verdict == "identical" {
		episode := event.Episode{Detector: "identical", Version: 1, Verdict: "identical", Severity: event.SeverityCollapse, FirstStep: 1, LastStep: steps - 1, Stands: true,
			Evidence: event.Evidence{Series: "cosine/query", Rule: "cosine above 0.95", Threshold: 0.95, Window: 5, Observed: []event.Point{{Step: 1, Value: 0.99}}}}
		events = append(events, episode)
		if err := (pool.Message{Type: pool.TypeCollapse, Episode: &episode}).Write(os.Stdout); err != nil {
			return err
		}
	}
	events = append(events, event.Judged{Verdict: verdict})
	for _, e := range events {
		if err := log.Append(e); err != nil {
			return err
		}
	}
	if verdict != "non_finite" {
		if err := fakeModel(filepath.Join(w.Run(id), "model")); err != nil {
			return err
		}
	}
	if err := fakeEvaluations(w, id, log); err != nil {
		return err
	}
	if err := log.Append(event.Ended{State: event.StateDone, Step: steps, Seconds: 1.5, Weights: "sha256:aa"}); err != nil {
		return err
	}
	answer := &pool.Answer{Verdict: verdict, Measure: "nDCG@10", Dataset: "./data", Value: 0.5}
	if err := (pool.Message{Type: pool.TypeResult, Result: answer}).Write(os.Stdout); err != nil {
		return err
	}
	return log.Close()
}

// fakeFactor is the result of every automatic choice of k.
func fakeFactor(c sweeps.RunConfig) float64 {
	if c.Model.Rescale.Auto != "" {
		return 4
	}
	return 0
}

func fakeSummary(folder string, s evaluate.Summary, value float64) error {
	s.Queries, s.Documents, s.Schema = 2, 3, 1
	s.Measures = map[string]float64{"nDCG@10": value, "RR@10": value, "R@1000": value}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	perQuery := "query\tmeasure\tvalue\n"
	for _, q := range []string{"q1", "q2"} {
		for _, m := range []string{"nDCG@10", "RR@10", "R@1000"} {
			perQuery += fmt.Sprintf("%s\t%s\t%v\n", q, m, value)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, evaluate.PerQueryFile), []byte(perQuery), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, evaluate.SummaryFile), text, 0o644)
}

func fakeBaseline(w workspace.Workspace, b record.Baseline, config sweeps.RunConfig) (plan.Evaluation, error) {
	digest, err := fakeDigest(b.Dataset)
	if b.Name == sweeps.BM25 {
		return plan.BM25Evaluation(w.Root, config, b.Dataset, b.Split, digest), err
	}
	return plan.UntrainedEvaluation(w.Root, config, b.Inputs, b.Dataset, b.Split, digest), err
}

func fakeDigest(ref string) (string, error) {
	resolver := &source.Resolver{DataRoot: os.Getenv("HEADROOM_DATA"), CacheDir: os.Getenv("HEADROOM_CACHE"), Builtin: func(cache string) (source.Builtin, error) {
		demo, err := synthetic.Ensure(cache)
		return source.Builtin(demo), err
	}}
	folder, err := resolver.Data(ref)
	if err != nil {
		return "", err
	}
	return resolver.DigestCollection(folder, plan.FinalSplit)
}

func fakeEvaluations(w workspace.Workspace, id string, log *event.Log) error {
	config, _, err := w.ReadRun(id)
	if err != nil {
		return err
	}
	for _, ref := range config.Evaluate.Final {
		digest, err := fakeDigest(ref)
		if err != nil {
			return err
		}
		e := plan.RunEvaluation(w.Root, sweeps.ID(id), config, ref, plan.FinalSplit, digest)
		s := evaluate.Summary{Evaluation: e.Record()}
		if err := fakeSummary(e.Folder, s, 0.5); err != nil {
			return err
		}
		if s, err = evaluate.ReadSummary(e.Folder); err != nil {
			return err
		}
		if err := log.Append(s.Event(filepath.Join("evaluations", e.ID))); err != nil {
			return err
		}
	}
	return nil
}

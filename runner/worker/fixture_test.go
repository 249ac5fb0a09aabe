package worker_test

import (
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/collection"
	"headroom/data/source"
	"headroom/data/synthetic"
	"headroom/metrics/event"
	"headroom/models/hf"
	"headroom/runner/plan"
	"headroom/runner/worker"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// bench is a workspace with a small world and a small, untrained backbone: real
// runs of a second or two.
type bench struct {
	files    workspace.Workspace
	backbone string
	data     string
	resolver *source.Resolver
}

func newBench(t testing.TB, architecture string) bench {
	t.Helper()
	return newBenchOf(t, architecture, 0, false)
}

// newBenchOf sets the decoder's bias, which decides how sparse vectors start, and
// may give every training query a document that has nothing to do with it.
func newBenchOf(t testing.TB, architecture string, bias float32, pointless bool) bench {
	t.Helper()
	return newBenchOfSize(t, architecture, bias, pointless, 32, 1)
}

func newBenchOfSize(t testing.TB, architecture string, bias float32, pointless bool, hidden, layers int) bench {
	t.Helper()
	return newBenchIn(t, synthetic.Size{Documents: 120, Train: 150, Dev: 10, Test: 20, NoOverlap: 2}, architecture, bias, pointless, hidden, layers)
}

// newBenchIn has a world of its own size.
func newBenchIn(t testing.TB, size synthetic.Size, architecture string, bias float32, pointless bool, hidden, layers int) bench {
	t.Helper()
	root := t.TempDir()
	w, err := workspace.OpenOrCreate(filepath.Join(root, "workspace"))
	if err != nil {
		t.Fatal(err)
	}
	b := bench{files: w, backbone: filepath.Join(root, "backbone"), data: filepath.Join(root, "world")}
	world, err := synthetic.New(3, size)
	if err != nil {
		t.Fatal(err)
	}
	if pointless {
		for query, judged := range world.Qrels[collection.Train] {
			clear(judged)
			judged[world.Documents[int(query[len(query)-1]+query[len(query)-2]*7)%len(world.Documents)].ID] = 1
		}
	}
	if err := world.Write(b.data); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, d := range world.Documents {
		texts = append(texts, d.Content())
	}
	for _, q := range world.Queries {
		texts = append(texts, q.Text)
	}
	tokenizer, err := synthetic.Tokenizer(texts)
	if err != nil {
		t.Fatal(err)
	}
	special := tokenizer.Special()
	cfg, err := hf.NewConfig(hf.Shape{
		ModelType: architecture, Vocab: tokenizer.VocabSize(), Hidden: hidden, Layers: layers, Heads: 2, Intermediate: 3 * hidden / 2, Positions: 64,
		InitStd: .02, CLS: int(special.CLS), SEP: int(special.SEP), PAD: int(special.PAD), LocalAttention: 16, GlobalEvery: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	params := hf.FreshParams(cfg, rand.New(rand.NewPCG(5, 5)), .15)
	if decoderBias := params[cfg.DecoderBiasName()]; decoderBias != nil {
		for i := range decoderBias.Data {
			decoderBias.Data[i] = bias
		}
	}
	// The decoder looks like the embeddings, as a pretrained one's does: a text's
	// own words are active.
	copy(params[cfg.DecoderName()].Data, params[cfg.EmbeddingName()].Data)
	if err := hf.Save(b.backbone, hf.SaveModel{Config: cfg, Params: params, Tokenizer: tokenizer.Bytes(), MaxSeqLength: 48}); err != nil {
		t.Fatal(err)
	}
	b.resolver = source.New(source.Environment{Getenv: func(name string) string {
		if name == "HEADROOM_CACHE" {
			return filepath.Join(root, "cache")
		}
		return ""
	}})
	return b
}

// config is a healthy run of the bench; edit makes of it what a test wants.
func (b bench) config(edit func(*sweeps.RunConfig)) sweeps.RunConfig {
	cfg := sweeps.Defaults()
	cfg.Seed = 1
	cfg.Model.Backbone, cfg.Model.Rescale = b.backbone, sweeps.Rescale{K: 1}
	cfg.Data.Train, cfg.Data.MaxQuery, cfg.Data.MaxDocument = b.data, 16, 40
	cfg.Train.Steps, cfg.Train.Batch, cfg.Train.LR = 40, 8, 3e-3
	cfg.Regularizer.LambdaQuery, cfg.Regularizer.LambdaDocument = 1e-3, 1e-3
	cfg.Evaluate.Final, cfg.Evaluate.Measures = []string{b.data}, []string{"nDCG@10"}
	cfg.Compute.Backend, cfg.Compute.Threads = "go", 1
	if edit != nil {
		edit(&cfg)
	}
	return cfg
}

// prepare writes a run into the workspace, as `headroom run` does.
func (b bench) prepare(t testing.TB, cfg sweeps.RunConfig) string {
	t.Helper()
	in := b.inputs(t, cfg)
	id := string(sweeps.RunID(cfg, in))
	if err := b.files.WriteRun(id, cfg, in); err != nil {
		t.Fatal(err)
	}
	return id
}

// inputs are the digests of what a run starts from, as a plan takes them.
func (b bench) inputs(t testing.TB, cfg sweeps.RunConfig) (in sweeps.Inputs) {
	t.Helper()
	model, err := b.resolver.Checkpoint(cfg.Model.Backbone)
	if err != nil {
		t.Fatal(err)
	}
	set, err := b.resolver.Training(cfg.Data.Train)
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.resolver.Survey(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	in = sweeps.Inputs{Weights: model.Weights, Tokenizer: model.Tokenizer, Data: data.Digest}
	if cfg.Selects() {
		in.During = b.devDigest(t, cfg)
	}
	return in
}

func (b bench) devDigest(t testing.TB, cfg sweeps.RunConfig) string {
	t.Helper()
	var digests []string
	for _, ref := range cfg.Evaluate.During {
		folder, err := b.resolver.Data(ref)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := b.resolver.DigestCollection(folder, plan.DuringSplit)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	return strings.Join(digests, "+")
}

// run does the job of a run in this process.
func (b bench) run(t testing.TB, id string, out io.Writer) error {
	t.Helper()
	return worker.Run(t.Context(), b.job(worker.KindRun, id), out)
}

func (b bench) job(kind, id string) worker.Job {
	return worker.Job{Workspace: b.files.Root, Kind: kind, ID: id, Resolver: b.resolver}
}

// ticking is the job of a run whose clock advances by a second at each reading, so that every step sends progress.
func (b bench) ticking(id string) worker.Job {
	job, now := b.job(worker.KindRun, id), time.Unix(0, 0)
	job.Now = func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	return job
}

// events reads one attempt's log.
func (b bench) events(t testing.TB, id string, attempt int) []event.Record {
	t.Helper()
	records, err := event.Read(event.Path(b.files.Run(id), attempt))
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// last finds the last event of a type in a log.
func last[E event.Event](t testing.TB, records []event.Record) E {
	t.Helper()
	for i := len(records) - 1; i >= 0; i-- {
		if e, ok := records[i].Event.(E); ok {
			return e
		}
	}
	var none E
	t.Fatalf("the log has no %q event", none.Kind())
	return none
}

package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headroom/data/examples"
	"headroom/data/source"
	"headroom/internal/seal"
	"headroom/sweeps"
)

// inputs finds the data and models of runs, each reference once, and gathers their
// faults.
type inputs struct {
	ctx      context.Context // of the call of Make
	spec     *sweeps.Spec
	resolver source.Resolver
	read     func(name string) (*sweeps.Recipe, error)
	models   map[string]model
	sets     map[string]set
	made     map[string]recipe
	order    []string // recipes in the order of their first use
	batches  map[string]error
	faults   sweeps.Faults
	notices  []string
	noted    map[string]bool
}

// model describes a backbone. why is the reason why it cannot be used yet.
type model struct {
	weights, tokenizer, why string
	recipe                  sweeps.ID
	parameters              int64  // 0 if they are not known
	precision               string // of a recipe that is not made yet
	positions               int
	tokens                  source.Tokens // zero if they are not known yet
	form                    source.Form   // of the folder itself
	noBias                  bool          // behind its decoder
	bad                     bool
}

// set describes a collection's split, or training data.
type set struct {
	digest, why string
	facts       source.Facts // of a split
	training    examples.Set // for training data
	survey      examples.Survey
	bad         bool
}

// recipe describes a pretraining recipe.
type recipe struct {
	recipe sweeps.Recipe
	id     sweeps.ID
	in     sweeps.Inputs
	tokens source.Tokens
	why    string
	noBias bool // of the checkpoint that it starts from
	bad    bool
}

func newInputs(ctx context.Context, o Options) *inputs {
	in := &inputs{
		ctx: ctx, spec: o.Spec, resolver: *o.Resolver, read: o.Recipe,
		models: map[string]model{}, sets: map[string]set{}, made: map[string]recipe{}, batches: map[string]error{}, noted: map[string]bool{},
	}
	in.resolver.Workspace = o.Workspace
	in.resolver.RecipeID = func(name string) (string, error) {
		made := in.recipe(name)
		if made.id == "" {
			return "", fmt.Errorf("%w: %s", source.ErrUnresolved, made.why)
		}
		return string(made.id), nil
	}
	return in
}

func (in *inputs) fault(key, value, message string) {
	fault := sweeps.Fault{File: in.spec.SourceOf(key), Key: key, Value: value, Message: message}
	for _, known := range in.faults {
		if known == fault {
			return
		}
	}
	in.faults = append(in.faults, fault)
}

// model finds a backbone.
func (in *inputs) model(key, ref string) model {
	if known, ok := in.models[ref]; ok {
		return known
	}
	var m model
	if name, ok := strings.CutPrefix(ref, "recipe:"); ok {
		m = in.recipeModel(key, ref, name)
	} else {
		checkpoint, err := in.resolver.Checkpoint(ref)
		m = model{weights: checkpoint.Weights, tokenizer: checkpoint.Tokenizer, positions: checkpoint.Positions, tokens: checkpoint.Tokens, form: checkpoint.Form, noBias: checkpoint.NoDecoderBias}
		if err != nil {
			m = in.absentModel(key, ref, err)
		} else if n, err := in.resolver.Parameters(checkpoint.Folder); err == nil { // without them less is foreseen
			m.parameters = n
		}
	}
	in.models[ref] = m
	return m
}

func (in *inputs) absentModel(key, ref string, err error) model {
	if errors.Is(err, source.ErrUnresolved) {
		return model{why: err.Error()}
	}
	in.fault(key, fmt.Sprintf("%q", ref), err.Error())
	return model{bad: true}
}

// recipeModel describes the backbone of a recipe. Its identity is known before it is
// made.
func (in *inputs) recipeModel(key, ref, name string) model {
	made := in.recipe(name)
	if made.bad {
		return model{bad: true}
	}
	m := model{tokenizer: made.in.Tokenizer, why: made.why, positions: made.recipe.Model.Positions, tokens: made.tokens, precision: made.recipe.Train.Precision, noBias: made.noBias}
	if made.id == "" {
		return m
	}
	m.weights, m.recipe = "recipe:"+string(made.id), made.id
	checkpoint, err := in.resolver.Checkpoint("recipe:" + string(made.id))
	switch {
	case err == nil:
		m.recipe, m.precision, m.positions = "", "", checkpoint.Positions
	case errors.Is(err, source.ErrUnresolved):
		m.why = fmt.Sprintf("its backbone is not made yet: recipe %s (%s)", name, made.id.Short())
	case seal.IsDamage(err):
		m.why = fmt.Sprintf("its backbone is made again by its recipe %s (%s): %v", name, made.id.Short(), err)
	default:
		in.fault(key, fmt.Sprintf("%q", ref), fmt.Sprintf("%v; remove the folder to have it made again", err))
		m.bad = true
	}
	return m
}

// data finds one split of a collection.
func (in *inputs) data(key, ref, split string) set {
	return in.set(key, ref, split, func() (set, error) {
		folder, err := in.resolver.Data(ref)
		s := set{}
		if err == nil {
			s.facts, err = in.resolver.CollectionFacts(folder, split)
		}
		if err == nil {
			s.digest, err = in.resolver.DigestCollection(folder, split)
		}
		return s, err
	})
}

// training finds the training data of a run.
func (in *inputs) training(ref string) set {
	return in.set("data.train", ref, "to train on", func() (set, error) {
		found, err := in.resolver.Training(ref)
		s := set{training: found}
		if err == nil {
			s.survey, err = in.resolver.Survey(in.ctx, found)
			s.digest = s.survey.Digest
		}
		return s, err
	})
}

func (in *inputs) set(key, ref, use string, find func() (set, error)) set {
	name := ref + "\x00" + use
	if known, ok := in.sets[name]; ok {
		return known
	}
	s, err := find()
	switch {
	case err == nil:
	case errors.Is(err, source.ErrUnresolved):
		s = set{why: err.Error()}
	case in.ctx.Err() != nil: // Make reports it
		return set{bad: true}
	default:
		in.fault(key, fmt.Sprintf("%q", ref), err.Error())
		s = set{bad: true}
	}
	in.sets[name] = s
	return s
}

// recipe identifies a recipe by its settings and the digests of its data.
func (in *inputs) recipe(name string) recipe {
	if known, ok := in.made[name]; ok {
		return known
	}
	made := in.identify(name)
	in.made[name] = made
	in.order = append(in.order, name)
	return made
}

func (in *inputs) identify(name string) recipe {
	key := "model.backbone"
	if in.read == nil {
		in.fault(key, fmt.Sprintf("%q", "recipe:"+name), "no recipes are known here")
		return recipe{bad: true}
	}
	read, err := in.read(name)
	var faults sweeps.Faults
	switch {
	case errors.As(err, &faults):
		in.faults = append(in.faults, faults...)
		return recipe{bad: true}
	case err != nil:
		in.fault(key, fmt.Sprintf("%q", "recipe:"+name), err.Error())
		return recipe{bad: true}
	case read.Name != name:
		in.fault(key, fmt.Sprintf("%q", "recipe:"+name), fmt.Sprintf("the recipe of that file calls itself %q", read.Name))
		return recipe{bad: true}
	}
	made := recipe{recipe: *read}
	made.recipe.Data.Text = nil
	for _, ref := range read.Data.Text {
		made.recipe.Data.Text = append(made.recipe.Data.Text, in.resolver.Absolute(ref))
	}
	made.recipe.Start.Folder = in.resolver.Absolute(read.Start.Folder)
	made.recipe.Tokenizer = in.resolver.Absolute(read.Tokenizer)
	in.digests(name, &made)
	if made.why == "" && !made.bad {
		made.id = sweeps.RecipeID(*read, made.in)
	}
	return made
}

// digests sets the digests of a recipe's data; absent data leave a reason.
func (in *inputs) digests(name string, made *recipe) {
	note := func(key string, err error) {
		switch {
		case err == nil:
		case errors.Is(err, source.ErrUnresolved):
			made.why = err.Error()
		default:
			in.fault("recipe "+name+": "+key, "", err.Error())
			made.bad = true
		}
	}
	r := made.recipe
	if r.Start.Folder != "" {
		start, err := in.resolver.Checkpoint(r.Start.Folder)
		note("start.folder", err)
		made.in.Weights, made.in.Tokenizer, made.tokens, made.noBias = start.Weights, start.Tokenizer, start.Tokens, start.NoDecoderBias
		if err == nil && made.recipe.Model.Positions == 0 {
			made.recipe.Model.Positions = start.Positions
		}
	}
	if r.Tokenizer != "" {
		path, err := in.resolver.Tokenizer(r.Tokenizer)
		var tokens source.Tokens
		if err == nil {
			tokens, err = in.resolver.Tokens(path)
		}
		made.in.Tokenizer = tokens.Digest
		made.tokens.Vocabulary, made.tokens.Special = max(made.tokens.Vocabulary, tokens.Vocabulary), tokens.Special
		note("tokenizer", err)
	}
	var texts []string
	for _, ref := range r.Data.Text {
		folder, err := in.resolver.Data(ref)
		digest := ""
		if err == nil {
			digest, err = in.resolver.DigestCorpus(folder)
		}
		note("data.text", err)
		texts = append(texts, digest)
	}
	made.in.Data = strings.Join(texts, "+")
}

// checkComputable finds a run that waits for a recipe which the backend of the runs cannot compute.
func (in *inputs) checkComputable(run Run, backbone model) {
	if c := run.Config; backbone.precision == "bfloat16" && c.Compute.Backend == "go" && !run.State.Finished() {
		in.fault("compute.backend", `"go"`, fmt.Sprintf("%s is pretrained in bfloat16, and the Go backend computes in float32 only: set compute.backend = \"xla\" or \"auto\", or make the backbone first (headroom pretrain --backend xla)", c.Model.Backbone))
	}
}

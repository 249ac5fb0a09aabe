package hf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/modelfolder"
	"headroom/models/safetensors"
)

// Param is one parameter's values in row-major order.
type Param struct {
	Name  string
	Shape []int
	Data  []float32
}

// Options of Load; the zero value asks for a complete masked language model.
type Options struct {
	// WithoutHead accepts a folder that has no tensor of the MLM head, such as a plain encoder. A head that is
	// there is loaded all the same; half a head stays an error.
	WithoutHead bool
}

// Checkpoint is a loaded folder.
type Checkpoint struct {
	Folder      string // as given to Load
	Transformer string // the folder with config.json, tokenizer.json and weights: Folder or one inside it
	Config      Config

	// Tensors holds the parameters of Config.Params by canonical name, or only the encoder's if MissingHead is
	// set. If Tied is set, the decoder and the input embeddings share their Data.
	Tensors map[string]*Param

	// Tied is true if decoder and input embeddings are one parameter: the config says so, and the file has one
	// of the two or two equal ones. TiedInFile is true if the file has only one.
	Tied, TiedInFile bool

	unused *source // the decoder's bias under its first name, if the file has the second name too

	MissingHead bool     // the files have an encoder and nothing else
	Ignored     []string // names in the files that are no parameters, ascending

	// Notices tell a user what is odd about a folder that loads: sources that disagree, settings that are not
	// obeyed. Each is a sentence that names file and key.
	Notices []string

	SparseEncoder *SparseEncoder // nil: no modules.json, a bare transformers folder
}

// Load reads a folder completely or not at all: see the package comment for what is checked.
func Load(folder string, opts Options) (*Checkpoint, error) {
	ck, err := load(folder, opts)
	if err != nil {
		return nil, fmt.Errorf("load model %q: %w", folder, err)
	}
	return ck, nil
}

func load(folder string, opts Options) (*Checkpoint, error) {
	ck := &Checkpoint{Folder: folder}
	var err error
	if ck.Transformer, ck.SparseEncoder, err = openLayout(folder); err != nil {
		return nil, err
	}
	if err := modelfolder.Check(ck.Transformer); err != nil {
		return nil, err
	}
	configPath := filepath.Join(ck.Transformer, "config.json")
	text, err := os.ReadFile(configPath)
	if err != nil {
		return nil, err
	}
	if ck.Config, err = ParseConfig(configPath, text); err != nil {
		return nil, err
	}
	ck.Notices = append(ck.Notices, ck.Config.notices(configPath)...)
	var modules []Module
	if ck.SparseEncoder != nil {
		ck.Notices = append(ck.Notices, ck.SparseEncoder.Notices...)
		modules = ck.SparseEncoder.Modules
	}
	strange, err := unknownFiles(folder, modules)
	if err != nil {
		return nil, err
	}
	if strange != "" {
		ck.Notices = append(ck.Notices, strange)
	}
	w, err := openWeights(ck.Transformer)
	if err != nil {
		return nil, err
	}
	defer w.close()
	sources, err := ck.match(w, opts)
	if err != nil {
		return nil, err
	}
	return ck, ck.readValues(sources)
}

// source is the place of a parameter's values.
type source struct {
	file *safetensors.File
	name string // in the file
}

// match decides which tensor of the files fills which parameter, and sets every field of the checkpoint but the
// values. Its error lists every tensor and parameter that does not fit.
func (ck *Checkpoint) match(w *weights, opts Options) (map[string]source, error) {
	c := ck.Config
	specs := map[string]ParamSpec{}
	for _, s := range c.Params() {
		specs[s.Name] = s
	}
	second := c.Names().SecondBias
	if second != "" {
		bias := specs[c.DecoderBiasName()]
		bias.Name = second
		specs[second] = bias
	}

	var faults []error
	sources := map[string]source{}
	list := w.tensors()
	wrapper, err := ck.wrapper(list, specs)
	if err != nil {
		return nil, err
	}
	for _, src := range list {
		name := c.canonical(strings.TrimPrefix(src.name, wrapper))
		spec, known := specs[name]
		switch {
		case !known && c.family().MayIgnore(name):
			ck.Ignored = append(ck.Ignored, src.name)
			continue
		case !known:
			faults = append(faults, fmt.Errorf("tensor %q of %q is not a parameter of a %s model", src.name, src.file.Path(), c.ModelType))
			continue
		}
		if other, twice := sources[name]; twice {
			faults = append(faults, fmt.Errorf("tensors %q and %q are both %q", other.name, src.name, name))
			continue
		}
		sources[name] = src
		dtype, shape, _ := src.file.Info(src.name)
		if !slices.Equal(shape, spec.Shape) {
			faults = append(faults, fmt.Errorf("tensor %q of %q has shape %v, the config gives %v", src.name, src.file.Path(), shape, spec.Shape))
		}
		if dtype != safetensors.F32 && dtype != safetensors.F16 && dtype != safetensors.BF16 {
			faults = append(faults, fmt.Errorf("tensor %q of %q has dtype %s (allowed: F32, F16, BF16)", src.name, src.file.Path(), dtype))
		}
	}
	slices.Sort(ck.Ignored)

	if src, ok := sources[second]; ok { // if the file has both biases, the second counts
		if first, both := sources[c.DecoderBiasName()]; both {
			ck.Ignored = append(ck.Ignored, first.name)
			slices.Sort(ck.Ignored)
			ck.unused = &first
		}
		sources[c.DecoderBiasName()] = src
		delete(sources, second)
	}
	ck.tie(sources)
	faults = append(faults, ck.missingTensors(sources, opts)...)
	return sources, errors.Join(faults...)
}

// tie lets one file tensor fill both ends of a tied pair if the config allows it.
func (ck *Checkpoint) tie(sources map[string]source) {
	c := ck.Config
	embedding, hasEmbedding := sources[c.EmbeddingName()]
	decoder, hasDecoder := sources[c.DecoderName()]
	if !c.TieWordEmbeddings || hasEmbedding == hasDecoder {
		return
	}
	if hasDecoder {
		sources[c.EmbeddingName()] = decoder
		ck.Tied, ck.TiedInFile = true, true
		return
	}
	for _, s := range c.Params() { // an encoder alone has nothing to tie
		if _, ok := sources[s.Name]; ok && s.Head {
			sources[c.DecoderName()] = embedding
			ck.Tied, ck.TiedInFile = true, true
			return
		}
	}
}

// missingTensors lists the parameters that no tensor fills, and recognises an encoder without a head.
func (ck *Checkpoint) missingTensors(sources map[string]source, opts Options) []error {
	var encoder, head []error
	heads := 0
	for _, s := range ck.Config.Params() {
		if s.Head {
			heads++
		}
		if _, ok := sources[s.Name]; ok {
			continue
		}
		err := fmt.Errorf("parameter %q %v is in no file", s.Name, s.Shape)
		if s.Name == ck.Config.DecoderName() && !ck.Config.TieWordEmbeddings {
			err = fmt.Errorf("%w (the config says tie_word_embeddings false)", err)
		}
		if s.Head {
			head = append(head, err)
		} else {
			encoder = append(encoder, err)
		}
	}
	if len(head) < heads {
		return append(encoder, head...)
	}
	ck.MissingHead = true
	if !opts.WithoutHead {
		names := make([]string, 0, len(head))
		for _, s := range ck.Config.Params() {
			if s.Head {
				names = append(names, s.Name)
			}
		}
		encoder = append(encoder, fmt.Errorf("%w: none of %s is in the files; use it as the start of MLM pretraining with a new head",
			ErrMissingHead, strings.Join(names, ", ")))
	}
	return encoder
}

// ErrMissingHead is returned when a folder holds an encoder without an MLM head and Options.WithoutHead is not set.
var ErrMissingHead = errors.New("folder has no MLM head")

// readValues copies the values of all parameters into ck.Tensors.
func (ck *Checkpoint) readValues(sources map[string]source) error {
	c := ck.Config
	ck.Tensors = make(map[string]*Param, len(sources))
	for _, s := range c.Params() {
		src, ok := sources[s.Name]
		if !ok {
			continue // the head of an encoder alone
		}
		if s.Name == c.DecoderName() && ck.TiedInFile {
			ck.Tensors[s.Name] = &Param{Name: s.Name, Shape: s.Shape, Data: ck.Tensors[c.EmbeddingName()].Data}
			continue
		}
		data, err := src.file.Float32(src.name)
		if err != nil {
			return err
		}
		ck.Tensors[s.Name] = &Param{Name: s.Name, Shape: s.Shape, Data: data}
	}
	if decoder, ok := ck.Tensors[c.DecoderName()]; ok && c.TieWordEmbeddings && !ck.Tied {
		// Both are in the file. transformers ties them only if they are equal.
		embedding := ck.Tensors[c.EmbeddingName()]
		if slices.Equal(decoder.Data, embedding.Data) {
			decoder.Data, ck.Tied = embedding.Data, true
		} else {
			ck.Notices = append(ck.Notices, fmt.Sprintf("%s: tie_word_embeddings is true, but %q and %q differ: each is taken as it is, untied, as transformers 5 does; transformers 4 takes the first for both",
				filepath.Join(ck.Transformer, "config.json"), sources[c.EmbeddingName()].name, sources[c.DecoderName()].name))
		}
	}
	return ck.compareBiases(sources)
}

package hf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/atomic"
	"headroom/internal/seal"
	"headroom/models/safetensors"
)

// SaveModel is what Save writes.
type SaveModel struct {
	Config Config
	Params map[string]*Param // by canonical name; all of Config.Params. If Tied is set the decoder's entry is ignored
	Tied   bool              // decoder and input embeddings are one; false writes the decoder and says so in config.json

	// Tokenizer is a tokenizer.json; required. The other tokenizer files are made from it, so it must hold every
	// setting that was obeyed, also those that came from another file of the source folder.
	Tokenizer []byte
	// SpecialTokens are tokens by the key of their role ("pad_token"). A role that is not given gets the token with
	// one of its usual spellings.
	SpecialTokens map[string]string

	MaxSeqLength                int    // texts are cut to this many tokens; required
	Pooling                     string // "max" or "sum"; "" is max
	Activation                  string // "relu" or "log1p_relu", as SpladePooling names them; "" is relu
	QueryPrompt, DocumentPrompt string // put before queries and documents; "" is nothing
	TopK                        int    // terms kept per text, sentence-transformers' max_active_dims; 0 is all
	TokenTopM                   int    // logits that a token keeps before pooling, which only headroom obeys; 0 is all
	Card                        string // README.md; "" writes a short one
}

// Save writes a sentence-transformers SparseEncoder folder (the layout of version 5, which 6 reads) that transformers
// also loads as a *ForMaskedLM. The folder is complete or not there (package internal/atomic); MANIFEST holds the digests
// of its files. A model that is there already is replaced; any other folder that is not empty is an error.
func Save(folder string, m SaveModel) error {
	if err := save(atomic.Disk{}, folder, m); err != nil {
		return fmt.Errorf("save model %q: %w", folder, err)
	}
	return nil
}

func save(disk atomic.Disk, folder string, m SaveModel) error {
	files, err := m.textFiles()
	if err != nil {
		return err
	}
	tensors, err := m.tensors()
	if err != nil {
		return err
	}
	if err := replaceable(folder); err != nil {
		return err
	}
	return disk.ReplaceFolder(folder, func(to *atomic.Folder) error {
		for _, f := range files {
			if err := to.WriteFile(f.name, func(w io.Writer) error { _, err := w.Write(f.data); return err }); err != nil {
				return err
			}
		}
		err := to.WriteFile(singleFile, func(w io.Writer) error {
			return safetensors.Encode(w, tensors, map[string]string{"format": "pt"})
		})
		if err != nil {
			return err
		}
		manifest, err := seal.Manifest(to.Path())
		if err != nil {
			return err
		}
		return to.WriteFile(seal.ManifestFile, func(w io.Writer) error { _, err := w.Write(manifest); return err })
	})
}

// replaceable refuses to write over anything but a model or an empty folder.
func replaceable(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	for _, name := range []string{"config.json", singleFile} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("folder is not empty and not a model (%s is not in it), so it is not replaced", name)
		}
	}
	return nil
}

// tensors lists the tensors for the weights' file and checks them against the config.
func (m SaveModel) tensors() ([]safetensors.Tensor, error) {
	c := m.Config
	var out []safetensors.Tensor
	var faults []error
	known := map[string]bool{}
	for _, s := range c.Params() {
		known[s.Name] = true
		if m.Tied && s.Name == c.DecoderName() {
			continue
		}
		p, ok := m.Params[s.Name]
		if !ok {
			faults = append(faults, fmt.Errorf("parameter %q is missing", s.Name))
			continue
		}
		if !slices.Equal(p.Shape, s.Shape) {
			faults = append(faults, fmt.Errorf("parameter %q has shape %v, the config gives %v", s.Name, p.Shape, s.Shape))
		}
		out = append(out, safetensors.Tensor{Name: s.Name, Shape: p.Shape, Data: p.Data})
		if second := c.Names().SecondBias; second != "" && s.Name == c.DecoderBiasName() {
			// transformers reads the second name and fills a missing one with zeros: version 5 joins the two names only
			// if the embeddings are tied, version 4 never does so for RoBERTa.
			out = append(out, safetensors.Tensor{Name: second, Shape: p.Shape, Data: p.Data})
		}
	}
	for name := range m.Params {
		if !known[name] {
			faults = append(faults, fmt.Errorf("parameter %q is not one of a %s model", name, c.ModelType))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return out, errors.Join(faults...)
}

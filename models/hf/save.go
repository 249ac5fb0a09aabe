package hf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/models/safetensors"
)

// SaveModel is what Save writes.
type SaveModel struct {
	Config Config
	Params map[string]*Param // by canonical name; all of Config.Params. Where Tied is set the decoder is not looked at
	Tied   bool              // decoder and input embeddings are one; false writes the decoder and says so in config.json

	// Tokenizer is a tokenizer.json that says everything; required. The files beside it are made from it: what a
	// foreign folder's said is in it already, or was not obeyed.
	Tokenizer []byte
	// SpecialTokens are tokens by their role's key ("pad_token"); those that are not given are looked for by the
	// usual spellings.
	SpecialTokens map[string]string

	MaxSeqLength int    // texts are cut to this many tokens; required
	Pooling      string // "max" or "sum"; "" is max
	Activation   string // "relu" or "log1p_relu", as SpladePooling names them; "" is relu
	TopK         int    // terms kept a text, sentence-transformers' max_active_dims; 0 is all
	Card         string // README.md; "" writes a short one
}

// Save writes a sentence-transformers SparseEncoder folder (the layout of version 5, which 6 reads) that transformers
// also loads as a *ForMaskedLM. It is built beside the target and renamed at the end, so the folder is complete or
// not there. A model that is there already is replaced; any other folder that is not empty is an error.
func Save(folder string, m SaveModel) error {
	if err := save(folder, m); err != nil {
		return fmt.Errorf("save model %q: %w", folder, err)
	}
	return nil
}

func save(folder string, m SaveModel) (err error) {
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
	parent := filepath.Dir(filepath.Clean(folder))
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(folder)+".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(temp, poolingFolder), 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeSynced(filepath.Join(temp, filepath.FromSlash(f.name)), f.data); err != nil {
			return err
		}
	}
	if err := safetensors.Write(filepath.Join(temp, singleFile), tensors, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	for _, d := range []string{filepath.Join(temp, poolingFolder), temp} {
		if err := syncFolder(d); err != nil {
			return err
		}
	}
	return putInPlace(temp, folder, parent)
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

// putInPlace renames the finished folder; an older one is moved aside first and removed last.
func putInPlace(temp, folder, parent string) error {
	old := ""
	if _, err := os.Stat(folder); err == nil {
		old = temp + ".old"
		if err := os.Rename(folder, old); err != nil {
			return err
		}
	}
	if err := os.Rename(temp, folder); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(old, folder))
		}
		return err
	}
	if err := syncFolder(parent); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(old)
}

// tensors lists what goes into the weights' file and checks it against the config.
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
			// transformers reads the second name: 5 joins the two only where the embeddings are tied, and RoBERTa
			// in 4 not even there. A name that is missing would be filled with zeros.
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

// writeSynced writes a file and waits until it is on the disk.
func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

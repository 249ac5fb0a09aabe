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

// The names under which transformers looks for weights.
const (
	singleFile = "model.safetensors"
	indexFile  = "model.safetensors.index.json"
)

// weights are a folder's open safetensors files.
type weights struct {
	files []*safetensors.File
}

func (w *weights) close() {
	for _, f := range w.files {
		f.Close() // read-only mapping: nothing can be lost
	}
}

// tensors lists what all files hold, in the order of files and names.
func (w *weights) tensors() []source {
	var out []source
	for _, f := range w.files {
		for _, name := range f.Names() {
			out = append(out, source{f, name})
		}
	}
	return out
}

// openWeights opens model.safetensors or, if that is not there, the shards of the index.
func openWeights(folder string) (*weights, error) {
	path := filepath.Join(folder, singleFile)
	if _, err := os.Stat(path); err == nil {
		f, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		return &weights{[]*safetensors.File{f}}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	index := filepath.Join(folder, indexFile)
	text, err := os.ReadFile(index)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noWeights(folder)
	}
	if err != nil {
		return nil, err
	}
	w, err := openShards(folder, index, text)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// noWeights explains a folder without safetensors.
func noWeights(folder string) error {
	for _, other := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
		if _, err := os.Stat(filepath.Join(folder, other)); err == nil {
			return fmt.Errorf("folder %q has %s but no %s: pickled weights are not read; convert them with\n"+
				"  cd %q && python3 -c \"import glob, torch, safetensors.torch as s; "+
				"w = {k: v.clone().contiguous() for f in sorted(glob.glob('pytorch_model*.bin')) "+
				"for k, v in torch.load(f, map_location='cpu', weights_only=True).items()}; "+
				"s.save_file(w, '%s', {'format': 'pt'})\"",
				folder, other, singleFile, folder, singleFile)
		}
	}
	return fmt.Errorf("folder %q has neither %s nor %s", folder, singleFile, indexFile)
}

// openShards opens the files of an index and checks that files and index agree tensor for tensor.
func openShards(folder, path string, text []byte) (w *weights, err error) {
	f, err := readFields(path, text)
	if err != nil {
		return nil, err
	}
	index := f.object("weight_map")
	if index == nil {
		f.addMissing("weight_map", "an object of tensor name to file name")
		return nil, f.err()
	}
	home := map[string]string{} // tensor → shard
	var shards []string
	for name := range index.values {
		shard := index.text(name)
		if shard != "" && (shard != filepath.Base(shard) || !strings.HasSuffix(shard, ".safetensors")) {
			index.fault(name, fmt.Sprintf("%q is not a file in this folder", shard), "NAME.safetensors")
		}
		home[name] = shard
		if !slices.Contains(shards, shard) {
			shards = append(shards, shard)
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if len(shards) == 0 {
		return nil, fmt.Errorf("read %s: weight_map is empty", path)
	}
	slices.Sort(shards)

	w = &weights{}
	var faults []error
	for _, shard := range shards {
		file, err := safetensors.Open(filepath.Join(folder, shard))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		w.files = append(w.files, file)
		for _, name := range file.Names() {
			switch home[name] {
			case shard:
				delete(home, name)
			case "":
				faults = append(faults, fmt.Errorf("tensor %q of %q is not in %q, or in two shards", name, file.Path(), path))
			default:
				faults = append(faults, fmt.Errorf("tensor %q is in %q, %q puts it into %q", name, file.Path(), path, home[name]))
			}
		}
	}
	if len(faults) == 0 {
		left := make([]string, 0, len(home))
		for name := range home {
			left = append(left, name)
		}
		slices.Sort(left)
		for _, name := range left {
			faults = append(faults, fmt.Errorf("tensor %q of %q is not in its shard %q", name, path, home[name]))
		}
	}
	if err := errors.Join(faults...); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

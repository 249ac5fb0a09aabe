package hf

import (
	"fmt"
	"slices"
	"strings"
)

// compareBiases adds a notice if the two names of the decoder's bias have different values.
func (ck *Checkpoint) compareBiases(sources map[string]source) error {
	if ck.unused == nil {
		return nil
	}
	name := ck.Config.DecoderBiasName()
	other, err := ck.unused.file.Float32(ck.unused.name)
	if err != nil {
		return err
	}
	if !slices.Equal(other, ck.Tensors[name].Data) {
		used := sources[name]
		ck.Notices = append(ck.Notices, fmt.Sprintf("%s: the biases %q and %q differ: %q is taken, as in transformers 5; transformers 4 may take the other",
			used.file.Path(), used.name, ck.unused.name, used.name))
	}
	return nil
}

// wrapper returns the prefix that DataParallel or torch.compile puts before the name of every tensor, "" if there is
// none; a notice says that it is left out. Any other prefix before all the model's names is an error.
func (ck *Checkpoint) wrapper(list []source, specs map[string]ParamSpec) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	common := list[0].name
	for _, src := range list[1:] {
		for !strings.HasPrefix(src.name, common) {
			common = common[:len(common)-1]
		}
	}
	parameters := func(prefix string) int {
		n := 0
		for _, src := range list {
			if _, known := specs[ck.Config.canonical(strings.TrimPrefix(src.name, prefix))]; known {
				n++
			}
		}
		return n
	}
	for at := 0; parameters(common[:at]) == 0; at++ {
		next := strings.IndexByte(common[at:], '.')
		if next < 0 {
			return "", nil // another model: each tensor becomes a fault
		}
		at += next
		prefix := common[:at+1]
		if parameters(prefix) == 0 {
			continue
		}
		folder := list[0].file.Path()
		if strings.Trim(strings.NewReplacer("module.", "", "_orig_mod.", "").Replace(prefix), ".") != "" {
			return "", fmt.Errorf("every tensor of %q is named %q and then as in a %s model: save the model inside the wrapper, or remove the prefix", folder, prefix, ck.Config.ModelType)
		}
		ck.Notices = append(ck.Notices, fmt.Sprintf("%s: every tensor's name begins with %q, as DataParallel and torch.compile save them: read without it", folder, prefix))
		return prefix, nil
	}
	return "", nil
}

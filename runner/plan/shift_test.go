package plan_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A shift is folded into the decoder's bias: a backbone without one is refused before
// anything is trained, also if a recipe only starts from it.
func TestAShiftNeedsABias(t *testing.T) {
	w := newWorld(t)
	config := func(text string) { write(t, filepath.Join(w.root, "model", "config.json"), text) }
	w.recipes["small"] = "name = \"small\"\n[start]\nfolder = \"./model\"\n[data]\ntext = [\"./tiny\"]\n[train]\nsteps = 5\n"
	for _, c := range []struct {
		config, shift string
		refused       bool
	}{
		{`{"model_type":"modernbert","max_position_embeddings":32,"decoder_bias":false}`, "1.5", true},
		{`{"model_type":"modernbert","max_position_embeddings":32,"decoder_bias":false}`, "0", false},
		{`{"model_type":"modernbert","max_position_embeddings":32,"decoder_bias":true}`, "1.5", false},
		{`{"model_type":"modernbert","max_position_embeddings":32}`, "1.5", false},
		{`{"model_type":"bert","max_position_embeddings":32,"decoder_bias":false}`, "1.5", false}, // not a key of BERT's
	} {
		config(c.config)
		for _, backbone := range []string{"./model", "recipe:small"} {
			_, err := w.make(t, sweep, "model.shift="+c.shift, "model.backbone="+backbone)
			if !c.refused {
				if err != nil {
					t.Errorf("%s, shift %s of %s: %v", c.config, c.shift, backbone, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "model.shift = 1.5: is taken from the decoder's bias, and ") || !strings.Contains(err.Error(), "decoder_bias") {
				t.Errorf("%s, shift %s of %s: %v", c.config, c.shift, backbone, err)
			}
		}
	}
}

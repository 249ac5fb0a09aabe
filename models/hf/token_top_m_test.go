package hf_test

import (
	"path/filepath"
	"strings"
	"testing"

	"headroom/models/hf"
)

// A setting that sentence-transformers lacks is in the card and in a key that is read back; a model without the
// setting has no trace of it.
func TestATopMPerTokenIsSavedSaidAndReadBack(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tied"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []int{0, 6} {
		folder := filepath.Join(t.TempDir(), "model")
		model := fromCheckpoint(t, ck, true)
		model.TokenTopM = m
		if err := hf.Save(folder, model); err != nil {
			t.Fatal(err)
		}
		again, err := hf.Load(folder, hf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := again.SparseEncoder.TokenTopM; got != m || len(again.Notices) != 0 {
			t.Errorf("read back as %d, want %d; notices %q", got, m, again.Notices)
		}
		card, config := read(t, folder, "README.md"), read(t, folder, "config_sentence_transformers.json")
		if strings.Contains(card, "each token keeps its 6 greatest logits") != (m == 6) || strings.Contains(config, `"headroom_token_top_m": 6`) != (m == 6) ||
			strings.Contains(config, "headroom_token_top_m") != (m == 6) {
			t.Errorf("m = %d: the card is %s\nthe config %s", m, card, config)
		}
	}
	model := fromCheckpoint(t, ck, true)
	model.TokenTopM = -1
	if err := hf.Save(filepath.Join(t.TempDir(), "model"), model); err == nil || !strings.Contains(err.Error(), "logits kept per token -1") {
		t.Errorf("a negative number: %v", err)
	}
}

func TestAWrongTopMPerTokenIsRefused(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tied"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"0", "-2", "1.5", `"8"`, "[8]"} {
		folder := filepath.Join(t.TempDir(), "model")
		model := fromCheckpoint(t, ck, true)
		model.TokenTopM = 6
		if err := hf.Save(folder, model); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "config_sentence_transformers.json")
		put(t, path, strings.Replace(read(t, folder, filepath.Base(path)), `_m": 6`, `_m": `+value, 1))
		if _, err := hf.Load(folder, hf.Options{}); err == nil || !strings.Contains(err.Error(), "headroom_token_top_m") || !strings.Contains(err.Error(), "config_sentence_transformers.json") {
			t.Errorf("%s: %v", value, err)
		}
	}
}

package plan

import (
	"fmt"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/sweeps"
)

// checkFit finds settings that are not possible with the data or the backbone.
func (in *inputs) checkFit(c sweeps.RunConfig, backbone model, data set) {
	if data.digest != "" {
		in.checkDataFit(c, data)
	}
	if backbone.noBias && c.Model.Shift != 0 {
		in.fault("model.shift", fmt.Sprint(c.Model.Shift), fmt.Sprintf("is taken from the decoder's bias, and %s has none (decoder_bias in its config.json): allowed is 0, or a backbone whose decoder has a bias", c.Model.Backbone))
	}
	for _, length := range lengths(c) {
		if p := backbone.positions; p > 0 && length.n > p {
			in.fault(length.key, fmt.Sprint(length.n), fmt.Sprintf("longer than the %d positions of %s", p, c.Model.Backbone))
		}
		if special := backbone.tokens.Special; length.n < special {
			in.fault(length.key, fmt.Sprint(length.n), fmt.Sprintf("shorter than the %d special tokens that the tokenizer of %s puts around each text", special, c.Model.Backbone))
		}
	}
}

// length is a key that limits the length of texts, and its value in tokens.
type length struct {
	key, of string
	n       int
}

func lengths(c sweeps.RunConfig) []length {
	return []length{{"data.max_query", "query", c.Data.MaxQuery}, {"data.max_document", "document", c.Data.MaxDocument}}
}

func (in *inputs) checkDataFit(c sweeps.RunConfig, data set) {
	s, sound := data.survey, true
	fault := func(key, value, message string) {
		in.fault(key, value, message)
		sound = false
	}
	if c.Train.Batch > s.Rows {
		fault("train.batch", fmt.Sprint(c.Train.Batch), fmt.Sprintf("larger than the data: %s has %d training examples", c.Data.Train, s.Rows))
	}
	if n := c.Stability.Probe; n != nil && *n > s.Rows {
		fault("stability.probe", fmt.Sprint(*n), fmt.Sprintf("larger than the data: %s has %d training examples; without the key a probe set takes what there is", c.Data.Train, s.Rows))
	}
	if n := c.Data.Negatives; n > s.Negatives {
		message := fmt.Sprintf("more than the data has: the row with fewest hard negatives, %s, has %d", s.Fewest, s.Negatives)
		if s.Negatives == 0 {
			message = fmt.Sprintf("the data has no hard negatives: %s (headroom mine makes a file with them)", s.Fewest)
		}
		fault("data.negatives", fmt.Sprint(n), message)
	}
	if l, _ := sweeps.LossOf(c.Loss.Kind); l.Teacher && !s.Scores {
		fault("loss.kind", fmt.Sprintf("%q", l.Kind), fmt.Sprintf("needs a teacher's scores, and %s has none: each of its rows is %s", c.Data.Train, s.Columns))
	}
	if !sound || c.Data.Order != batch.Shuffle {
		return
	}
	if err := in.checkBatches(c, data.training); err != nil && in.ctx.Err() == nil {
		in.fault("train.batch", fmt.Sprint(c.Train.Batch), fmt.Sprintf("%s: %v; allowed: a smaller batch, or data.order = \"file\", which takes the rows as they come", c.Data.Train, err))
	}
}

// checkBatches checks that the data can be put into a run's batches, once for the
// settings that matter.
func (in *inputs) checkBatches(c sweeps.RunConfig, data examples.Set) error {
	b := examples.Batches{Size: c.Train.Batch, Steps: c.Train.Steps, Options: examples.Options{Negatives: c.Data.Negatives, Seed: c.Seed}}
	key := fmt.Sprintf("%s %+v", c.Data.Train, b)
	if data.Folder != "" { // of a collection the largest batch is known
		key = fmt.Sprintf("%s %d", c.Data.Train, b.Size)
	}
	err, known := in.batches[key]
	if !known {
		err = in.resolver.CheckBatches(in.ctx, data, b)
		in.batches[key] = err
	}
	return err
}

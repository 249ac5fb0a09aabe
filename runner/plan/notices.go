package plan

import (
	"fmt"
	"strconv"

	"headroom/data/source"
	"headroom/internal/nouns"
	"headroom/sweeps"
)

// note adds a notice for the user, once.
func (in *inputs) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !in.noted[text] {
		in.noted[text] = true
		in.notices = append(in.notices, text)
	}
}

// noteOdd adds notices about settings of an unfinished run that are allowed but seldom meant.
func (in *inputs) noteOdd(c sweeps.RunConfig, backbone model, data set) {
	for _, notice := range c.Notices() {
		in.note("%s", notice)
	}
	if v := backbone.tokens.Vocabulary; v > 0 && c.Model.TopK >= v {
		in.note("model.top_k = %d keeps every term: %s has %d, and 0 says so", c.Model.TopK, c.Model.Backbone, v)
	}
	if v := backbone.tokens.Vocabulary; v > 0 && c.Model.TokenTopM >= v {
		in.note("model.token_top_m = %d keeps every logit of a token: %s has %d terms, and 0 says so", c.Model.TokenTopM, c.Model.Backbone, v)
	}
	for _, text := range backbone.tokens.Notices {
		in.note("model.backbone = %q: %s", c.Model.Backbone, text)
	}
	in.noteOddForm(c, backbone.form)
	query, document := c.Model.Prompts()
	for _, prompt := range []struct{ key, text, folder, of string }{
		{"model.query_prompt", query, backbone.tokens.QueryPrompt, "query"}, {"model.document_prompt", document, backbone.tokens.DocumentPrompt, "document"},
	} {
		switch {
		case prompt.folder == "":
		case prompt.text == prompt.folder:
			in.note("%s = %q is put before each %s, as the folder of %s does", prompt.key, prompt.text, prompt.of, c.Model.Backbone)
		default:
			in.note("%s = %q is put before each %s, where the folder of %s puts %q", prompt.key, prompt.text, prompt.of, c.Model.Backbone, prompt.folder)
		}
	}
	for _, length := range lengths(c) {
		if special := backbone.tokens.Special; special > 0 && length.n == special {
			in.note("%s = %d leaves no token of a %s: the tokenizer of %s puts %d special tokens around each text", length.key, length.n, length.of, c.Model.Backbone, special)
		}
	}
	s := data.survey
	in.empty("data.train", c.Data.Train, "", s.EmptyQueries, s.FirstEmptyQuery, s.EmptyDocuments, s.FirstEmptyDocument)
	if s.OwnNegatives > 0 && c.Data.Negatives > 0 {
		in.note("data.train = %q: %s among the hard negatives, the first at %s", c.Data.Train, nouns.CountOf(s.OwnNegatives, "row has its positive", "rows have their positive"), s.FirstOwn)
	}
}

// noteOddForm adds a notice if a folder states another form than the sweep.
func (in *inputs) noteOddForm(c sweeps.RunConfig, form source.Form) {
	if form.Pooling == "" {
		return
	}
	// The folder and the sweep have different words for an activation.
	written := map[string]string{"log1p_relu": "relu", "log1p_log1p_relu": "log1p_relu"}
	for _, part := range []struct{ key, sweep, folder, file, says string }{
		{"model.pooling", c.Model.Pooling, form.Pooling, form.PoolingFile, fmt.Sprintf("pooling_strategy = %q", form.Pooling)},
		{"model.activation", c.Model.Activation, form.Activation, form.ActivationFile, fmt.Sprintf("activation_function = %q", written[form.Activation])},
		{"model.top_k", strconv.Itoa(c.Model.TopK), strconv.Itoa(form.TopK), form.TopKFile, fmt.Sprintf("max_active_dims = %d", form.TopK)},
		{"model.token_top_m", strconv.Itoa(c.Model.TokenTopM), strconv.Itoa(form.TokenTopM), form.TopKFile, fmt.Sprintf("headroom_token_top_m = %d", form.TokenTopM)},
	} {
		if part.folder != "" && part.folder != part.sweep {
			in.note("%s is %s, and %s of %s says %s (%s = %s): runs and the untrained baseline have the sweep's", part.key, part.sweep, part.file, c.Model.Backbone, part.says, part.key, part.folder)
		}
	}
}

// noteOddSplit adds notices about data for evaluation.
func (in *inputs) noteOddSplit(key, ref, split string, data set) {
	f := data.facts
	in.empty(key, ref, " ("+split+")", f.EmptyQueries, f.FirstEmptyQuery, f.EmptyDocuments, f.FirstEmptyDocument)
	if f.Lost > 0 {
		in.note("%s = %q (%s): %d of the %d documents with a grade above 0 are not in the corpus and count as not found", key, ref, split, f.Lost, f.Positives)
	}
}

func (in *inputs) empty(key, ref, split string, queries int, firstQuery string, documents int, firstDocument string) {
	const encoded = "an empty text is encoded as its special tokens alone"
	if queries > 0 {
		in.note("%s = %q%s: %s empty, the first at %s: %s", key, ref, split, nouns.CountOf(queries, "query is", "queries are"), firstQuery, encoded)
	}
	if documents > 0 {
		in.note("%s = %q%s: %s empty, the first at %s: %s", key, ref, split, nouns.CountOf(documents, "document is", "documents are"), firstDocument, encoded)
	}
}

// refuseDuplicates finds data that a list names twice in different words: both would be the
// same evaluation.
func (m *maker) refuseDuplicates(written, c sweeps.EvaluateConfig) {
	for _, list := range []struct {
		key, split    string
		refs, written []string
	}{{"evaluate.final", FinalSplit, c.Final, written.Final}, {"evaluate.during", DuringSplit, c.During, written.During}} {
		first := map[string]string{}
		for i, ref := range list.refs {
			digest := m.found.data(list.key, ref, list.split).digest
			if other, known := first[digest]; known && digest != "" {
				m.found.fault(list.key, fmt.Sprintf("%q", list.written[i]), fmt.Sprintf("holds the same data as %q; allowed: each collection once", other))
				continue
			}
			first[digest] = list.written[i]
		}
	}
}

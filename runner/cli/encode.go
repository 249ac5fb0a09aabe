package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/collection"
	"headroom/data/tokenize"
	"headroom/runner/engine"
	"headroom/runner/evaluate"
	"headroom/runner/search"
)

type encodeOptions struct {
	input, output string
	maxLength     int
	query         bool
	topK          int
	format        string
	backend       string
	precision     string
	threads       int
	prompt        string
	promptName    string
	ownPrompt     bool // --prompt or --prompt-name
}

func newEncode(a *app) *cobra.Command {
	var o encodeOptions
	cmd := &cobra.Command{
		Use:   "encode MODEL --input FILE --output FILE",
		Short: "encode texts as sparse vectors",
		Long: `Writes {"id","vector":{"<token id>":weight,…}} for each row {"_id","title"?,"text"}
of the input. The text is title + " " + text where the title is not empty; an
empty text is encoded as its special tokens alone. Weights are float32 in the
fewest digits that read back the same. The anserini format has token strings and
integers, weight × 100 rounded, which changes scores.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.encode(cmd, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.input, "input", "", "`FILE` of JSON lines, gzipped or not; - is standard input (required)")
	f.StringVar(&o.output, "output", "", "`FILE` to write, gzipped as NAME.gz; - is standard output (required)")
	f.IntVar(&o.maxLength, "max-length", 256, "tokens kept per text, special ones included; the default is less where the model takes less or its files say less")
	f.BoolVar(&o.query, "query", false, "texts are queries: titles are left out")
	f.IntVar(&o.topK, "top-k", 0, "terms kept per text, the heaviest; 0 keeps all")
	f.StringVar(&o.format, "format", "jsonl", "jsonl or anserini")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	f.StringVar(&o.precision, "precision", "float32", "of matrix products: float32, or on XLA bfloat16")
	f.StringVar(&o.prompt, "prompt", "", "`TEXT` before each text; \"\" is none; default: the folder's own for queries or documents")
	f.StringVar(&o.promptName, "prompt-name", "", "`NAME` of one of the folder's prompts, instead of --prompt")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	return cmd
}

// check reports every fault of the options.
func (o encodeOptions) check(cmd *cobra.Command) error {
	var faults []error
	if o.input == "" {
		faults = append(faults, fmt.Errorf("--input is missing"))
	}
	if o.output == "" {
		faults = append(faults, fmt.Errorf("--output is missing"))
	}
	if o.maxLength < 2 {
		faults = append(faults, fmt.Errorf("--max-length is %d; allowed: 2 or more", o.maxLength))
	}
	if o.topK < 0 {
		faults = append(faults, fmt.Errorf("--top-k is %d; allowed: 0 (all) or more", o.topK))
	}
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	if o.format != "jsonl" && o.format != "anserini" {
		faults = append(faults, fmt.Errorf("--format is %q; allowed: jsonl, anserini", o.format))
	}
	if cmd.Flags().Changed("prompt") && o.promptName != "" {
		faults = append(faults, fmt.Errorf("--prompt and --prompt-name exclude each other"))
	}
	faults = append(faults, checkBackend(o.backend), checkPrecision(o.precision))
	return usage(cmd, faults...)
}

func checkPrecision(name string) error {
	if name != "float32" && name != "bfloat16" {
		return fmt.Errorf("--precision is %q; allowed: float32, bfloat16", name)
	}
	return nil
}

func checkBackend(name string) error {
	switch {
	case name == "auto", name == "go", name == "xla", strings.HasPrefix(name, "xla:/"):
		return nil
	default:
		return fmt.Errorf("--backend is %q; allowed: auto, go, xla, xla:/path", name)
	}
}

func (a *app) encode(cmd *cobra.Command, name string, o encodeOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := refuseSameFile(o.output, o.input); err != nil {
		return err
	}
	input, err := a.newTexts(o.input)
	if err != nil {
		return err
	}
	total, err := input.count()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	m, err := a.findModel(ctx, name, a.wholeModel)
	if err != nil {
		return err
	}
	encoder, err := evaluate.OpenEncoder(ctx, m.folder, evaluate.EncoderOptions{Backend: o.backend, Threads: o.threads, Precision: o.precision})
	if err != nil {
		return err
	}
	defer encoder.Close()
	if o.promptName != "" {
		named := encoder.Tokenizer().Prompts().Named
		prompt, ok := named[o.promptName]
		if !ok {
			return usage(cmd, fmt.Errorf("--prompt-name is %q, which the model's files do not have; they have: %s", o.promptName, strings.Join(slices.Sorted(maps.Keys(named)), ", ")))
		}
		o.prompt = prompt
	}
	if s := encoder.Similarity(); s != "dot" {
		a.note("note: the model's files compare vectors by %s; the vectors are as they are, and search adds up plain products", s)
	}
	o.ownPrompt = o.promptName != "" || cmd.Flags().Changed("prompt")
	a.notes(encoder.Notices())
	if !cmd.Flags().Changed("max-length") {
		o.maxLength = a.limit(encoder, o.maxLength)
	}
	if o.maxLength > encoder.MaxTokens() {
		return usage(cmd, fmt.Errorf("--max-length is %d; the model takes at most %d tokens", o.maxLength, encoder.MaxTokens()))
	}
	err = a.writeOutput(o.output, func(w io.Writer) error {
		var out vectorWriter = search.NewVectorWriter(w)
		if o.format == "anserini" {
			out = &anseriniWriter{encoder: json.NewEncoder(w), tokenizer: encoder.Tokenizer()}
		}
		return failedError(a.encodeTexts(ctx, encoder, input, total, o, out))
	})
	if err != nil {
		return fmt.Errorf("encode to %q: %w", o.output, withLessMemory(err, fmt.Sprintf("lower --max-length (now %d), or encode on the CPU: --backend go", o.maxLength)))
	}
	if !cmd.Flags().Changed("max-length") {
		a.noteCut(encoder, o.maxLength)
	}
	return a.printWritten(o.output)
}

// withLessMemory adds to the error of a full device's memory the ways to need less. By then a
// single text has been tried.
func withLessMemory(err error, ways string) error {
	if errors.Is(err, engine.ErrDeviceMemory) {
		return fmt.Errorf("%w; %s", err, ways)
	}
	return err
}

// limit is the length of texts if no option sets it: the default, or less if the
// model's files say less or the model takes less. Then it prints a note.
func (a *app) limit(encoder *evaluate.Encoder, otherwise int) int {
	own, most := encoder.MaxLength(), encoder.MaxTokens()
	switch {
	case own > 0 && own < otherwise && own < most:
		a.note("note: texts are cut at %d tokens, as the model's own files say; --max-length is at most %d", own, most)
		return own
	case most < otherwise:
		a.note("note: texts are cut at %d tokens, the most that this model takes", most)
		return most
	}
	return otherwise
}

// noteCut prints a note that texts were cut at the default length if the model's own
// files would have kept more of them.
func (a *app) noteCut(encoder *evaluate.Encoder, at int) {
	own := encoder.MaxTokens()
	if n := encoder.MaxLength(); n > 0 {
		own = min(n, own)
	}
	if n := encoder.FullTexts(); n > 0 && at < own {
		a.note("note: %d of the texts have %d tokens or more and were cut there; the model's own files keep %d: --max-length %d does too", n, at, own, own)
	}
}

// encodeChunk bounds the vectors in memory. Within a chunk texts of like length
// share a batch, so it is not small.
const encodeChunk = 4096

func (a *app) encodeTexts(ctx context.Context, encoder *evaluate.Encoder, input *texts, total int, o encodeOptions, out vectorWriter) error {
	progress := a.newCounter("encode")
	defer progress.end()
	var ids, chunk []string
	written := 0
	flush := func() error {
		encode := encoder.EncodeDocuments
		switch {
		case o.ownPrompt:
			encode = encoder.Encode
			for i := range chunk {
				chunk[i] = o.prompt + chunk[i]
			}
		case o.query:
			encode = encoder.EncodeQueries
		}
		vectors, err := encode(ctx, chunk, o.maxLength, func(done, _ int) { progress.at(written+done, total) })
		if err != nil {
			return evaluate.NameText(err, func(i int) string { return fmt.Sprintf("row %d of %q, id %q", written+i+1, o.input, ids[i]) })
		}
		for i, v := range vectors {
			if o.topK > 0 {
				v = v.Heaviest(o.topK)
			}
			if err := out.Write(ids[i], v); err != nil {
				return err
			}
		}
		written += len(ids)
		ids, chunk = ids[:0], chunk[:0]
		return nil
	}
	err := input.each(func(d collection.Document) error {
		text := d.Content()
		if o.query {
			text = d.Text
		}
		ids, chunk = append(ids, d.ID), append(chunk, text)
		if len(chunk) < encodeChunk {
			return nil
		}
		return flush()
	})
	if err == nil && len(chunk) > 0 {
		err = flush()
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

// vectorWriter writes one form of vectors.
type vectorWriter interface {
	Write(id string, v search.Vector) error
	Flush() error
}

// anseriniWriter writes the format of Anserini's JsonVectorCollection.
type anseriniWriter struct {
	encoder   *json.Encoder
	tokenizer *tokenize.Tokenizer
}

func (w *anseriniWriter) Write(id string, v search.Vector) error {
	ids := make([]int32, len(v.Terms))
	for i, term := range v.Terms {
		ids[i] = int32(term)
	}
	vector := map[string]int{}
	for i, token := range w.tokenizer.Tokens(ids) {
		if weight := int(math.Round(float64(v.Weights[i]) * 100)); weight > 0 {
			vector[token] = weight
		}
	}
	w.encoder.SetEscapeHTML(false)
	return w.encoder.Encode(struct {
		ID       string         `json:"id"`
		Contents string         `json:"contents"`
		Vector   map[string]int `json:"vector"`
	}{id, "", vector})
}

func (w *anseriniWriter) Flush() error { return nil }

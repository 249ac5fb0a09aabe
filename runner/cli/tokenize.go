package cli

import (
	"bufio"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"headroom/data/collection"
	"headroom/data/tokenize"
)

type tokenizeOptions struct {
	input     string
	maxLength int
}

func newTokenize(a *app) *cobra.Command {
	var o tokenizeOptions
	cmd := &cobra.Command{
		Use:   "tokenize MODEL",
		Short: "tokenize texts, with the model's special tokens",
		Long: `Writes a JSON line {"id","ids","tokens"} for each text. Texts are rows {"_id","text"}
of --input, or plain lines on standard input, with the line's number as id.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.tokenize(cmd, args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.input, "input", "", "`FILE` of JSON lines; - is standard input")
	cmd.Flags().IntVar(&o.maxLength, "max-length", 0, "tokens kept per text, special ones included; 0 keeps all")
	return cmd
}

// tokenized is one line of output.
type tokenized struct {
	ID     string   `json:"id"`
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
}

func (a *app) tokenize(cmd *cobra.Command, name string, o tokenizeOptions) error {
	if o.maxLength < 0 {
		return usage(cmd, fmt.Errorf("--max-length is %d; allowed: 0 (all) or more", o.maxLength))
	}
	m, err := a.findModel(cmd.Context(), name, a.onlyTokenizer)
	if err != nil {
		return err
	}
	tokenizer, err := tokenize.Open(m.folder)
	if err != nil {
		return err
	}
	a.notes(tokenizer.Notices())
	out := bufio.NewWriter(a.stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	write := func(d collection.Document) error {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		ids := tokenizer.Encode(d.Content(), o.maxLength)
		if ids == nil {
			ids = []int32{}
		}
		return encoder.Encode(tokenized{ID: d.ID, IDs: ids, Tokens: tokenizer.Tokens(ids)})
	}
	if o.input == "" {
		if err := plainLines(a.env.Stdin, write); err != nil {
			return failedError(err)
		}
		return failedError(out.Flush())
	}
	input, err := a.newTexts(o.input)
	if err != nil {
		return err
	}
	if _, err := input.count(); err != nil {
		return err
	}
	if err := input.each(write); err != nil {
		return failedError(err)
	}
	return failedError(out.Flush())
}

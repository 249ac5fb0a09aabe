package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"headroom/metrics/record"
	"headroom/runner/search"
)

type vectorsOptions struct{ output, format, on, split string }

func newVectors(a *app) *cobra.Command {
	var o vectorsOptions
	cmd := &cobra.Command{
		Use: `vectors DIR --format FORMAT --output PATH
  headroom vectors RUN --on REF --format FORMAT --output PATH`,
		Short: "write the vectors of an index or a run, for other programs",
		Long: `Writes the document vectors of an index that "headroom index" has made, or those that a run has kept for a
collection (evaluate.keep_vectors, or "headroom evaluate --run RUN --on REF --keep-vectors"):
  jsonl     lines {"id","vector":{"<token id>":weight,…}}, as "headroom encode" writes them
  anserini  lines {"id","contents","vector":{"<term>":n,…}}, for Anserini and Pyserini
  ciff      the Common Index File Format, for PISA and other engines
  npy       a new folder of arrays for numpy: indptr, indices and data of a sparse matrix, and ids.txt
anserini and ciff have integers, weight × 100 rounded, which changes scores; jsonl and npy have the weights.
Terms are words where the index has words, else token ids.`,
		Example: `  headroom vectors index --format ciff --output index.ciff
  headroom vectors tiny-k4-s1 --on beir:scifact --format npy --output arrays`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.vectors(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "jsonl", "jsonl, anserini, ciff or npy")
	f.StringVar(&o.output, "output", "", "`PATH` to write, a file (gzipped as NAME.gz) or for npy a new folder; - is standard output (required)")
	f.StringVar(&o.on, "on", "", "collection `REF` for which a run has kept vectors")
	f.StringVar(&o.split, "split", record.FinalSplit, "the split of the evaluation")
	return cmd
}

func (a *app) vectors(cmd *cobra.Command, dir string, o vectorsOptions) error {
	writers := map[string]func(*search.Index, io.Writer) error{
		"jsonl": (*search.Index).WriteVectors, "anserini": (*search.Index).WriteImpacts, "ciff": (*search.Index).WriteCIFF,
	}
	write := writers[o.format]
	var faults []error
	if o.output == "" {
		faults = append(faults, errors.New("--output is missing"))
	}
	if write == nil && o.format != "npy" {
		faults = append(faults, fmt.Errorf("--format is %q; allowed: jsonl, anserini, ciff, npy", o.format))
	}
	if o.format == "npy" && o.output == "-" {
		faults = append(faults, errors.New("--format npy makes a folder: --output cannot be -"))
	}
	if o.on == "" && cmd.Flags().Changed("split") {
		faults = append(faults, errors.New("--split belongs to --on"))
	}
	if err := usage(cmd, faults...); err != nil {
		return err
	}
	if _, err := os.Stat(o.output); err == nil && o.format == "npy" {
		return usage(cmd, fmt.Errorf("--output %s is there already; allowed for npy: a folder that is not there", o.output))
	}
	var index *search.Index
	var err error
	done := func() error { return nil }
	if o.on != "" {
		index, done, err = a.keptIndex(cmd.Context(), dir, o)
	} else {
		index, err = search.Load(dir)
		if err != nil && a.isRun(dir) {
			err = fmt.Errorf("%s is a run: --on REF says for which collection its vectors are meant, and no folder of an index has this name", dir)
		}
	}
	if err != nil {
		return err
	}
	if o.format == "npy" {
		err = index.SaveArrays(o.output)
	} else {
		err = a.writeOutput(o.output, func(w io.Writer) error { return write(index, w) })
	}
	if err = errors.Join(err, index.Close(), done()); err != nil {
		return diskFailure(err)
	}
	return a.printWritten(o.output)
}

// isRun reports whether a text stands for one run of the workspace.
func (a *app) isRun(text string) bool {
	w, err := a.openWorkspace()
	if err != nil {
		return false
	}
	_, err = findRun(w, text)
	return err == nil
}

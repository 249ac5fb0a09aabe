package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/groups"
	"headroom/experiments"
	"headroom/metrics/measure"
	"headroom/sweeps"
)

// completer returns completions for the word that is being typed, after the other arguments.
// It only reads, prints nothing, and has no error: files that cannot be read give no
// completions.
type completer = cobra.CompletionFunc

const (
	words = cobra.ShellCompDirectiveNoFileComp
	files = cobra.ShellCompDirectiveDefault // the shell adds files and folders
)

// completeSweep completes SWEEP [KEY=VALUE…].
func (a *app) completeSweep(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return a.completeKeys(cmd, args, typed)
	}
	names := experiments.Sweeps()
	if w, err := a.openWorkspace(); err == nil {
		if kept, err := w.Sweeps(); err == nil {
			names = append(names, kept...)
		}
	}
	return withPrefix(names, typed), files
}

// completeJudged completes SWEEP|RUN….
func (a *app) completeJudged(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	names, _ := a.completeRuns(100)(cmd, args, typed)
	if w, err := a.openWorkspace(); err == nil {
		if kept, err := w.Sweeps(); err == nil {
			names = append(names, withPrefix(kept, typed)...)
		}
	}
	return names, words
}

// completeKeys completes KEY=VALUE and the conditions of --only.
func (a *app) completeKeys(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var keys []string
	for _, key := range sweeps.Keys() {
		keys = append(keys, key+"=")
	}
	return withPrefix(keys, typed), words | cobra.ShellCompDirectiveNoSpace
}

// completeRuns completes at most this many arguments RUN.
func (a *app) completeRuns(most int) completer {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, words
		}
		return withPrefix(a.runLabels(), typed), words
	}
}

// completeOneSweep completes SWEEP, after which nothing may follow.
func (a *app) completeOneSweep(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, words
	}
	return a.completeSweep(cmd, args, typed)
}

// completeModels completes at most this many arguments MODEL, with runs and the shell's folders.
func (a *app) completeModels(most int) completer {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, words
		}
		return withPrefix(a.runLabels(), typed), files
	}
}

// runLabels are the labels of the workspace's runs that have begun.
func (a *app) runLabels() []string {
	w, err := a.openWorkspace()
	if err != nil {
		return nil
	}
	runs, err := namedRuns(w, false)
	if err != nil {
		return nil
	}
	var labels []string
	for _, run := range runs {
		if run.begun {
			labels = append(labels, run.labels...)
		}
	}
	return labels
}

// completeRecipe completes RECIPE, with embedded recipes and the shell's files.
func completeRecipe(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, words
	}
	return withPrefix(experiments.Recipes(), typed), files
}

// completeEvaluate completes QRELS RUN.trec [MEASURE…], and the collections that may follow --on.
func (a *app) completeEvaluate(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch {
	case cmd.Flags().Changed("on"):
		return a.completeCollections(cmd, args, typed)
	case len(args) >= 2:
		return completeMeasures(cmd, args, typed)
	}
	return nil, files
}

// completeMeasures completes names of measures. Measures that need a cut-off are completed up to the @.
func completeMeasures(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, m := range measure.Defaults() {
		names = append(names, m.String())
	}
	for _, described := range measure.Table() {
		name, cut, _ := strings.Cut(described.Name, "@")
		switch {
		case cut == "":
			names = append(names, name)
		case strings.HasSuffix(name, "["): // nDCG[@k]
			name = strings.TrimSuffix(name, "[")
			names = append(names, name, name+"@")
		default:
			names = append(names, name+"@")
		}
	}
	return withPrefix(names, typed), words | cobra.ShellCompDirectiveNoSpace
}

// completeNamed completes the names of published and own data, and of groups.
func (a *app) completeNamed(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return withPrefix(a.namedCollections(), typed), words
}

func (a *app) namedCollections() []string {
	names := groups.Names()
	resolver, err := a.resolver("")
	if err != nil {
		return names
	}
	table, err := resolver.Table()
	if err != nil {
		return names
	}
	names = append(names, table.Names()...)
	for _, own := range resolver.Own {
		names = append(names, own.Name)
	}
	return names
}

// completeCollections completes REF, with the built-in collection, those that have names, the BEIR
// folders below HEADROOM_DATA, and the shell's folders.
func (a *app) completeCollections(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	refs := append(a.namedCollections(), "builtin:demo", "builtin:demo-no-overlap")
	if root := a.env.Getenv("HEADROOM_DATA"); root != "" {
		for _, depth := range []string{"*", "*/*"} {
			found, err := filepath.Glob(filepath.Join(root, depth, "corpus.jsonl*"))
			if err != nil { // the path has brackets, which are special in patterns
				continue
			}
			for _, corpus := range found {
				if name, err := filepath.Rel(root, filepath.Dir(corpus)); err == nil {
					refs = append(refs, "data:"+filepath.ToSlash(name))
				}
			}
		}
	}
	return withPrefix(refs, typed), files
}

// withPrefix returns the different words that begin with the typed text, sorted.
func withPrefix(all []string, typed string) []string {
	var kept []string
	for _, word := range all {
		if strings.HasPrefix(word, typed) {
			kept = append(kept, word)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// completeArguments registers the completers of the commands' arguments and flags.
func completeArguments(a *app, root *cobra.Command) {
	arguments := map[string]completer{
		"alert": a.completeOneSweep, "plan": a.completeSweep, "run": a.completeSweep, "submit": a.completeSweep, "status": a.completeSweep, "report": a.completeSweep, "prepare": a.completeSweep, "judge": a.completeJudged, "cancel": a.completeJudged, "claims": a.completeSweep,
		"show": a.completeRuns(1), "diff": a.completeRuns(2), "export": a.completeRuns(1), "unlock": a.completeRuns(1),
		"tokenize": a.completeModels(1), "encode": a.completeModels(1), "probe": a.completeModels(100), "vectors": a.completeModels(1),
		"pretrain": completeRecipe, "evaluate": a.completeEvaluate, "mine": a.completeCollections,
	}
	flags := map[string]completer{
		"only": a.completeKeys, "on": a.completeCollections, "measure": completeMeasures,
		"model": a.completeModels(1), "run": a.completeRuns(1),
	}
	for _, cmd := range root.Commands() {
		if cmd.Name() == "data" {
			for _, sub := range cmd.Commands() {
				sub.ValidArgsFunction = a.completeNamed
			}
		}
		if complete, ok := arguments[cmd.Name()]; ok {
			cmd.ValidArgsFunction = complete
		}
		for name, complete := range flags {
			if flag := cmd.Flags().Lookup(name); flag != nil {
				if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
					panic(err) // cannot happen: the flag exists and has no other completer
				}
			}
		}
	}
}

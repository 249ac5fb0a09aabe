package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/source"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type pretrainOptions struct {
	backend string
	threads int
	remat   bool
}

func newPretrain(a *app) *cobra.Command {
	var o pretrainOptions
	cmd := &cobra.Command{
		Use:   "pretrain RECIPE.toml",
		Short: "pretrain a small MLM backbone by a recipe, for offline work",
		Long: `RECIPE is a file, or the name of an embedded recipe. The backbone is made once in a
workspace, under the recipe's id; a sweep names it as recipe:NAME.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pretrain(cmd, args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	cmd.Flags().IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	cmd.Flags().BoolVar(&o.remat, "remat", false, "compute layers again in the backward pass: less memory, more time")
	return cmd
}

func (a *app) pretrain(cmd *cobra.Command, text string, o pretrainOptions) error {
	var faults []error
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	if err := usage(cmd, append(faults, checkBackend(o.backend))...); err != nil {
		return err
	}
	ctx := cmd.Context()
	recipe, base, err := openRecipe(text)
	if err != nil {
		return err
	}
	if _, err := a.openWorkspace(); err != nil && !errors.Is(err, workspace.ErrNone) {
		return err
	}
	resolver, err := a.resolver(base)
	if err != nil {
		return err
	}
	if filepath.Base(base) == "backbones" {
		resolver.Also = []string{filepath.Dir(base)} // as for a sweep in that folder
	}
	options := plan.Options{
		Workspace: resolver.Workspace, Resolver: resolver, Holder: a.holder,
		Recipe: func(string) (*sweeps.Recipe, error) { return recipe, nil },
	}
	row, err := plan.Backbone(ctx, options, recipe.Name)
	if errors.Is(err, source.ErrUnresolved) {
		fetched, failed := a.fetchRecipe(ctx, resolver, recipe)
		if failed != nil {
			return failed
		}
		if fetched {
			row, err = plan.Backbone(ctx, options, recipe.Name)
		}
	}
	if err != nil {
		return err
	}
	if row.State != plan.Done {
		if start := row.Recipe.Start.Folder; start != "" {
			if err := checkCheckpoint(resolver, start, startsWithoutHead(row.Recipe)); err != nil {
				return fmt.Errorf("start.folder = %q: %w", start, err)
			}
		}
		if err := a.checkBackend(ctx, o.backend, row.Recipe.Train.Precision); err != nil {
			return err
		}
	}
	w, err := workspace.OpenOrCreate(a.workspaceRoot())
	if err != nil {
		return err
	}
	if row.State != plan.Done {
		if err := w.WriteRecipe(string(row.ID), row.Recipe, row.Inputs); err != nil {
			return failedError(err)
		}
		m := machine{slots: 1, threads: o.threads}
		job := a.job(w, kindPretrain, string(row.ID), "recipe "+row.Name, sweeps.ComputeConfig{Backend: o.backend, Remat: o.remat}, m, recipeEffort(row.Recipe))
		show, _ := a.renderer()
		_, err := pool.Run(ctx, []pool.Job{job}, pool.Options{
			Executable: a.env.Executable, Env: a.env.Environ, Threads: o.threads, GPUs: a.pretrainGPUs(o.backend),
			Render: show, Now: a.env.Now,
		})
		if err != nil {
			return failedError(err)
		}
	}
	if a.global.json {
		a.answered = true
		return a.printLine(struct {
			Type   string `json:"type"`
			Schema int    `json:"schema"`
			ID     string `json:"id"`
			Name   string `json:"name"`
			Folder string `json:"folder"`
		}{"end", schema, string(row.ID), row.Name, row.Folder})
	}
	fmt.Fprintf(a.stdout, "recipe:%s  %s\n", row.Name, row.Folder)
	return nil
}

// pretrainGPUs gives the worker the first visible device.
func (a *app) pretrainGPUs(backend string) []string {
	if backend == "go" {
		return nil
	}
	gpus := visibleGPUs(a.env.Environ)
	return gpus[:min(1, len(gpus))]
}

// openRecipe reads RECIPE, a file or the name of an embedded recipe. base is the
// folder from which ./path in it starts.
func openRecipe(text string) (recipe *sweeps.Recipe, base string, err error) {
	info, err := os.Stat(text)
	if err == nil && info.Mode().IsRegular() {
		recipe, err := sweeps.LoadRecipe(text)
		if err != nil {
			return nil, "", err
		}
		base, err := filepath.Abs(filepath.Dir(text))
		if err != nil {
			return nil, "", fmt.Errorf("open recipe %q: %w", text, err)
		}
		return recipe, base, nil
	}
	if strings.ContainsAny(text, `/\`) || strings.HasSuffix(text, ".toml") {
		return nil, "", fmt.Errorf("open recipe %q: %s", text, noFile(info))
	}
	recipe, err = embeddedRecipe(strings.TrimPrefix(text, "recipe:"))
	if err != nil {
		return nil, "", fmt.Errorf("open recipe %q: %s, and %w", text, noFile(info), err)
	}
	return recipe, "", nil
}

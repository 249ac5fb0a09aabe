package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/packages"
	"headroom/data/source"
	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/runner/plan"
	"headroom/runner/prepare"
	"headroom/sweeps"
)

type prepareOptions struct {
	only    []string
	offline bool
}

func newPrepare(a *app) *cobra.Command {
	var o prepareOptions
	cmd := &cobra.Command{
		Use:   "prepare SWEEP [KEY=VALUE…]",
		Short: "download and verify everything that a sweep needs; list what a compute node needs",
		Long: `Downloads the models and collections that are not here, and compares every byte of the
sweep's collections with the digests of their download. Reads training and test data
whole, as a plan does, and keeps the results. It trains nothing. After it, "run SWEEP
--offline" needs no network.`,
		Example: `  headroom prepare rescale
  headroom run rescale --offline`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.prepareSweep(cmd.Context(), args[0], args[1:], o)
		},
	}
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "prepare the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.offline, "offline", false, "download nothing: fail where something is not here")
	return cmd
}

func (a *app) prepareSweep(ctx context.Context, sweep string, overrides []string, o prepareOptions) error {
	a.offline = a.offline || o.offline
	only, err := parseOnly(o.only)
	if err != nil {
		return err
	}
	s, err := a.openSweep(sweep, overrides)
	if err != nil {
		return err
	}
	p, err := a.planSweep(ctx, s, only)
	if err != nil {
		return err
	}
	resolver, err := a.resolver(s.base)
	if err != nil {
		return err
	}
	needs := prepare.Of(p)
	lacking, err := needs.FindLacking(resolver)
	if err != nil {
		return err
	}
	if !lacking.None() {
		if err := a.bring(ctx, resolver, lacking); err != nil {
			return err
		}
		if p, err = a.planSweep(ctx, s, only); err != nil {
			return err
		}
	}
	if err := refuseUnresolved(p); err != nil {
		return err
	}
	a.note("comparing %s with the digests of their download", nouns.Count(len(needs.Data), "reference"))
	if _, err := resolver.VerifyData(needs.Data...); err != nil {
		return err
	}
	a.warn(p)
	return a.printPrepared(sweep, resolver, p, needs)
}

// bring downloads what is missing: models first, which are smaller.
func (a *app) bring(ctx context.Context, r *source.Resolver, l prepare.Lacking) error {
	if r.Offline {
		return fmt.Errorf("download %s: the offline switch forbids it: HEADROOM_OFFLINE, HF_HUB_OFFLINE or --offline", strings.Join(append(append(l.Models, l.Tokenizers...), l.Data...), ", "))
	}
	for _, ref := range l.Models {
		if _, err := a.wholeModel(ctx, r, ref); err != nil {
			return err
		}
	}
	for _, ref := range l.Tokenizers {
		if _, err := a.onlyTokenizer(ctx, r, ref); err != nil {
			return err
		}
	}
	return a.getData(ctx, r, l.Data)
}

// preparedModel is a model in the document of prepare.
type preparedModel struct {
	Name   string `json:"name"`
	State  string `json:"state"` // "here", or "recipe": made by the sweep itself
	Folder string `json:"folder"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"` // for a model of the hub, its repository and commit
}

type preparedDocument struct {
	Schema      int               `json:"schema"`
	Sweep       string            `json:"sweep"`
	Runs        int               `json:"runs"`
	Evaluations int               `json:"evaluations"`
	Models      []preparedModel   `json:"models"`
	Collections []dataEntry       `json:"collections"`
	Environment map[string]string `json:"environment"`
}

// printPrepared lists what is here, and the folders that a compute node must see. sweep is the
// sweep's name on the command line.
func (a *app) printPrepared(sweep string, r *source.Resolver, p *plan.Plan, needs prepare.Needs) error {
	document := preparedDocument{Schema: schema, Sweep: p.Sweep, Runs: len(p.Runs), Evaluations: len(p.Evaluations), Models: []preparedModel{}, Collections: []dataEntry{}}
	for _, ref := range needs.Models {
		m := preparedModel{Name: ref, State: "here"}
		if strings.HasPrefix(ref, "recipe:") || sweeps.ID(ref).Valid() {
			m.State = "recipe"
		}
		if checkpoint, err := r.Checkpoint(ref); err == nil {
			m.State, m.Folder, m.Bytes, m.Digest = "here", checkpoint.Folder, packages.Bytes(checkpoint.Folder), checkpoint.Weights
		} else if m.State != "recipe" {
			return err
		}
		document.Models = append(document.Models, m)
	}
	entries, err := r.Entries(needs.Data...)
	if err != nil {
		return err
	}
	if document.Collections, err = dataEntries(r, entries); err != nil {
		return err
	}
	document.Environment = map[string]string{"HEADROOM_CACHE": r.CacheDir, "HEADROOM_WORKSPACE": r.Workspace}
	if r.DataRoot != "" {
		document.Environment["HEADROOM_DATA"] = r.DataRoot
	}
	for _, ref := range needs.Models {
		if r.Downloadable(ref) {
			document.Environment["HF_HUB_CACHE"] = r.HubCache
		}
	}
	if a.global.json {
		return a.printJSON(document)
	}
	rows := [][]string{{"what", "state", "size", "folder"}}
	for _, m := range document.Models {
		size := "-"
		if m.Bytes > 0 {
			size = packages.Size(m.Bytes)
		}
		rows = append(rows, []string{m.Name, m.State, size, m.Folder})
	}
	for _, e := range entries {
		rows = append(rows, []string{e.Name, e.State, sizeOf(e), e.Folder})
	}
	if err := a.table(rows); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\n%s: %s and %s are resolved. A compute node must see these folders under the same paths:\n", p.Sweep, nouns.Count(len(p.Runs), "run"), nouns.Count(len(p.Evaluations), "evaluation"))
	for _, name := range []string{"HEADROOM_CACHE", "HEADROOM_DATA", "HF_HUB_CACHE", "HEADROOM_WORKSPACE"} {
		if folder := document.Environment[name]; folder != "" {
			fmt.Fprintf(a.stdout, "  %s=%s\n", name, folder)
		}
	}
	_, err = fmt.Fprintf(a.stdout, "It needs no network: headroom run %s --offline\n", plain.Line(sweep))
	return failedError(err)
}

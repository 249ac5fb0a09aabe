package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/collection"
	"headroom/experiments"
	"headroom/reports/claims"
	"headroom/runner/evaluate"
	"headroom/runner/search"
)

type claimsOptions struct {
	model, file string
	backend     string
	threads     int
}

func newClaims(a *app) *cobra.Command {
	var o claimsOptions
	cmd := &cobra.Command{
		Use:   "claims --model MODEL [--claims FILE]",
		Short: "published statements, judged",
		Long: `Judges the claims of a TOML file (docs/claims.md): OK, OKish, FAIL, not run (nothing
of that kind is there), unknown (no published number is there). With --model:
claims about a model's vectors, by default those of experiments/published.toml,
whose texts and figures are found through data:published. The exit code does not
depend on the verdicts.`,
		Example: `  headroom claims --model rasyosef/splade-tiny`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.claims(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "`MODEL` that the claims are about: a folder, a hub name or a RUN (required)")
	f.StringVar(&o.file, "claims", "", "`FILE` of claims (default experiments/published.toml, which comes with the program)")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	return cmd
}

func (a *app) claims(cmd *cobra.Command, o claimsOptions) error {
	var faults []error
	if o.model == "" {
		faults = append(faults, errors.New("--model MODEL is missing: which model?"))
	}
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	if err := usage(cmd, append(faults, checkBackend(o.backend))...); err != nil {
		return err
	}
	list, err := readClaims(o.file)
	if err != nil {
		return err
	}
	m, err := a.findModel(cmd.Context(), o.model, a.wholeModel)
	if err != nil {
		return err
	}
	judged := claimJudge{app: a, model: m, options: o}
	defer judged.close()
	document := struct {
		Schema int                `json:"schema"`
		Claims []claims.Judgement `json:"claims"`
	}{schema, []claims.Judgement{}}
	for _, c := range list {
		j, err := judged.judge(cmd.Context(), c)
		if err != nil {
			return fmt.Errorf("judge claim %q: %w", c.ID, err)
		}
		document.Claims = append(document.Claims, j)
	}
	if a.global.json {
		return a.printJSON(document)
	}
	rows := [][]string{{"claim", "verdict", "why"}}
	for _, j := range document.Claims {
		rows = append(rows, []string{j.ID, string(j.Verdict), j.Why})
	}
	return a.table(rows)
}

// readClaims reads a file of claims; "" is the one about published models.
func readClaims(path string) ([]claims.Claim, error) {
	name, text, err := experiments.Published()
	if path != "" {
		name = path
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	return claims.Parse(name, text)
}

// claimJudge judges claims about one model, which it opens once.
type claimJudge struct {
	app     *app
	model   model
	options claimsOptions
	encoder *evaluate.Encoder
	dots    map[string][]float64 // by a claim's "on"
}

func (j *claimJudge) close() {
	if j.encoder != nil {
		j.encoder.Close()
	}
}

func (j *claimJudge) judge(ctx context.Context, c claims.Claim) (claims.Judgement, error) {
	if c.Kind != claims.Vectors {
		return c.Of(claims.NotRun, "a claim of kind %q is about a sweep's runs, not about a model", c.Kind), nil
	}
	resolver, err := j.app.resolver("")
	if err != nil {
		return claims.Judgement{}, err
	}
	folder, err := resolver.Data(c.On)
	if err != nil {
		return c.Of(claims.Unknown, "the published figures are not at hand: %v", err), nil
	}
	published, err := readPublished(folder)
	if err != nil {
		return claims.Judgement{}, err
	}
	row, ok := c.Row(published)
	switch {
	case !ok:
		return c.Of(claims.Unknown, "%q chooses no row, or several, of %s", c.Points.Expression, filepath.Join(folder, claims.PublishedFile)), nil
	case !isModel(j.model, row.Model) && named(j.model, published):
		return c.Of(claims.NotRun, "%s is another model", j.model.name), nil
	}
	dots, err := j.products(ctx, c.On, folder, published)
	if err != nil {
		return claims.Judgement{}, err
	}
	judgement := claims.JudgeVectors(c, row, dots)
	if judgement.Verdict != claims.OK && !isModel(j.model, row.Model) {
		// The model goes by no published name: it is the one whose figures it gives.
		return c.Of(claims.NotRun, "%s is not called so, and gives other dot products", j.model.name), nil
	}
	return judgement, nil
}

// isModel tells whether the model is the one of a published name: by the name
// asked for, or the folder's.
func isModel(m model, published string) bool {
	short := published[strings.LastIndexByte(published, '/')+1:]
	name, _, _ := strings.Cut(m.name, "@")
	absolute, err := filepath.Abs(m.folder)
	return name == published || name == short || err == nil && filepath.Base(absolute) == short
}

// named tells whether the model is any of the published ones by its name.
func named(m model, p claims.Published) bool {
	for _, row := range p.Rows {
		if isModel(m, row.Model) {
			return true
		}
	}
	return false
}

func readPublished(folder string) (claims.Published, error) {
	path := filepath.Join(folder, claims.PublishedFile)
	f, err := os.Open(path)
	if err != nil {
		return claims.Published{}, fmt.Errorf("read published figures: %w", err)
	}
	p, err := claims.ReadPublished(path, f)
	return p, errors.Join(err, f.Close())
}

// products are the dot products of the folder's one query with its documents,
// in the order of the published figures.
func (j *claimJudge) products(ctx context.Context, on, folder string, p claims.Published) ([]float64, error) {
	if dots, ok := j.dots[on]; ok {
		return dots, nil
	}
	c, err := collection.Open(folder)
	if err != nil {
		return nil, err
	}
	queries, err := c.Queries()
	if err != nil {
		return nil, err
	}
	if len(queries) != 1 {
		return nil, fmt.Errorf("%s has %d queries; allowed: 1", folder, len(queries))
	}
	documents, err := c.Documents()
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, d := range documents {
		texts[d.ID] = d.Content()
	}
	var wanted []string
	for _, id := range p.Documents {
		text, ok := texts[id]
		if !ok {
			return nil, fmt.Errorf("%s: the document %q of %s is not in its corpus", folder, id, claims.PublishedFile)
		}
		wanted = append(wanted, text)
	}
	if j.encoder == nil {
		j.encoder, err = evaluate.OpenEncoder(ctx, j.model.folder, evaluate.EncoderOptions{Backend: j.options.backend, Threads: j.options.threads})
		if err != nil {
			return nil, err
		}
		j.app.notes(j.encoder.Notices())
	}
	limit := j.app.limit(j.encoder, min(j.encoder.MaxTokens(), 512))
	query, err := j.encoder.EncodeQueries(ctx, []string{queries[0].Text}, limit, nil)
	if err != nil {
		return nil, err
	}
	vectors, err := j.encoder.EncodeDocuments(ctx, wanted, limit, nil)
	if err != nil {
		return nil, err
	}
	var dots []float64
	for _, v := range vectors {
		dots = append(dots, float64(search.Dot(query[0], v)))
	}
	if j.dots == nil {
		j.dots = map[string][]float64{}
	}
	j.dots[on] = dots
	return dots, nil
}

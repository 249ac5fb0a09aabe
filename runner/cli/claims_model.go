package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/collection"
	"headroom/experiments"
	"headroom/reports/claims"
	"headroom/runner/evaluate"
	"headroom/runner/search"
)

// publishedClaims judges claims about one model, by default those about published models.
func (a *app) publishedClaims(ctx context.Context, o claimsOptions) ([]claims.Judgement, error) {
	file, err := readClaims(o.file, experiments.Published)
	if err != nil {
		return nil, err
	}
	m, err := a.findModel(ctx, o.model, a.wholeModel)
	if err != nil {
		return nil, err
	}
	judged := claimJudge{app: a, model: m, options: o}
	defer judged.close()
	out := []claims.Judgement{}
	for _, c := range file.list {
		j, err := judged.judge(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("judge claim %q: %w", c.ID, err)
		}
		out = append(out, j)
	}
	return out, nil
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
		return c.Judgement(claims.NotRun, "a claim of kind %q is about a sweep's runs, not about a model", c.Kind), nil
	}
	resolver, err := j.app.resolver("")
	if err != nil {
		return claims.Judgement{}, err
	}
	folder, err := resolver.Data(c.On)
	if err != nil {
		return c.Judgement(claims.Unknown, "the published figures are not at hand: %v", err), nil
	}
	published, err := readPublished(folder)
	if err != nil {
		return claims.Judgement{}, err
	}
	row, ok := c.Row(published)
	switch {
	case !ok:
		return c.Judgement(claims.Unknown, "%q chooses no row, or several, of %s", c.Points.Expression, filepath.Join(folder, claims.PublishedFile)), nil
	case !isModel(j.model, row.Model) && hasPublishedName(j.model, published):
		return c.Judgement(claims.NotRun, "%s is another model", j.model.name), nil
	}
	dots, err := j.products(ctx, c.On, folder, published)
	if err != nil {
		return claims.Judgement{}, err
	}
	judgement := claims.JudgeVectors(c, row, dots)
	if judgement.Verdict != claims.OK && !isModel(j.model, row.Model) {
		// The model has no published name, so its figures decide which published model it is.
		return c.Judgement(claims.NotRun, "%s is not called so, and gives other dot products", j.model.name), nil
	}
	return judgement, nil
}

// isModel reports whether the model has a published name, by the name on the command
// line or its folder's name.
func isModel(m model, published string) bool {
	short := published[strings.LastIndexByte(published, '/')+1:]
	name, _, _ := strings.Cut(m.name, "@")
	absolute, err := filepath.Abs(m.folder)
	return name == published || name == short || err == nil && filepath.Base(absolute) == short
}

// hasPublishedName reports whether the model has the name of any published model.
func hasPublishedName(m model, p claims.Published) bool {
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

// products returns the dot products of the folder's query with its documents, in the
// order of the published figures.
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

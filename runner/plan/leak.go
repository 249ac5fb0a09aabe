package plan

import (
	"context"
	"slices"
	"strings"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/sweeps"
)

// mostRead bounds the rows of a training file that are compared with test queries, so that
// a plan does not take minutes.
const mostRead = 100_000

// noteLeaks adds a notice if training data have test queries with a relevant document. Data
// that cannot be read are reported elsewhere.
func (m *maker) noteLeaks(c sweeps.RunConfig, data set) {
	key := c.Data.Train + "\x01" + strings.Join(c.Evaluate.Final, "\x00")
	if m.compared[key] || data.digest == "" {
		return
	}
	m.compared[key] = true
	var trained map[string][]string
	var err error
	of := relevantByQuery
	if folder := data.training.Folder; folder != "" {
		of = relevant // by ids, which both have
		var c *collection.Collection
		if c, err = collection.Open(folder); err == nil {
			trained, err = of(c, collection.Train)
		}
	} else {
		trained, err = trainedOn(m.found.ctx, data, m.found.resolver.CacheDir)
	}
	if err != nil || len(trained) == 0 {
		return
	}
	for _, ref := range c.Evaluate.Final {
		folder, err := m.found.resolver.Data(ref)
		if err != nil {
			continue
		}
		test, err := collection.Open(folder)
		if err != nil || !slices.Contains(test.Splits(), FinalSplit) {
			continue
		}
		tested, err := of(test, FinalSplit)
		if err != nil {
			continue
		}
		if n := countShared(tested, trained); n > 0 {
			m.found.note("data.train = %q: %d of the %d test queries of %s are training queries, with the same relevant document: scores on them show what was learned by heart", c.Data.Train, n, len(tested), ref)
		}
	}
}

// trainedOn returns the texts of the documents relevant to each query of a training file, by
// the query's text.
func trainedOn(ctx context.Context, data set, cache string) (map[string][]string, error) {
	if data.survey.Rows > mostRead {
		return nil, nil
	}
	source, err := examples.Open(ctx, data.training, kept.Store{Dir: cache}, examples.Options{})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	asked := map[string][]string{}
	const chunk = 1024
	for from := 0; from < source.Len(); from += chunk {
		var places []batch.Place
		for row := from; row < min(from+chunk, source.Len()); row++ {
			places = append(places, batch.Place{Row: row, At: -1})
		}
		rows, err := source.Examples(places)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			query := strings.TrimSpace(row.Query)
			asked[query] = append(asked[query], strings.TrimSpace(row.Positive))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return asked, nil
}

// relevantByQuery returns the texts of the documents relevant to each query of a split, by the query's text.
func relevantByQuery(c *collection.Collection, split string) (map[string][]string, error) {
	pairs, err := examples.FromCollection(c, split)
	if err != nil {
		return nil, err
	}
	asked := map[string][]string{}
	for _, p := range pairs {
		query := strings.TrimSpace(p.Query)
		asked[query] = append(asked[query], strings.TrimSpace(p.Positive))
	}
	return asked, nil
}

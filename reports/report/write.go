package report

import (
	"context"

	"headroom/metrics/store"
	"headroom/reports/compare"
)

// Make compares the runs of a sweep in the store. Notes are the sweep's own remarks on
// its limits; they come last in that section of the report.
func Make(ctx context.Context, st *store.Store, sweep string, notes ...string) (*compare.Comparison, error) {
	in, err := compare.Load(ctx, st, sweep)
	if err != nil {
		return nil, err
	}
	in.Notes = append(in.Notes, notes...)
	return compare.Compare(in)
}

// Write makes a sweep's report in a folder, which it creates. Files of an
// earlier report are replaced.
func Write(ctx context.Context, st *store.Store, sweep, folder string, notes ...string) (Summary, error) {
	c, err := Make(ctx, st, sweep, notes...)
	if err != nil {
		return Summary{}, err
	}
	return Folder(c, Extras{}, folder)
}

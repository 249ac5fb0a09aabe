package cli_test

import "headroom/internal/sample"

var (
	words         = sample.Words()
	tinyTokenizer = sample.Tokenizer()
)

const (
	tinyRecipe = sample.Recipe
	smallSweep = sample.Sweep
)

// sample writes a small collection, a tokenizer, a recipe and a sweep into a
// place, and returns the sweep's path.
func (p *place) sample() string {
	p.t.Helper()
	path, err := sample.Write(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	return path
}

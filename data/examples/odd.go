package examples

import (
	"slices"
	"strconv"
	"strings"
)

// count counts properties of a row that are odd but no errors.
func (s *Survey) count(r *row, path string, line int) {
	note := func(n *int, first *string) {
		if *n++; *n == 1 {
			*first = place(path, line)
		}
	}
	empty := func(text string) bool { return strings.TrimSpace(text) == "" }
	if r.layout.query == byText && empty(r.query) {
		note(&s.EmptyQueries, &s.FirstEmptyQuery)
	}
	if r.layout.positive == byText && slices.ContainsFunc(r.positives, empty) || r.layout.negative == byText && slices.ContainsFunc(r.negatives, empty) {
		note(&s.EmptyDocuments, &s.FirstEmptyDocument)
	}
	if r.layout.positive == r.layout.negative && !r.lists && slices.Contains(r.negatives, r.positives[0]) {
		note(&s.OwnNegatives, &s.FirstOwn)
	}
}

func place(path string, line int) string { return path + ":" + strconv.Itoa(line) }

// countCollection adds the empty texts of the collection that resolves the ids.
func (f *files) countCollection() {
	if f.queries != nil {
		n, first := f.queries.Empty()
		f.survey.EmptyQueries, f.survey.FirstEmptyQuery = n, first
	}
	if f.documents != nil {
		n, first := f.documents.Empty()
		if f.survey.EmptyDocuments += n; f.survey.FirstEmptyDocument == "" {
			f.survey.FirstEmptyDocument = first
		}
	}
}

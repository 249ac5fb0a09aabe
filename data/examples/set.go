package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/collection"
	"headroom/data/texts"
	"headroom/internal/glob"
)

// Set names the files of training data.
type Set struct {
	// Folder is a collection in BEIR's layout, whose train split has the examples; "" if Files have them.
	Folder string
	// Files have the examples, one file after the other. Ids in them are resolved against the collection in their
	// folder or in the folder above.
	Files []string
	// Documents and Queries are the files that resolve the ids, if they are elsewhere; nil otherwise.
	Documents, Queries []string
}

// formats are the endings of the files that are read.
func formats() []string { return []string{".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz", ".parquet"} }

// IsFile reports whether a name is the name of a file of examples.
func IsFile(name string) bool {
	return slices.ContainsFunc(formats(), func(format string) bool { return strings.HasSuffix(name, format) })
}

// FindFile makes the set of one file.
func FindFile(path string) (Set, error) {
	if !IsFile(path) {
		return Set{}, fmt.Errorf("find examples in %s: %s are allowed", path, strings.Join(formats(), ", "))
	}
	info, err := os.Stat(path)
	if err != nil {
		return Set{}, fmt.Errorf("find examples: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Set{}, fmt.Errorf("find examples in %s: not a file", path)
	}
	return Set{Files: []string{path}}, nil
}

// FindFolder makes the set of a folder: train.tsv, train.jsonl (each may be gzipped) or train.parquet, or shards
// of one of them (train-00000-of-00002.parquet); otherwise a collection in BEIR's layout. The names of published
// files, patterns as of filepath.Match, are looked for as well.
func FindFolder(folder string, published ...string) (Set, error) {
	entries, err := os.ReadDir(folder)
	if err == nil && len(entries) > 0 { // a folder that can be listed may still not be readable
		_, err = os.Lstat(filepath.Join(folder, entries[0].Name()))
	}
	if err != nil {
		return Set{}, fmt.Errorf("find examples: %w", err)
	}
	files, err := Files(folder, published...)
	if err != nil {
		return Set{}, err
	}
	qrels := Matches(folder, "qrels/train.tsv", "qrels/train.tsv.gz")
	switch {
	case len(files) > 0 && len(qrels) > 0:
		return Set{}, fmt.Errorf("find examples in %s: it has %s and %s; name the file to train on", folder, filepath.Base(files[0]), "qrels/"+filepath.Base(qrels[0]))
	case len(files) > 0:
		return Set{Files: files}, nil
	}
	if len(qrels)+len(Matches(folder, "corpus.jsonl", "corpus.jsonl.gz")) > 0 {
		return Set{Folder: folder}, nil
	}
	if _, err := collection.Open(folder); err != nil { // in another layout
		return Set{}, fmt.Errorf("find examples in %s: it has neither train.tsv, train.jsonl or train.parquet (or shards train-*) nor a collection (corpus.jsonl, queries.jsonl, qrels/train.tsv)", folder)
	}
	return Set{Folder: folder}, nil
}

// Files returns the files of examples in a folder, as FindFolder looks for them, in byte order.
func Files(folder string, published ...string) ([]string, error) {
	var groups [][]string
	for _, pattern := range published {
		groups = append(groups, Matches(folder, pattern))
	}
	for _, format := range formats() {
		groups = append(groups, Matches(folder, "train"+format), Matches(folder, "train-*"+format))
	}
	groups = slices.DeleteFunc(groups, func(g []string) bool { return len(g) == 0 })
	switch {
	case len(groups) == 0:
		return nil, nil
	case len(groups) > 1:
		return nil, fmt.Errorf("find examples in %s: it has %s and %s; name the file to train on", folder, filepath.Base(groups[0][0]), filepath.Base(groups[1][0]))
	}
	return groups[0], nil
}

// Matches lists the files of a folder that match one of the patterns, in byte order.
func Matches(folder string, patterns ...string) []string {
	var found []string
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(glob.Literal(folder), filepath.FromSlash(pattern)))
		if err != nil {
			continue // cannot happen: the patterns are constants
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				found = append(found, name)
			}
		}
	}
	return found
}

// collectionFiles lists the files that may resolve ids. The first that exists is read.
func collectionFiles(kind texts.Kind) [][]string {
	if kind == texts.Queries {
		return [][]string{
			{"queries.jsonl", "queries.jsonl.gz"}, {"queries.train.tsv", "queries.train.tsv.gz", "queries.tsv", "queries.tsv.gz"},
			{"queries.parquet", "queries-*.parquet", "queries/*.parquet", "query/*.parquet"},
		}
	}
	return [][]string{
		{"corpus.jsonl", "corpus.jsonl.gz"}, {"collection.tsv", "collection.tsv.gz"},
		{"corpus.parquet", "corpus-*.parquet", "corpus/*.parquet", "passage/*.parquet"},
	}
}

// findPart finds one part of the collection of a set: in its folder, else in the folder above.
func (s Set) findPart(kind texts.Kind) ([]string, error) {
	if named := map[texts.Kind][]string{texts.Documents: s.Documents, texts.Queries: s.Queries}[kind]; len(named) > 0 {
		return named, nil
	}
	own := filepath.Dir(s.Files[0])
	var wanted []string
	for _, folder := range []string{own, filepath.Join(own, "..")} {
		var found [][]string
		wanted = nil
		for _, names := range collectionFiles(kind) {
			wanted = append(wanted, names[0])
			for _, name := range names {
				if files := Matches(folder, name); len(files) > 0 {
					found = append(found, files)
					break
				}
			}
		}
		if len(found) > 1 {
			return nil, fmt.Errorf("find the %s of %s: both %s and %s are there; one of them is allowed", kind, s.Files[0], found[0][0], found[1][0])
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return nil, fmt.Errorf("find the %s of %s: its rows have ids: put %s into %s or the folder above", kind, s.Files[0], strings.Join(wanted, " or "), own)
}

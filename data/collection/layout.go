package collection

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// files holds the names of a folder's files, relative to the folder and with slashes, or absolute.
type files struct {
	layout          Layout
	corpus, queries []string
	splits          map[string]string
}

// Layout names the arrangement of a collection's files in their folder.
type Layout string

// The layouts.
const (
	BEIR    Layout = "beir"
	MSMARCO Layout = "msmarco"
	TREC    Layout = "trec"
	Hub     Layout = "hub"
	Viewed  Layout = "view"
)

// ViewFile is the name of the file in which a folder lists a collection's files elsewhere.
const ViewFile = "collection.json"

// View names the files of a collection. Paths are absolute, or relative to its folder.
type View struct {
	Corpus  []string          `json:"corpus"`
	Queries []string          `json:"queries"`
	Splits  map[string]string `json:"splits"`
}

// find finds a folder's files, in whatever layout they are.
func find(folder string) (files, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return files{}, err
	}
	if !info.IsDir() {
		return files{}, errors.New("not a folder; a collection is a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv")
	}
	if text, err := os.ReadFile(filepath.Join(folder, ViewFile)); err == nil {
		return readView(folder, text)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return files{}, err
	}
	found, err := findIn(folder)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	if inner := onlyFolder(folder); inner != "" { // as archives are unpacked
		if found, within := findIn(filepath.Join(folder, inner)); within == nil {
			return found.inFolder(inner), nil
		}
	}
	return files{}, err
}

// findIn tries BEIR's layout first. Its error is BEIR's if no layout fits.
func findIn(folder string) (files, error) {
	found, err := beir(folder)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	for _, layout := range []func(string) (found files, is bool, err error){msmarco, trecFolder, hub} {
		if found, is, err := layout(folder); is || err != nil {
			return found, err
		}
	}
	return files{}, err
}

// inFolder puts a folder before relative names.
func (f files) inFolder(folder string) files {
	to := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return path.Join(folder, name)
	}
	moved := files{layout: f.layout, splits: map[string]string{}}
	for _, name := range f.corpus {
		moved.corpus = append(moved.corpus, to(name))
	}
	for _, name := range f.queries {
		moved.queries = append(moved.queries, to(name))
	}
	for split, name := range f.splits {
		moved.splits[split] = to(name)
	}
	return moved
}

// onlyFolder is the one folder in a folder; "" if there is none or more than one.
func onlyFolder(folder string) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	found := ""
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "__MACOSX" {
			continue
		}
		if found != "" {
			return ""
		}
		found = entry.Name()
	}
	return found
}

func readView(folder string, text []byte) (files, error) {
	var v View
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return files{}, fmt.Errorf("read %s: %w", filepath.Join(folder, ViewFile), err)
	}
	if len(v.Corpus) == 0 || len(v.Queries) == 0 {
		return files{}, fmt.Errorf("read %s: it names no corpus or no queries", filepath.Join(folder, ViewFile))
	}
	if v.Splits == nil {
		v.Splits = map[string]string{}
	}
	f := files{layout: Viewed, corpus: v.Corpus, queries: v.Queries, splits: v.Splits}
	for _, name := range slices.Concat(f.corpus, f.queries) {
		if _, err := os.Stat(joinUnlessAbsolute(folder, name)); err != nil {
			return files{}, fmt.Errorf("%s names a file: %w", ViewFile, err)
		}
	}
	return f, nil
}

func joinUnlessAbsolute(folder, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(folder, filepath.FromSlash(name))
}

// msmarco is the layout of MS MARCO's passages. dev is its smaller set of queries, with which
// everybody evaluates. It is also the test split, since the judgements of the real test set
// are not published.
func msmarco(folder string) (files, bool, error) {
	corpus := firstFile(folder, "collection.tsv", "collection.tsv.gz")
	if corpus == "" {
		return files{}, false, nil
	}
	f := files{layout: MSMARCO, corpus: []string{corpus}, splits: map[string]string{}}
	for _, split := range []struct {
		name string
		as   []string
	}{{"train", []string{Train}}, {"dev.small", []string{"dev", "test"}}, {"dev", []string{"dev", "test"}}, {"test", []string{"test"}}} {
		qrels := firstFile(folder, "qrels."+split.name+".tsv", "qrels."+split.name+".tsv.gz")
		queries := firstFile(folder, "queries."+split.name+".tsv", "queries."+split.name+".tsv.gz")
		if _, taken := f.splits[split.as[0]]; qrels == "" || queries == "" || taken && split.name == "dev" {
			continue
		}
		f.queries = append(f.queries, queries)
		for _, as := range split.as {
			f.splits[as] = qrels
		}
	}
	return f, len(f.queries) > 0, nil
}

// trecFolder is a collection with topics and qrels as TREC publishes them.
func trecFolder(folder string) (files, bool, error) {
	topics := firstFile(folder, "topics.txt", "topics.txt.gz", "topics.xml", "topics.xml.gz", "topics.tsv", "topics.tsv.gz")
	qrels := firstFile(folder, "qrels.txt", "qrels.txt.gz", "qrels.tsv", "qrels.tsv.gz")
	corpus := firstFile(folder, "corpus.jsonl", "corpus.jsonl.gz", "collection.tsv", "collection.tsv.gz", "corpus.tsv", "corpus.tsv.gz")
	if topics == "" || qrels == "" || corpus == "" {
		return files{}, false, nil
	}
	return files{layout: TREC, corpus: []string{corpus}, queries: []string{topics}, splits: map[string]string{"test": qrels}}, true, nil
}

// hub is a dataset of the hub as it was downloaded.
func hub(folder string) (files, bool, error) {
	f := files{layout: Hub, splits: map[string]string{}}
	f.corpus = filesMatching(folder, "corpus/*.parquet", "corpus.parquet", "corpus-*.parquet")
	f.queries = filesMatching(folder, "queries/*.parquet", "queries.parquet", "queries-*.parquet")
	if len(f.corpus) == 0 || len(f.queries) == 0 {
		return files{}, false, nil
	}
	for _, name := range filesMatching(folder, "qrels/*.parquet", "qrels/*.tsv") {
		split, _, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".parquet"), ".tsv"), "-0")
		if other, twice := f.splits[split]; twice {
			return files{}, false, fmt.Errorf("%s and %s are of one split; one file of qrels per split is allowed", other, name)
		}
		f.splits[split] = name
	}
	return f, true, nil
}

// firstFile is the first of the names that is a file in the folder; "" if none is.
func firstFile(folder string, names ...string) string {
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// filesMatching lists the files that match the first pattern with a match.
func filesMatching(folder string, patterns ...string) []string {
	for _, pattern := range patterns {
		within, base := path.Split(pattern)
		entries, err := os.ReadDir(filepath.Join(folder, filepath.FromSlash(within)))
		if err != nil {
			continue
		}
		var found []string
		for _, entry := range entries {
			if ok, _ := path.Match(base, entry.Name()); ok && !strings.HasPrefix(entry.Name(), ".") {
				found = append(found, within+entry.Name())
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// beir is BEIR's layout.
func beir(folder string) (files, error) {
	found := files{layout: BEIR, splits: map[string]string{}}
	corpus, err := plainOrGzip(folder, "corpus.jsonl")
	if err != nil {
		return files{}, err
	}
	queries, err := plainOrGzip(folder, "queries.jsonl")
	if err != nil {
		return files{}, err
	}
	found.corpus, found.queries = []string{corpus}, []string{queries}
	entries, err := os.ReadDir(filepath.Join(folder, "qrels"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return files{}, err
	}
	for _, entry := range entries { // sorted: x.tsv comes before x.tsv.gz
		split, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), ".gz"), ".tsv")
		if !ok || split == "" || strings.HasPrefix(split, ".") || entry.IsDir() {
			continue
		}
		if info, err := os.Stat(filepath.Join(folder, "qrels", entry.Name())); err == nil && !info.Mode().IsRegular() {
			return files{}, fmt.Errorf("qrels/%s is a %s; a file is allowed", entry.Name(), kindOf(info))
		}
		if _, taken := found.splits[split]; !taken {
			found.splits[split] = "qrels/" + entry.Name()
		}
	}
	return found, nil
}

func kindOf(info fs.FileInfo) string {
	if info.IsDir() {
		return "folder"
	}
	return "pipe or a device"
}

func plainOrGzip(folder, name string) (string, error) {
	for _, candidate := range []string{name, name + ".gz"} {
		info, err := os.Stat(filepath.Join(folder, candidate))
		if err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
		if err == nil {
			return "", fmt.Errorf("%s is a %s; a file is allowed", candidate, kindOf(info))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("neither %s nor %s.gz is in it: %w", name, name, fs.ErrNotExist)
}

package collection

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"headroom/internal/gunzip"
)

// Files returns the paths of the collection's files: corpus, queries, then the qrels of the given splits, or of
// all splits without arguments.
func (c *Collection) Files(splits ...string) ([]string, error) {
	parts, err := c.parts(splits)
	var paths []string
	for _, p := range parts {
		paths = append(paths, p.paths...)
	}
	return paths, err
}

// CorpusFiles returns the paths of the documents' files.
func (c *Collection) CorpusFiles() []string { return c.paths(c.files.corpus) }

// QueryFiles returns the paths of the queries' files.
func (c *Collection) QueryFiles() []string { return c.paths(c.files.queries) }

// part is a name in a digest, with the files that it covers.
type part struct {
	role  string
	paths []string
}

func (c *Collection) parts(splits []string) ([]part, error) {
	if len(splits) == 0 {
		splits = c.Splits()
	}
	parts := []part{{"corpus", c.CorpusFiles()}, {"queries", c.QueryFiles()}}
	for _, split := range splits {
		name, ok := c.files.splits[split]
		if !ok {
			return nil, fmt.Errorf("open qrels %q of collection %q: %w; %s", split, c.Folder, ErrNoSplit, c.available())
		}
		parts = append(parts, part{"qrels/" + split, []string{c.path(name)}})
	}
	return parts, nil
}

// Digest is "sha256:" and a hash over the contents of all files of the collection. It reads them each time.
func (c *Collection) Digest() (string, error) { return c.DigestOf() }

// DigestOf is Digest over corpus, queries and the qrels of the given splits alone, so that a new split does not
// change the digest of another. It covers unpacked contents, so gzipping a file changes no digest.
func (c *Collection) DigestOf(splits ...string) (string, error) {
	parts, err := c.parts(splits)
	if err != nil {
		return "", err
	}
	total := sha256.New()
	for _, p := range parts {
		for _, path := range p.paths {
			sum, err := contentSum(path)
			if err != nil {
				return "", fmt.Errorf("digest %s: %w", path, err)
			}
			fmt.Fprintf(total, "%q %s\n", p.role, sum)
		}
	}
	return "sha256:" + hex.EncodeToString(total.Sum(nil)), nil
}

func contentSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := gunzip.NewReader(file)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

package collection

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"headroom/internal/gunzip"
)

// Files returns the names of the collection's files, relative to Folder and with slashes: corpus, queries,
// then the qrels of the splits named, or of all without arguments.
func (c *Collection) Files(splits ...string) ([]string, error) {
	if len(splits) == 0 {
		splits = c.Splits()
	}
	names := []string{c.files.corpus, c.files.queries}
	for _, split := range splits {
		name, ok := c.files.splits[split]
		if !ok {
			return nil, fmt.Errorf("open qrels %q of collection %q: %w; %s", split, c.Folder, ErrNoSplit, c.available())
		}
		names = append(names, name)
	}
	return names, nil
}

// Digest is "sha256:" and a hash over the contents of all files of the collection. It reads them each time.
func (c *Collection) Digest() (string, error) { return c.DigestOf() }

// DigestOf is Digest over corpus, queries and only the qrels of the splits named, so that adding a split
// does not change what another one is. Contents count, unpacked: gzipping a file changes no digest.
func (c *Collection) DigestOf(splits ...string) (string, error) {
	names := c.Splits()
	if len(splits) > 0 {
		names = splits
	}
	paths, err := c.Files(names...)
	if err != nil {
		return "", err
	}
	roles := []string{"corpus", "queries"}
	for _, name := range names {
		roles = append(roles, "qrels/"+name)
	}
	total := sha256.New()
	for i, path := range paths {
		sum, err := contentSum(c.path(path))
		if err != nil {
			return "", fmt.Errorf("digest %s: %w", c.path(path), err)
		}
		fmt.Fprintf(total, "%q %s\n", roles[i], sum)
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

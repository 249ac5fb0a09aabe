package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/internal/seal"
)

// DigestFile returns "sha256:" and the hash of a file's bytes.
func (r *Resolver) DigestFile(path string) (string, error) {
	return r.Remember("file", []string{path}, func() (string, error) {
		sum, err := seal.SumFile(path)
		if err != nil {
			return "", err
		}
		return "sha256:" + sum, nil
	})
}

// DigestFolder returns "sha256:" and a hash over files of a folder, names included, in the
// given order.
func (r *Resolver) DigestFolder(folder string, names ...string) (string, error) {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(folder, name)
	}
	return r.Remember("folder", paths, func() (string, error) {
		total := sha256.New()
		for i, path := range paths {
			sum, err := seal.SumFile(path)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(total, "%q %s\n", names[i], sum)
		}
		return "sha256:" + hex.EncodeToString(total.Sum(nil)), nil
	})
}

// DigestCollection returns collection.DigestOf for some splits: of corpus, queries and
// their qrels. Another split does not change it.
func (r *Resolver) DigestCollection(folder string, splits ...string) (string, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return "", err
	}
	paths, err := c.Files(splits...)
	if err != nil {
		return "", err
	}
	return r.Remember(fmt.Sprintf("collection %q", splits), paths, func() (string, error) { return c.DigestOf(splits...) })
}

// DigestCorpus returns the digest of a collection's documents alone: pretraining reads
// nothing else.
func (r *Resolver) DigestCorpus(folder string) (string, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return "", err
	}
	paths := c.CorpusFiles()
	if len(paths) == 1 {
		return r.DigestFile(paths[0])
	}
	total := sha256.New()
	for _, path := range paths {
		sum, err := r.DigestFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(total, sum)
	}
	return "sha256:" + hex.EncodeToString(total.Sum(nil)), nil
}

// smallFile is the size in bytes up to which a file's digest is computed again and not kept.
const smallFile = 64 << 10

// Intact compares a folder with its manifest. Its error is *seal.Damage if a file has
// changed. A folder without a manifest passes.
func (r *Resolver) Intact(folder string) error {
	err := seal.Check(folder, r.FileSum)
	if errors.Is(err, seal.ErrNone) {
		return nil
	}
	return err
}

// FileSum returns the SHA-256 of a file; that of a large file is kept until the file changes.
func (r *Resolver) FileSum(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= smallFile || r.Verify {
		return seal.SumFile(path)
	}
	digest, err := r.DigestFile(path)
	return strings.TrimPrefix(digest, "sha256:"), err
}

// Remember returns a result about files. It computes the result, which must not be "", only
// if it is not kept or a file has changed.
func (r *Resolver) Remember(what string, paths []string, compute func() (string, error)) (string, error) {
	key, err := kept.KeyOf(what, paths...)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	store := kept.Store{Dir: r.CacheDir}
	if known, ok := store.Get(key); ok && !r.Verify {
		return known, nil
	}
	result, err := compute()
	if err != nil {
		return "", err
	}
	store.Put(key, result)
	return result, nil
}

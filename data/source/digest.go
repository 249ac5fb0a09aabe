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

// DigestFile is "sha256:" and the hash of a file's bytes.
func (r *Resolver) DigestFile(path string) (string, error) {
	return r.Remember("file", []string{path}, func() (string, error) {
		sum, err := seal.SumFile(path)
		if err != nil {
			return "", err
		}
		return "sha256:" + sum, nil
	})
}

// DigestFolder is "sha256:" and a hash over the named files of a folder, names
// included, in the order given.
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

// DigestCollection is collection.DigestOf for the splits named: corpus, queries
// and those qrels, so that another split changes nothing.
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

// DigestCorpus is the digest of a collection's documents alone, which is all
// that pretraining reads.
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

// smallFile is the size in bytes up to which a file is read again instead of remembering its digest.
const smallFile = 64 << 10

// Intact compares a folder with the manifest that it was made with. Its error is
// *seal.Damage if a file is not what it was, and none if the folder has no manifest.
func (r *Resolver) Intact(folder string) error {
	err := seal.Check(folder, r.Known)
	if errors.Is(err, seal.ErrNone) {
		return nil
	}
	return err
}

// Known is the SHA-256 of a file, that of a large one from when it was last taken.
func (r *Resolver) Known(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= smallFile || r.Verify {
		return seal.SumFile(path)
	}
	digest, err := r.DigestFile(path)
	return strings.TrimPrefix(digest, "sha256:"), err
}

// Remember keeps what compute found, which must not be "", until one of the files changes.
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

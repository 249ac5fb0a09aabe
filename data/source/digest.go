package source

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/data/lines"
)

// DigestFile is "sha256:" and the hash of a file's bytes.
func (r *Resolver) DigestFile(path string) (string, error) {
	return r.remember("file", []string{path}, func() (string, error) {
		sum, err := lines.SumFile(path)
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
	return r.remember("folder", paths, func() (string, error) {
		total := sha256.New()
		for i, path := range paths {
			sum, err := lines.SumFile(path)
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
	paths, err := collectionPaths(c, splits)
	if err != nil {
		return "", err
	}
	return r.remember(fmt.Sprintf("collection %q", splits), paths, func() (string, error) { return c.DigestOf(splits...) })
}

// DigestCorpus is the digest of a collection's documents alone, which is all
// that pretraining reads.
func (r *Resolver) DigestCorpus(folder string) (string, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return "", err
	}
	names, err := c.Files()
	if err != nil {
		return "", err
	}
	return r.DigestFile(filepath.Join(folder, filepath.FromSlash(names[0])))
}

func collectionPaths(c *collection.Collection, splits []string) ([]string, error) {
	names, err := c.Files(splits...)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		names[i] = filepath.Join(c.Folder, filepath.FromSlash(name))
	}
	return names, nil
}

// remember keeps what compute found until one of the files changes.
func (r *Resolver) remember(what string, paths []string, compute func() (string, error)) (string, error) {
	key, err := kept.KeyOf(what, paths...)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	store := kept.Store{Dir: r.CacheDir}
	if known, ok := store.Get(key); ok {
		return known, nil
	}
	result, err := compute()
	if err != nil {
		return "", err
	}
	store.Put(key, result)
	return result, nil
}

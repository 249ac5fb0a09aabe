package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"headroom/data/collection"
)

// settled is how old a file must be before its digest is kept: a younger one
// could change again within the resolution of its time stamp.
const settled = 2 * time.Second

// fileState is what a kept result depends on.
type fileState struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
}

type kept struct {
	What   string      `json:"what"`
	Files  []fileState `json:"files"`
	Result string      `json:"result"`
}

// DigestFile is "sha256:" and the hash of a file's bytes.
func (r *Resolver) DigestFile(path string) (string, error) {
	return r.remember("file", []string{path}, func() (string, error) {
		sum, err := sumFile(path)
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
			sum, err := sumFile(path)
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

// remember keeps what compute found until one of the files changes in path,
// size or time. Trouble with the cache is no trouble of the caller: the result
// is then computed each time.
func (r *Resolver) remember(what string, paths []string, compute func() (string, error)) (string, error) {
	now := kept{What: what}
	young := false
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("digest %s: %w", path, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("digest %s: %w", path, err)
		}
		young = young || time.Since(info.ModTime()) < settled
		now.Files = append(now.Files, fileState{Path: absolute, Size: info.Size(), Modified: info.ModTime().UnixNano()})
	}
	key, err := json.Marshal(now)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	sum := sha256.Sum256(key)
	name := ""
	if r.CacheDir != "" {
		name = filepath.Join(r.CacheDir, "digests", hex.EncodeToString(sum[:])+".json")
		if text, err := os.ReadFile(name); err == nil {
			var known kept
			if json.Unmarshal(text, &known) == nil && known.Result != "" {
				return known.Result, nil
			}
		}
	}
	if now.Result, err = compute(); err != nil {
		return "", err
	}
	if name != "" && !young {
		keep(name, now)
	}
	return now.Result, nil
}

// keep writes a result whole or not at all.
func keep(name string, result kept) {
	text, err := json.Marshal(result)
	if err != nil || os.MkdirAll(filepath.Dir(name), 0o755) != nil {
		return
	}
	temporary, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return
	}
	_, err = temporary.Write(text)
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		os.Remove(temporary.Name())
	}
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

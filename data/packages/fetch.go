package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/download"
	"headroom/internal/atomic"
)

// fetch downloads one file into the folder of downloads, checks it as far as its size or digest
// is known, and returns its origin.
func (g *getting) fetch(ctx context.Context, o order, it item) (Origin, error) {
	folder := g.IncomingFolder(o.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return Origin{}, fmt.Errorf("make the folder of downloads: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Origin{}, fmt.Errorf("open the folder of downloads: %w", err)
	}
	defer root.Close()
	name := flatName(it.to)
	if whole, ok := g.openComplete(it, root, name); ok {
		g.addBytes(o, it, whole.Bytes)
		return whole, nil
	}
	partial := name + ".incomplete"
	err = it.client.Bring(ctx, it.where, it.file, root, partial, func(n int64) { g.addBytes(o, it, n) })
	var wrong *download.WrongDigest
	switch {
	case errors.As(err, &wrong):
		aside := name + ".wrong"
		if moved := root.Rename(partial, aside); moved != nil {
			return Origin{}, errors.Join(err, moved)
		}
		return Origin{}, fmt.Errorf("%w; the file is not used, and kept as %s; the same command downloads it again", err, filepath.Join(folder, aside))
	case errors.Is(err, download.ErrDiskFull):
		return Origin{}, fmt.Errorf("%w; make room below %s, or set HEADROOM_CACHE to a folder on another disk; the same command resumes the download", err, g.Folder)
	case err != nil && ctx.Err() == nil:
		return Origin{}, fmt.Errorf("download %s: %w", it.from, err)
	case err != nil:
		return Origin{}, err
	}
	if err := atomic.DiskOn(atomic.Root{Root: root}).Rename(partial, name); err != nil {
		return Origin{}, fmt.Errorf("keep %s: %w", it.file.Name, err)
	}
	return origin(it, filepath.Join(folder, name))
}

// flatName is the name of a file in the folder of downloads, which has no folders inside.
func flatName(name string) string { return strings.ReplaceAll(name, "/", "--") }

// openComplete returns the origin of a file that an earlier call has downloaded.
func (g *getting) openComplete(it item, root *os.Root, name string) (Origin, bool) {
	info, err := root.Stat(name)
	if err != nil || it.file.Digest == "" || it.file.Size >= 0 && info.Size() != it.file.Size {
		return Origin{}, false
	}
	f, err := root.Open(name)
	if err != nil {
		return Origin{}, false
	}
	defer f.Close()
	file := it.file
	file.Size = info.Size()
	if sum, err := file.Sum(f); err != nil || sum != file.Digest {
		return Origin{}, false
	}
	from, err := origin(it, filepath.Join(root.Name(), name))
	return from, err == nil
}

// origin describes a downloaded file.
func origin(it item, path string) (Origin, error) {
	f, err := os.Open(path)
	if err != nil {
		return Origin{}, fmt.Errorf("digest %s: %w", it.file.Name, err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return Origin{}, fmt.Errorf("digest %s: %w", it.file.Name, err)
	}
	from := Origin{From: it.from, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil)), Commit: it.commit}
	switch len(it.file.Digest) {
	case 32:
		from.Published = "md5:" + it.file.Digest
	case 40:
		from.Published = "git-sha1:" + it.file.Digest
	case 64:
		from.Published = "sha256:" + it.file.Digest
	}
	return from, nil
}

// record keeps the digests of files without a published digest, and compares later downloads
// with the first.
func (g *getting) record(o order, got []Origin) error {
	path := g.recorded(o.Name)
	known := map[string]string{} // file: SHA-256
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the digests of the first download: %s: %w", path, err)
	}
	news := false
	for i, it := range o.items {
		if o.published(it) {
			continue
		}
		switch before := known[it.to]; before {
		case got[i].SHA256:
		case "":
			known[it.to], news = got[i].SHA256, true
			g.say(o.Name, fmt.Sprintf("%s has no published digest; its SHA-256 is %s, with which every later download is compared", it.file.Name, got[i].SHA256))
		default:
			return fmt.Errorf("%s differs from the first download: its SHA-256 is %s, not %s; to accept the new file, remove %s", it.file.Name, got[i].SHA256, before, path)
		}
	}
	if !news {
		return nil
	}
	if text, err = json.MarshalIndent(known, "", "  "); err != nil {
		return err
	}
	if err := atomic.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return atomic.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// published reports whether the table itself has a digest of a file. A digest that the hub
// announces does not count: it is only as old as the request.
func (o order) published(it item) bool {
	for _, f := range o.Files {
		if f.Digest() != "" && strings.EqualFold(f.Digest(), it.file.Digest) {
			return true
		}
	}
	return false
}

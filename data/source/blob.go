package source

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"headroom/data/download"
	"headroom/internal/atomic"
)

// store is the folder of one repository in the hub's cache. Nothing is written outside of
// it, whatever symbolic links are in it.
type store struct {
	root  *os.Root
	disk  atomic.Disk // writes below root
	locks string
}

// has reports whether a file's content is in the store, complete and with the right digest.
func (s *store) has(b download.File) bool {
	info, err := s.root.Stat("blobs/" + b.Digest)
	if err != nil || !info.Mode().IsRegular() || info.Size() != b.Size {
		return false
	}
	f, err := s.root.Open("blobs/" + b.Digest)
	if err != nil {
		return false
	}
	defer f.Close()
	got, err := b.Sum(f)
	return err == nil && got == b.Digest
}

// fetch downloads a file's content, which is named by its digest. If several processes and
// goroutines need the same one, one downloads it and the others wait.
func (s *store) fetch(ctx context.Context, c *download.Repository, where *url.URL, b download.File, came func(int64)) error {
	unlock, locked, err := download.Lock(ctx, filepath.Join(s.locks, b.Digest+".lock"))
	if err != nil {
		return fmt.Errorf("in the hub's cache: %w", err)
	}
	defer unlock()
	if s.has(b) {
		came(b.Size)
		return nil
	}
	partial := "blobs/" + b.Digest + ".incomplete"
	if !locked { // another process may be writing the same file
		partial = "blobs/" + b.Digest + "." + rand.Text()[:8] + ".incomplete"
		defer s.root.Remove(partial)
	}
	err = c.Bring(ctx, where, b, s.root, partial, came)
	var wrong *download.WrongDigest
	switch {
	case errors.As(err, &wrong):
		return errors.Join(fmt.Errorf("%w; nothing of it was kept", err), s.root.Remove(partial))
	case errors.Is(err, download.ErrDiskFull):
		return fmt.Errorf("%w; make room or set HF_HUB_CACHE to a folder on another disk", err)
	case err != nil:
		return err
	}
	if err := s.disk.Rename(partial, "blobs/"+b.Digest); err != nil {
		return fmt.Errorf("keep %s: %w", b.Name, err)
	}
	return nil
}

package source

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"headroom/internal/atomic"
)

// blob is a file's content by its digest, as the hub's cache keeps it: SHA-256
// of what lies in large file storage, else git's SHA-1 of a blob.
type blob struct {
	name   string // of the file in the repository
	digest string
	size   int64
}

var digestForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func (b blob) hash() hash.Hash {
	if len(b.digest) == sha256.Size*2 {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", b.size)
	return h
}

// digestOf is the digest of bytes, of the kind that the blob's own is.
func (b blob) digestOf(r io.Reader) (string, error) {
	sum := b.hash()
	if _, err := io.Copy(sum, r); err != nil {
		return "", fmt.Errorf("digest %s: %w", b.name, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// sum is the same of a file.
func (b blob) sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest %s: %w", b.name, err)
	}
	defer f.Close()
	return b.digestOf(f)
}

// describe asks the hub for the digest and size of a file.
func (c *remote) describe(ctx context.Context, where *url.URL, name string) (blob, error) {
	b := blob{name: name}
	err := c.try(ctx, func(ctx context.Context, _ func(bool)) error {
		a, err := c.ask(ctx, http.MethodHead, where, nil)
		if err != nil {
			return err
		}
		a.Body.Close()
		tag, size := a.linkedTag, a.linkedN
		switch {
		case a.StatusCode == http.StatusOK && tag == "":
			tag, size = a.Header.Get("Etag"), a.Header.Get("Content-Length")
		case a.StatusCode == http.StatusOK, a.StatusCode/100 == 3 && tag != "":
		default:
			return c.refusal(a, name)
		}
		if size == "" && a.StatusCode == http.StatusOK {
			size = a.Header.Get("Content-Length")
		}
		b.digest = strings.ToLower(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
		if b.size, err = strconv.ParseInt(size, 10, 64); err != nil || b.size < 0 || !digestForm.MatchString(b.digest) {
			return fmt.Errorf("%s names no digest and size of %s (ETag %.80q, size %.20q): nothing could be checked", where.Host, name, tag, size)
		}
		return nil
	})
	return b, err
}

// store is the folder of one repository in the hub's cache. Nothing is written
// outside of it, whatever symbolic links lie in it.
type store struct {
	root  *os.Root
	disk  atomic.Disk // writes below root
	locks string
}

// lockPoll is how often a lock that another process holds is looked at.
const lockPoll = 100 * time.Millisecond

// has tells whether a blob is there whole and as it was fetched.
func (s *store) has(b blob) bool {
	info, err := s.root.Stat("blobs/" + b.digest)
	if err != nil || !info.Mode().IsRegular() || info.Size() != b.size {
		return false
	}
	f, err := s.root.Open("blobs/" + b.digest)
	if err != nil {
		return false
	}
	defer f.Close()
	got, err := b.digestOf(f)
	return err == nil && got == b.digest
}

// fetch brings a blob. Of several processes and goroutines that want the same
// one, one downloads and the others wait for it.
func (s *store) fetch(ctx context.Context, c *remote, where *url.URL, b blob, came func(int64)) error {
	unlock, locked, err := s.lock(ctx, b.digest)
	if err != nil {
		return err
	}
	defer unlock()
	if s.has(b) {
		came(b.size)
		return nil
	}
	partial := "blobs/" + b.digest + ".incomplete"
	if !locked { // nobody else may write the same file
		partial = "blobs/" + b.digest + "." + rand.Text()[:8] + ".incomplete"
		defer s.root.Remove(partial)
	}
	before, most := int64(0), int64(0) // bytes told of last, and at most
	err = c.try(ctx, func(ctx context.Context, alive func(further bool)) error {
		return s.attempt(ctx, c, where, b, partial, func(have int64) {
			alive(have > most)
			came(have - before)
			before, most = have, max(most, have)
		})
	})
	if err != nil {
		return err
	}
	if err := s.disk.Rename(partial, "blobs/"+b.digest); err != nil {
		return fmt.Errorf("keep %s: %w", b.name, err)
	}
	return nil
}

// lock waits for the lock of a digest. locked is false where the file system
// has no locks.
func (s *store) lock(ctx context.Context, digest string) (unlock func(), locked bool, err error) {
	if err := os.MkdirAll(s.locks, 0o755); err != nil {
		return nil, false, fmt.Errorf("make a lock in the hub's cache: %w", err)
	}
	path := filepath.Join(s.locks, digest+".lock")
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, false, fmt.Errorf("make a lock in the hub's cache: %w", err)
		}
		locked, possible := tryLock(f)
		if !possible {
			f.Close()
			return func() {}, false, nil
		}
		if locked {
			mine, err := f.Stat()
			if there, other := os.Stat(path); err == nil && other == nil && os.SameFile(mine, there) {
				return func() { f.Close() }, true, nil
			}
		}
		f.Close() // held, or removed by its former holder
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// attempt goes on with a partial file, or begins it, and leaves it whole and
// checked, or as far as it came.
func (s *store) attempt(ctx context.Context, c *remote, where *url.URL, b blob, partial string, have func(int64)) (err error) {
	f, err := s.root.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("keep %s: %w", b.name, err)
	}
	defer func() {
		if closing := f.Close(); err == nil && closing != nil {
			err = writeError(b, closing)
		}
	}()
	sum := b.hash()
	offset, err := io.Copy(sum, f)
	if err != nil {
		return fmt.Errorf("read what came of %s before: %w", b.name, err)
	}
	restart := func() error {
		offset = 0
		sum = b.hash()
		if err := f.Truncate(0); err != nil {
			return writeError(b, err)
		}
		_, err := f.Seek(0, io.SeekStart)
		return err
	}
	if offset > b.size {
		if err := restart(); err != nil {
			return err
		}
	}
	resumed := offset > 0
	have(offset)
	if offset < b.size {
		a, err := c.part(ctx, where, b, offset)
		if err != nil {
			if errors.Is(err, errRange) {
				return errors.Join(err, restart())
			}
			return err
		}
		defer a.Body.Close()
		if a.StatusCode == http.StatusOK && resumed { // the server does not do ranges
			resumed = false
			if err := restart(); err != nil {
				return err
			}
			have(0)
		}
		if offset, err = copyBody(io.MultiWriter(f, sum), a.Body, b, offset, have); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != b.digest {
		err := fmt.Errorf("%s has the wrong digest: %s came, the hub announced %s", b.name, got, b.digest)
		if again := restart(); again != nil {
			return errors.Join(err, again)
		}
		if resumed { // what lay there may have been damaged: once from its start
			return passing{err: err}
		}
		return fmt.Errorf("%w; nothing of it was kept", err)
	}
	if err := f.Sync(); err != nil {
		return writeError(b, err)
	}
	return nil
}

var errRange = errors.New("the server did not send the part that was asked for")

// part asks for the bytes of a file from offset on. Its answer's status is 200
// where the server sends the whole file instead.
func (c *remote) part(ctx context.Context, where *url.URL, b blob, offset int64) (*answer, error) {
	header := http.Header{}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	a, err := c.ask(ctx, http.MethodGet, where, header)
	if err != nil {
		return nil, err
	}
	switch {
	case a.StatusCode == http.StatusOK:
		return a, nil
	case a.StatusCode == http.StatusPartialContent && strings.HasPrefix(a.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)):
		return a, nil
	}
	a.Body.Close()
	if a.StatusCode == http.StatusPartialContent || a.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return nil, passing{err: fmt.Errorf("%w: %s", errRange, b.name)}
	}
	return nil, c.refusal(a, b.name)
}

// copyBody writes a body to the end of the file, and no further.
func copyBody(to io.Writer, body io.Reader, b blob, offset int64, have func(int64)) (int64, error) {
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if offset+int64(n) > b.size {
				return offset, fmt.Errorf("%s is longer than the %d bytes that the hub announced", b.name, b.size)
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return offset, writeError(b, err)
			}
			offset += int64(n)
			have(offset)
		}
		switch {
		case err == io.EOF && offset < b.size:
			return offset, passing{err: fmt.Errorf("%s ended after %d of %d bytes", b.name, offset, b.size)}
		case err == io.EOF:
			return offset, nil
		case err != nil:
			return offset, passing{err: fmt.Errorf("receive %s: %w", b.name, err)}
		}
	}
}

func writeError(b blob, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("keep %s (%.1f MB): the disk of the hub's cache is full; make room or set HF_HUB_CACHE to a folder on another disk: %w", b.name, float64(b.size)/1e6, err)
	}
	return fmt.Errorf("keep %s: %w", b.name, err)
}

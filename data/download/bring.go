package download

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// WrongDigest is returned when a file arrived whole but does not have the announced digest.
type WrongDigest struct {
	File File
	// Got is the digest of the file that arrived, of the same kind.
	Got string
}

func (e *WrongDigest) Error() string {
	return fmt.Sprintf("%s has the wrong digest: %s instead of the announced %s (%s)", e.File.Name, e.Got, e.File.Digest, e.File.Kind())
}

// Bring downloads a file to name below root. If a part of it is there, Bring resumes. It calls
// came with the number of bytes since the last call, which is negative if bytes have to be
// fetched again.
//
// After an error the bytes that have arrived are kept. After a *WrongDigest the file is there
// whole, and the caller moves it away or removes it.
func (c *Client) Bring(ctx context.Context, where *url.URL, f File, root *os.Root, name string, came func(int64)) error {
	b := &bringing{Client: c, where: where, file: f, root: root, name: name}
	before, most := int64(0), int64(0) // bytes told of last, and at most
	return c.Try(ctx, func(ctx context.Context, alive func(further bool)) error {
		return b.attempt(ctx, func(have int64) {
			alive(have > most)
			came(have - before)
			before, most = have, max(most, have)
		})
	})
}

// bringing is one call of Bring.
type bringing struct {
	*Client
	where *url.URL
	file  File
	root  *os.Root
	name  string
	// version is the server's name for the content so far (an ETag). It is needed if no
	// digest would show that the next part belongs to other content; "" is not known.
	version string
}

// attempt begins or resumes a file. Afterwards the file is whole and checked, or as long
// as it came before the error.
func (b *bringing) attempt(ctx context.Context, have func(int64)) (err error) {
	f, err := b.root.OpenFile(b.name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("keep %s: %w", b.file.Name, err)
	}
	defer func() {
		if closing := f.Close(); err == nil && closing != nil {
			err = writeError(b.file, closing)
		}
	}()
	sum := b.file.hash()
	offset := int64(0)
	restart := func() error {
		offset = 0
		sum = b.file.hash()
		if err := f.Truncate(0); err != nil {
			return writeError(b.file, err)
		}
		_, err := f.Seek(0, io.SeekStart)
		return err
	}
	if b.file.Digest == "" && b.version == "" { // nothing shows to which content the earlier part belongs
		err = restart()
	} else if offset, err = io.Copy(sum, f); err != nil {
		err = fmt.Errorf("read what came of %s before: %w", b.file.Name, err)
	}
	if err != nil {
		return err
	}
	if b.file.Size >= 0 && offset > b.file.Size {
		if err := restart(); err != nil {
			return err
		}
	}
	resumed := offset > 0
	have(offset)
	if b.file.Size < 0 || offset < b.file.Size {
		a, err := b.part(ctx, offset)
		if err != nil {
			if errors.Is(err, errRange) {
				return errors.Join(err, restart())
			}
			return err
		}
		defer a.Body.Close()
		if a.StatusCode == http.StatusOK && resumed { // the server does not do ranges, or has another version
			resumed = false
			if err := restart(); err != nil {
				return err
			}
			have(0)
		}
		b.version = strongTag(a.Response)
		if offset, err = copyBody(io.MultiWriter(f, sum), a.Body, b.file, offset, have); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); b.file.Digest != "" && got != b.file.Digest {
		err := &WrongDigest{File: b.file, Got: got}
		if resumed { // the earlier part may have been damaged: fetch once from the start
			return errors.Join(Passing{Err: err}, restart())
		}
		return err
	}
	if err := f.Sync(); err != nil {
		return writeError(b.file, err)
	}
	return nil
}

// strongTag is the ETag with which a request gets a part of the same content or none.
func strongTag(r *http.Response) string {
	if tag := r.Header.Get("Etag"); !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return ""
}

var errRange = errors.New("the server did not send the part that was asked for")

// part asks for the bytes of a file from offset on. The status of its answer is 200
// if the server sends the whole file instead.
func (b *bringing) part(ctx context.Context, offset int64) (*Answer, error) {
	header := http.Header{}
	if offset > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		if b.file.Digest == "" {
			header.Set("If-Range", b.version)
		}
	}
	a, err := b.Ask(ctx, http.MethodGet, b.where, header)
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
		return nil, Passing{Err: fmt.Errorf("%w: %s", errRange, b.file.Name)}
	}
	return nil, b.Refusal(a, b.file.Name)
}

// copyBody copies a body up to the announced end of the file, and not further.
func copyBody(to io.Writer, body io.Reader, f File, offset int64, have func(int64)) (int64, error) {
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if f.Size >= 0 && offset+int64(n) > f.Size {
				return offset, fmt.Errorf("%s is longer than the %d bytes that were announced", f.Name, f.Size)
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return offset, writeError(f, err)
			}
			offset += int64(n)
			have(offset)
		}
		switch {
		case err == io.EOF && offset < f.Size:
			return offset, Passing{Err: fmt.Errorf("%s ended after %d of %d bytes", f.Name, offset, f.Size)}
		case err == io.EOF:
			return offset, nil
		case err != nil:
			return offset, Passing{Err: fmt.Errorf("receive %s: %w", f.Name, err)}
		}
	}
}

func writeError(f File, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("keep %s (%.1f MB): %w: %w", f.Name, float64(f.Size)/1e6, ErrDiskFull, err)
	}
	return fmt.Errorf("keep %s: %w", f.Name, err)
}

// ErrDiskFull is returned when the disk has no room for the file.
var ErrDiskFull = errors.New("the disk is full")

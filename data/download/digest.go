package download

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"regexp"
)

// File describes a file before its download.
type File struct {
	// Name is the file's name in messages.
	Name string
	// Digest is in hexadecimal: 64 digits are SHA-256, 40 git's SHA-1 of a blob, 32 MD5.
	// "" is not known; then nothing but the connection protects the content.
	Digest string
	// Size in bytes; below 0 it is not known. Then Digest must not be git's, which
	// includes the size.
	Size int64
}

var digestForm = regexp.MustCompile(`^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$`)

// IsDigest reports whether a text has the form of a digest.
func IsDigest(text string) bool { return digestForm.MatchString(text) }

// Kind names the digest: "SHA-256", "git's SHA-1", "MD5", or "" if none is known.
func (f File) Kind() string {
	switch len(f.Digest) {
	case 2 * sha256.Size:
		return "SHA-256"
	case 2 * sha1.Size:
		return "git's SHA-1"
	case 2 * md5.Size:
		return "MD5"
	}
	return ""
}

// hash computes a digest of the file's kind; SHA-256 if none is known.
func (f File) hash() hash.Hash {
	switch len(f.Digest) {
	case 2 * sha1.Size:
		h := sha1.New()
		fmt.Fprintf(h, "blob %d\x00", f.Size)
		return h
	case 2 * md5.Size:
		return md5.New()
	}
	return sha256.New()
}

// Sum is the digest of bytes, of the same kind as the file's Digest.
func (f File) Sum(r io.Reader) (string, error) {
	sum := f.hash()
	if _, err := io.Copy(sum, r); err != nil {
		return "", fmt.Errorf("digest %s: %w", f.Name, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

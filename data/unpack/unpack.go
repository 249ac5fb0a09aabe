// Package unpack unpacks foreign archives: zip, tar.gz and gz. It does not trust them: all
// members become files below one folder, or the whole archive is refused.
//
// It refuses members whose names lead outside of the folder or occur twice, links, devices,
// more members than a collection has, and more bytes than the caller allows; it counts the
// real bytes and not those that the archive claims. Unwanted members are skipped.
package unpack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Kind is the form of an archive.
type Kind string

// The forms that are read. Plain is a file as it is.
const (
	Plain Kind = ""
	Zip   Kind = "zip"
	TarGz Kind = "tgz"
	Gz    Kind = "gz"
)

// KindOf returns the form that a file's name shows.
func KindOf(name string) Kind {
	switch {
	case strings.HasSuffix(name, ".zip"):
		return Zip
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return TarGz
	case strings.HasSuffix(name, ".gz"):
		return Gz
	}
	return Plain
}

// maxMembers bounds the members of an archive; no archive of a collection has as many.
const maxMembers = 10_000

// ErrTooLarge is returned when more comes out of an archive than is allowed.
var ErrTooLarge = errors.New("more comes out of it than is allowed")

// Create makes the file of a member; write writes its content and must be called once. The
// name is relative, with slashes, and stays inside the folder.
type Create func(name string, write func(io.Writer) error) error

// Options bound the output.
type Options struct {
	// Most is the largest number of bytes that may come out of the archive.
	Most int64
	// Want chooses members by their names; nil wants all.
	Want func(name string) bool
	// As is the name of the only file in a gz; needed for Gz alone.
	As string
}

// Archive calls create for the wanted members of an archive, in its order. It ends with ctx.
// Its errors name the archive, and the member if one is at fault.
func Archive(ctx context.Context, file string, kind Kind, o Options, create Create) error {
	u := &unpacking{ctx: ctx, Options: o, create: create, seen: map[string]bool{}}
	var err error
	switch kind {
	case Zip:
		err = u.zip(file)
	case TarGz:
		err = u.tar(file)
	case Gz:
		err = u.gz(file)
	default:
		err = fmt.Errorf("%q is no kind of archive", kind)
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(file), err)
	}
	return nil
}

type unpacking struct {
	ctx context.Context
	Options
	create  Create
	seen    map[string]bool
	members int
	out     int64
}

// member checks a member before it is read. wanted is false for a member to skip.
func (u *unpacking) member(name string) (local string, wanted bool, err error) {
	if u.members++; u.members > maxMembers {
		return "", false, fmt.Errorf("more than %d members", maxMembers)
	}
	local, err = Local(name)
	if err != nil {
		return "", false, err
	}
	if u.seen[local] {
		return "", false, fmt.Errorf("member %q is there twice", name)
	}
	u.seen[local] = true
	return local, u.Want == nil || u.Want(local), nil
}

// Local returns a member's name as a path below a folder. The error says why the name is not allowed.
func Local(name string) (string, error) {
	if strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("member %q has a character that no name may have", name)
	}
	local := path.Clean(name)
	if path.IsAbs(name) || local == "." || !filepath.IsLocal(filepath.FromSlash(local)) {
		return "", fmt.Errorf("member %q leads outside of the folder", name)
	}
	return local, nil
}

// put writes a member, which must not be larger than the rest of the allowed bytes.
func (u *unpacking) put(name string, r io.Reader) error {
	return u.create(name, func(w io.Writer) error {
		n, err := io.Copy(w, &bounded{r: r, left: u.Most - u.out, ctx: u.ctx})
		u.out += n
		if err != nil {
			return fmt.Errorf("member %q: %w", name, err)
		}
		return nil
	})
}

// bounded is a reader that fails after a number of bytes, and once its context has ended.
type bounded struct {
	r    io.Reader
	left int64
	ctx  context.Context
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

func (u *unpacking) zip(file string) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, f := range archive.File {
		if f.FileInfo().IsDir() {
			continue
		}
		name, wanted, err := u.member(f.Name)
		switch {
		case err != nil:
			return err
		case !f.Mode().IsRegular():
			return fmt.Errorf("member %q is a link or a device; files are allowed", f.Name)
		case !wanted:
			continue
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("member %q: %w", f.Name, err)
		}
		err = u.put(name, r)
		if closing := r.Close(); err == nil && closing != nil {
			err = fmt.Errorf("member %q: %w", f.Name, closing)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) tar(file string) error {
	return gunzip(file, func(r io.Reader) error {
		// Skipped bytes count too, so that an archive bomb ends.
		archive := tar.NewReader(r)
		for {
			head, err := archive.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if head.Typeflag == tar.TypeDir || head.Typeflag == tar.TypeXGlobalHeader {
				continue
			}
			name, wanted, err := u.member(head.Name)
			switch {
			case err != nil:
				return err
			case head.Typeflag != tar.TypeReg:
				return fmt.Errorf("member %q is a link or a device; files are allowed", head.Name)
			case wanted:
				err = u.put(name, archive)
			default:
				var n int64
				n, err = io.Copy(io.Discard, &bounded{r: archive, left: u.Most - u.out, ctx: u.ctx})
				u.out += n
			}
			if err != nil {
				return err
			}
		}
	})
}

func (u *unpacking) gz(file string) error {
	name, _, err := u.member(u.As)
	if err != nil {
		return err
	}
	return gunzip(file, func(r io.Reader) error { return u.put(name, r) })
}

func gunzip(file string, read func(io.Reader) error) error {
	packed, err := os.Open(file)
	if err != nil {
		return err
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	return read(r)
}

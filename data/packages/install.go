package packages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"headroom/data/unpack"
	"headroom/internal/atomic"
	"headroom/internal/seal"
)

// spare is the number of bytes that stay free on a disk.
const spare = 64 << 20

// room returns an error if the disk lacks space for all orders.
func (s Store) room(orders []order) error {
	if s.Free == nil {
		return nil
	}
	need := int64(spare)
	for _, o := range orders {
		need += o.unpacked()
		for _, it := range o.items {
			if it.kind != unpack.Plain { // archive and contents are there at the same time
				need += max(0, it.file.Size) - s.arrived(o.Name, it)
			} else {
				need -= s.arrived(o.Name, it)
			}
		}
	}
	if free, known := s.Free(s.Folder); known && free < uint64(max(0, need)) {
		return fmt.Errorf("download packages into %s: about %s is needed and %s is free; make room, or set HEADROOM_CACHE to a folder on another disk", s.Folder, Size(need), Size(int64(free)))
	}
	return nil
}

// arrived is the number of a file's bytes that have already been downloaded.
func (s Store) arrived(name string, it item) int64 {
	for _, suffix := range []string{"", ".incomplete"} {
		if info, err := os.Stat(filepath.Join(s.IncomingFolder(name), flatName(it.to)+suffix)); err == nil {
			return info.Size()
		}
	}
	return 0
}

// Size writes bytes for people.
func Size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}

// install makes the package's folder from the downloads, and removes them.
func (g *getting) install(ctx context.Context, o order, got []Origin) error {
	folder := filepath.Join(g.Folder, filepath.FromSlash(o.Name))
	if err := atomic.MkdirAll(filepath.Dir(folder)); err != nil {
		return err
	}
	err := atomic.CreateFolder(folder, func(f *atomic.Folder) error {
		for _, it := range o.items {
			if err := g.place(ctx, f, o, it); err != nil {
				return err
			}
		}
		rows, err := checkRows(f.Path(), o.Rows)
		if err != nil {
			return fmt.Errorf("the files differ from those that are published: %w", err)
		}
		from := Source{
			Schema: 1, Package: o.Name, Licence: o.Licence, Cite: o.Cite, Home: o.Home,
			Files: got, Rows: rows, Bytes: Bytes(f.Path()),
		}
		text, err := json.MarshalIndent(from, "", "  ")
		if err != nil {
			return err
		}
		if err := put(f, SourceFile, append(text, '\n')); err != nil {
			return err
		}
		list, err := seal.Manifest(f.Path())
		if err != nil {
			return err
		}
		return put(f, seal.ManifestFile, list)
	})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.RemoveAll(g.IncomingFolder(o.Name))
}

func put(f *atomic.Folder, name string, text []byte) error {
	return f.WriteFile(name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// most bounds the bytes that come out of an archive: text packs to a tenth, hardly to a fiftieth.
const most = 50

// place puts one download into the package, unpacked.
func (g *getting) place(ctx context.Context, f *atomic.Folder, o order, it item) error {
	file := filepath.Join(g.IncomingFolder(o.Name), flatName(it.to))
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("look for the download: %w", err)
	}
	if it.kind == unpack.Plain {
		return f.WriteFile(it.to, func(w io.Writer) error { return copyFile(ctx, w, file) })
	}
	bound := max(most*info.Size(), 2*o.Unpacked) + 1<<20
	if claimed := unpack.ClaimedSize(file, it.kind, nil); g.Free != nil && claimed > 0 {
		if free, known := g.Free(g.Folder); known && free < uint64(claimed+spare) {
			return fmt.Errorf("unpack %s: %s is needed and %s is free below %s; make room, or set HEADROOM_CACHE to a folder on another disk", it.file.Name, Size(claimed+spare), Size(int64(free)), g.Folder)
		}
	}
	options := unpack.Options{Most: bound, As: strings.TrimSuffix(it.to, ".gz"), Want: func(name string) bool { return !hidden(name) }}
	return unpack.Archive(ctx, file, it.kind, options, func(name string, write func(io.Writer) error) error {
		return f.WriteFile(withoutFolder(o.Inside, name), write)
	})
}

// hidden reports whether a member is one that archivers leave and nobody reads.
func hidden(name string) bool {
	return strings.HasPrefix(path.Base(name), ".") || strings.HasPrefix(name, "__MACOSX/")
}

// withoutFolder removes the folder that all members of an archive share from a name.
func withoutFolder(folder, name string) string {
	if folder == "" {
		return name
	}
	return strings.TrimPrefix(name, folder+"/")
}

func copyFile(ctx context.Context, w io.Writer, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, stoppable{ctx, f})
	return err
}

// stoppable is a reader that fails once its context has ended.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

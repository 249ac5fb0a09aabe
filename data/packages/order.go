package packages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"headroom/data/download"
	"headroom/data/published"
	"headroom/data/unpack"
)

// order is a package with the addresses of its files.
type order struct {
	published.Package
	items []item
}

// item is one file to download.
type item struct {
	file   download.File
	from   string // the public address, for the record
	where  *url.URL
	client *download.Client
	// to is the file's name in the package, with slashes; of an archive, in the folder
	// of downloads.
	to     string
	kind   unpack.Kind
	commit string
}

// size is the number of bytes to download, as far as it is known.
func (o order) size() int64 {
	total := int64(0)
	for _, it := range o.items {
		total += max(0, it.file.Size)
	}
	return total
}

// guessed is the ratio of the size of texts to the size of their archives.
const guessed = 4

// Unpacked is the approximate size of a package in bytes, from the published sizes.
func Unpacked(p published.Package) int64 {
	if p.Unpacked > 0 {
		return p.Unpacked
	}
	total := int64(0)
	for _, f := range p.Files {
		total += texts(f.Size, unpack.KindOf(f.Name()))
	}
	return total
}

func texts(size int64, kind unpack.Kind) int64 {
	if kind != unpack.Plain {
		size *= guessed
	}
	return max(0, size)
}

// unpacked is the same from the order, which has sizes from the hub.
func (o order) unpacked() int64 {
	if o.Unpacked > 0 {
		return o.Unpacked
	}
	total := int64(0)
	for _, it := range o.items {
		total += texts(it.file.Size, it.kind)
	}
	return total
}

// orders makes the orders of packages. It asks the hub for the hub's files, and sends no other
// request. Its error names the packages that cannot be ordered; the others are returned all
// the same.
func (g *getting) orders(ctx context.Context, todo []published.Package) ([]order, error) {
	var orders []order
	var faults []error
	for _, p := range todo {
		o, err := g.order(ctx, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("download %s: %w", p.Name, err))
			continue
		}
		orders = append(orders, o)
	}
	return orders, errors.Join(faults...)
}

func (g *getting) order(ctx context.Context, p published.Package) (order, error) {
	o := order{Package: p}
	for _, f := range p.Files {
		var items []item
		var err error
		if f.Hub != "" {
			items, err = g.onHub(ctx, p, f)
		} else {
			items, err = g.atAddress(p, f)
		}
		if err != nil {
			return o, err
		}
		o.items = append(o.items, items...)
	}
	if len(o.items) == 0 {
		return o, fmt.Errorf("there is no file %s", patterns(p))
	}
	return o, nil
}

func patterns(p published.Package) string {
	var list []string
	for _, f := range p.Files {
		list = append(list, f.Hub+": "+f.Path)
	}
	return strings.Join(list, ", ")
}

// atAddress returns the item for a file with an address of its own.
func (g *getting) atAddress(p published.Package, f published.File) ([]item, error) {
	from, err := address(f.URL)
	if err != nil {
		return nil, fmt.Errorf("url %q: %w", f.URL, err)
	}
	where := from
	if g.Mirror != "" {
		mirror, err := address(g.Mirror)
		if err != nil {
			return nil, fmt.Errorf("HEADROOM_MIRROR: %w", err)
		}
		where = mirror.JoinPath(from.Host, from.Path)
	}
	client := download.New(g.Patience, nil, "")
	client.Failed = func(what string) { g.say(p.Name, what) }
	client.Refused = func(a *download.Answer, what string) error {
		return fmt.Errorf("%s answers %s to %s (%s)", a.Request.URL.Host, download.Status(a), what, where.Redacted())
	}
	if name, value, ok := strings.Cut(f.Header, ":"); ok {
		client.Header = http.Header{name: {strings.TrimSpace(value)}}
	}
	it := item{
		file: download.File{Name: f.Name(), Digest: strings.ToLower(f.Digest()), Size: f.Size},
		from: from.Redacted(), where: where, client: client, kind: unpack.KindOf(f.Name()), to: f.Name(),
	}
	it.file.Size = cmp.Or(it.file.Size, -1)
	return []item{it}, nil
}

func address(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("it is not an address; allowed: https://HOST[/PATH]")
	}
	return u, nil
}

// onHub returns the items for the files of a dataset that match a path. It takes from the hub
// what the table does not say.
func (g *getting) onHub(ctx context.Context, p published.Package, f published.File) ([]item, error) {
	wrap := func(err error) error {
		return fmt.Errorf("dataset %s from %s: %w", f.Hub, g.Hub.Shown(), err)
	}
	repository, err := g.Hub.Open(download.Dataset, f.Hub)
	if err != nil {
		return nil, wrap(err)
	}
	repository.Failed = func(what string) { g.say(p.Name, what) }
	revision := f.Revision
	revision = cmp.Or(revision, "main")
	info, err := repository.Resolve(ctx, revision)
	if err != nil {
		return nil, wrap(err)
	}
	var items []item
	for _, file := range info.Files {
		if ok, _ := path.Match(f.Path, file.Name); !ok || hidden(file.Name) || path.Base(file.Name) == "README.md" {
			continue
		}
		where := repository.Address(info.Commit, file.Name)
		it := item{from: "hub:datasets/" + f.Hub + "@" + info.Commit + "/" + file.Name, where: where, client: repository.Client, to: file.Name, commit: info.Commit}
		if f.Flat || !strings.Contains(f.Path, "/") {
			it.to = path.Base(file.Name)
		}
		if it.to, err = unpack.Local(it.to); err != nil {
			return nil, wrap(err)
		}
		if it.file, err = repository.Describe(ctx, where, file.Name); err != nil {
			return nil, wrap(err)
		}
		if digest := f.Digest(); digest != "" {
			it.file.Digest = strings.ToLower(digest)
		}
		items = append(items, it)
	}
	if len(items) == 0 && len(p.Files) == 1 {
		return nil, wrap(fmt.Errorf("its revision %s (commit %.8s) has no file %s", revision, info.Commit, f.Path))
	}
	return items, nil
}

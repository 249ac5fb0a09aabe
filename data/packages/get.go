package packages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"headroom/data/download"
	"headroom/data/published"
)

// Progress is the state of a download.
type Progress struct {
	Package, File string
	// Done and Total are bytes of all files that are fetched together. A file of unknown
	// size counts with the bytes that have arrived.
	Done, Total int64
	// Said, if it is not empty, is a message: about a failed attempt that another one
	// follows, or a recorded digest. Then all other fields but Package are empty.
	Said string
}

// atOnce is the number of files that are downloaded at a time.
const atOnce = 4

// Get downloads the packages that are not here. A failure does not stop the other packages;
// the returned error joins all failures. tell may be nil; it is called by one goroutine at a
// time. The next call resumes files whose download was cut off.
func (s Store) Get(ctx context.Context, list []published.Package, tell func(Progress)) error {
	var todo []published.Package
	for _, p := range list {
		if _, err := s.Find(p.Name); errors.Is(err, ErrAbsent) && !slices.ContainsFunc(todo, func(q published.Package) bool { return q.Name == p.Name }) {
			todo = append(todo, p)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	if s.Folder == "" {
		return errors.New("download packages: there is no folder for them; set HEADROOM_CACHE")
	}
	// All processes take locks in the same order, so that two never wait for each other.
	slices.SortFunc(todo, func(a, b published.Package) int { return strings.Compare(a.Name, b.Name) })
	g := &getting{Store: s, tell: tell, slots: make(chan struct{}, atOnce)}
	orders, refused := g.orders(ctx, todo)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.room(orders); err != nil {
		return errors.Join(refused, err)
	}
	for _, o := range orders {
		g.progress.Total += o.size()
	}
	errs := make([]error, len(orders))
	var all sync.WaitGroup
	for i, o := range orders {
		all.Go(func() { errs[i] = g.bring(ctx, o) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(append(errs, refused)...)
}

// getting is one call of Get.
type getting struct {
	Store
	tell     func(Progress)
	mu       sync.Mutex
	progress Progress
	// slots bounds the number of downloads at a time.
	slots chan struct{}
}

func (g *getting) say(name, what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tell != nil {
		g.tell(Progress{Package: name, Said: what})
	}
}

// addBytes counts bytes of a file that have arrived.
func (g *getting) addBytes(o order, it item, n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.progress.Done += n
	if it.file.Size < 0 {
		g.progress.Total += n
	}
	g.progress.Package, g.progress.File = o.Name, it.file.Name
	if g.tell != nil {
		g.tell(g.progress)
	}
}

// bring downloads one package, unless another process does so or has done so.
func (g *getting) bring(ctx context.Context, o order) error {
	wrap := func(err error) error {
		if err == nil || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("download %s: %w", o.Name, err)
	}
	unlock, locked, err := download.Lock(ctx, g.IncomingFolder(o.Name)+".lock")
	if err != nil {
		return wrap(err)
	}
	defer unlock()
	if !locked {
		return wrap(fmt.Errorf("the file system of %s has no locks; set HEADROOM_CACHE to a folder on one that has", g.Folder))
	}
	if _, err := g.Find(o.Name); err == nil {
		return nil // another process has downloaded it
	}
	errs := make([]error, len(o.items))
	got := make([]Origin, len(o.items))
	var all sync.WaitGroup
	for i, it := range o.items {
		all.Go(func() {
			select {
			case g.slots <- struct{}{}:
				defer func() { <-g.slots }()
				got[i], errs[i] = g.fetch(ctx, o, it)
			case <-ctx.Done():
				errs[i] = ctx.Err()
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return wrap(err)
	}
	if err := g.record(o, got); err != nil {
		return wrap(err)
	}
	return wrap(g.install(ctx, o, got))
}

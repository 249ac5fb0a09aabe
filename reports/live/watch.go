package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"headroom/metrics/store"
	"headroom/runner/workspace"
)

// Options say what to watch and how.
type Options struct {
	// Root is the workspace's folder, which need not exist yet.
	Root string
	// CacheDir is the folder for a database that cannot be in the workspace; "" is the
	// user's cache.
	CacheDir string
	Now      func() time.Time
	// Every is the time between two passes while a page waits for news, Idle the time while
	// none does.
	Every, Idle time.Duration
	// Collections updates the recorded digests of the workspace's collections; it may be nil. It
	// is called when the workspace is opened, and its error becomes a note.
	Collections func(workspace.Workspace) error
}

// Watcher watches one workspace.
type Watcher struct {
	o Options

	mu      sync.Mutex
	now     *Snapshot
	changed chan struct{} // closed when now is replaced
	waiting int           // number of readers that wait for news
	wake    chan struct{}

	storeMu sync.RWMutex // guards the fields below while the workspace is closed
	open    *opened
	read    reading
}

// reading is what an update read of the store: it is read again where the store has changed.
type reading struct {
	version store.Version
	marks   store.Marks
	sweeps  []store.Sweep
}

// opened is a workspace that is open.
type opened struct {
	workspace.Workspace
	store *store.Store
	file  os.FileInfo // the database's file, to notice its replacement
}

// New makes a Watcher. Call Watch to start it.
func New(o Options) *Watcher {
	return &Watcher{o: o, now: &Snapshot{Version: 1, runs: map[string]*Run{}}, changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// Root returns the workspace's folder.
func (w *Watcher) Root() string { return w.o.Root }

// Snapshot returns the latest snapshot.
func (w *Watcher) Snapshot() *Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Newer waits for a snapshot with a version above the given one.
func (w *Watcher) Newer(ctx context.Context, version uint64) (*Snapshot, error) {
	w.mu.Lock()
	w.waiting++
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.waiting--
		w.mu.Unlock()
	}()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	for {
		w.mu.Lock()
		now, changed := w.now, w.changed
		w.mu.Unlock()
		if now.Version > version {
			return now, nil
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-changed:
		}
	}
}

// A pass over a workspace of thousands of runs on a slow file system takes long. The pause
// after it is then so many times as long as the pass, but at most longestPause.
const (
	pauseTimes   = 10
	longestPause = 2 * time.Second
)

// endedEvery is the time between two looks at a run that was over a minute ago, if looks are
// that close together: with half a second from look to look, what becomes of such a run is
// seen within two seconds.
const endedEvery = 1500 * time.Millisecond

// Watch looks at the workspace until the context ends.
func (w *Watcher) Watch(ctx context.Context) {
	defer w.close()
	last, took := time.Time{}, time.Duration(0)
	for {
		w.mu.Lock()
		pause := w.o.Idle
		if w.waiting > 0 {
			pause = max(w.o.Every, min(longestPause, pauseTimes*took))
		}
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-w.wake: // a reader came: look now if the last pass is old
			if time.Since(last) < w.o.Every {
				continue
			}
		case <-time.After(time.Until(last.Add(pause))):
		}
		last = time.Now()
		w.Look(ctx)
		took = time.Since(last)
	}
}

// Look looks once, now.
func (w *Watcher) Look(ctx context.Context) {
	before := w.Snapshot()
	after := w.next(ctx, before)
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = after
	if after.Version != before.Version {
		close(w.changed)
		w.changed = make(chan struct{})
	}
}

// next makes the snapshot that follows the given one.
func (w *Watcher) next(ctx context.Context, before *Snapshot) *Snapshot {
	after := *before
	notes, err := w.fold(ctx)
	after.Notes, after.Fault = notes, ""
	now := w.o.Now()
	if err != nil {
		after.Fault = err.Error()
		if !errors.Is(err, errOld) {
			if after.Fault != before.Fault {
				after.Version++
			}
			return &after
		}
	} else {
		after.Folded = now
	}
	changed, err := w.update(ctx, before, &after, now)
	if err != nil {
		after.Fault = err.Error()
	}
	if changed || after.Fault != before.Fault || len(after.Notes) != len(before.Notes) {
		after.Version = before.Version + 1
	} else {
		after.Sweeps, after.Alerts, after.runs = before.Sweeps, before.Alerts, before.runs
	}
	return &after
}

// errOld marks a fault after which the shown state may be old, but is valid.
var errOld = errors.New("figures may be old")

// fold opens the workspace if it is not open and brings its database up to date.
func (w *Watcher) fold(ctx context.Context) (notes []string, err error) {
	if err := w.reopen(); err != nil {
		return nil, err
	}
	err = store.Fold(ctx, w.open.Root, w.open.store)
	var damage *store.Damage
	switch {
	case errors.As(err, &damage): // everything else is folded
		for _, fault := range damage.Faults {
			notes = append(notes, fault.Error())
		}
		return notes, nil
	case errors.Is(err, store.ErrLocked), errors.Is(err, store.ErrBusy):
		return nil, fmt.Errorf("%w: %w", errOld, err)
	case errors.Is(err, store.ErrDamaged):
		w.close()
	}
	return notes, err
}

// reopen opens the workspace if it is not open, or if another one has replaced it.
func (w *Watcher) reopen() error {
	if w.open != nil {
		info, err := os.Stat(w.open.store.Path())
		_, gone := os.Stat(filepath.Join(w.o.Root, "workspace.json"))
		if err == nil && gone == nil && os.SameFile(info, w.open.file) {
			return nil
		}
		w.close()
	}
	found, err := workspace.Open(w.o.Root)
	if err != nil {
		return err
	}
	path, err := store.Locate(found.Root, w.o.CacheDir)
	if err != nil {
		return err
	}
	var notes error
	if w.o.Collections != nil {
		notes = w.o.Collections(found)
	}
	s, err := store.Open(path, store.WithClock(w.o.Now), store.EndedEvery(endedEvery))
	if err != nil {
		return errors.Join(err, notes)
	}
	info, err := os.Stat(path)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	w.storeMu.Lock()
	defer w.storeMu.Unlock()
	w.open, w.read = &opened{found, s, info}, reading{}
	return notes
}

// close closes the workspace when no reader uses it.
func (w *Watcher) close() {
	w.storeMu.Lock()
	defer w.storeMu.Unlock()
	if w.open != nil {
		w.open.store.Close()
		w.open = nil
	}
}

// ErrClosed is returned by Read when the workspace cannot be read now.
var ErrClosed = errors.New("the workspace cannot be read now")

// Read lets a function read in the workspace and its store. It must not keep them.
func (w *Watcher) Read(do func(workspace.Workspace, *store.Store) error) error {
	w.storeMu.RLock()
	defer w.storeMu.RUnlock()
	if w.open == nil {
		return ErrClosed
	}
	return do(w.open.Workspace, w.open.store)
}

// Package faults tests code that writes through internal/atomic. Each call of the file
// system fails once, the process is killed at each call, and power is lost after each
// call, which destroys everything that was not synced. A reader must then find the old
// content or the whole new content.
package faults

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"headroom/internal/atomic"
)

// Case is one kind of content, with functions that write and read it.
type Case struct {
	// Before makes the old content; nil for an empty folder.
	Before func(t *testing.T, dir string)
	// Write writes below the folder dir.
	Write func(disk atomic.Disk, dir string) error
	// Read returns what a reader finds below dir, and an error if that is damaged. It may
	// repair a write that was cut short, as the reader does.
	Read func(dir string) (string, error)
}

// Test tries a case.
func Test(t *testing.T, c Case) {
	t.Helper()
	dir := c.prepare(t)
	before := c.read(t, dir, "before anything is written")
	calls := c.losePower(t, before)
	if calls < 3 {
		t.Fatalf("%d calls of the file system: at least rename, sync and close are needed", calls)
	}
	if err := c.Write(atomic.Disk{}, dir); err != nil {
		t.Fatal(err)
	}
	after := c.read(t, dir, "once it is written")
	if before == after {
		t.Fatalf("nothing changed: %q", after)
	}
	for n := 1; n <= calls; n++ {
		c.fail(t, before, after, fmt.Sprintf("call %d of %d fails", n, calls), func(call int) bool { return call == n })
		c.fail(t, before, after, fmt.Sprintf("killed at call %d of %d", n, calls), func(call int) bool { return call >= n })
	}
}

func (c Case) prepare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if c.Before != nil {
		c.Before(t, dir)
	}
	return dir
}

func (c Case) read(t *testing.T, dir, when string) string {
	t.Helper()
	text, err := c.Read(dir)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	return text
}

func (c Case) disk(t *testing.T, dir string) *disk {
	t.Helper()
	tree, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &disk{root: dir, tree: tree}
}

// losePower loses power after each call, and returns the number of calls.
func (c Case) losePower(t *testing.T, before string) int {
	t.Helper()
	dir := c.prepare(t)
	d := c.disk(t, dir)
	type finding struct{ when, text string }
	var found []finding
	look := func(when string) {
		for _, names := range []bool{false, true} {
			left := t.TempDir()
			if err := d.tree.write(left, names); err != nil {
				t.Fatal(err)
			}
			found = append(found, finding{when, c.read(t, left, when)})
		}
	}
	d.after = func() { look(fmt.Sprintf("power is lost after call %d", d.calls)) }
	if err := c.Write(atomic.DiskOn(d), dir); err != nil {
		t.Fatal(err)
	}
	after := c.read(t, dir, "once it is written")
	for _, f := range found {
		if f.text != before && f.text != after {
			t.Errorf("%s: read %q, neither the old %q nor the new %q", f.when, f.text, before, after)
		}
	}
	found = nil
	look("power is lost at the end")
	for _, f := range found {
		if f.text != after {
			t.Errorf("%s: read %q, not what was written: %q", f.when, f.text, after)
		}
	}
	return d.calls
}

// fail writes while the calls fail for which fails returns true, and checks the result.
func (c Case) fail(t *testing.T, before, after, when string, fails func(call int) bool) {
	t.Helper()
	dir := c.prepare(t)
	d := c.disk(t, dir)
	killed := fails(1 << 30)
	d.fails = func(call int) error {
		if fails(call) {
			return syscall.ENOSPC
		}
		return nil
	}
	err := c.Write(atomic.DiskOn(d), dir)
	left := leftovers(t, dir)
	text := c.read(t, dir, when)
	if text != before && text != after {
		t.Errorf("%s: read %q, neither the old %q nor the new %q", when, text, before, after)
	} else if err == nil && text != after {
		t.Errorf("%s: no error, but read %q and not the new %q", when, text, after)
	}
	if killed && err == nil {
		t.Errorf("%s: no error", when)
	}
	// The replaced folder stays if the new name might not survive a crash.
	if !killed && text != after && len(left) > 0 && !strings.Contains(fmt.Sprint(err), "left behind") {
		t.Errorf("%s: %q are left behind, and the error does not say so: %v", when, left, err)
	}
	if err := c.Write(atomic.Disk{}, dir); err != nil {
		t.Errorf("%s: written again: %v", when, err)
	} else if text := c.read(t, dir, when); text != after {
		t.Errorf("%s: written again: read %q, want %q", when, text, after)
	}
}

func leftovers(t *testing.T, dir string) (left []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if strings.HasPrefix(name, atomic.Unfinished) || strings.HasPrefix(name, atomic.Replaced) {
			left = append(left, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	slices.Sort(left)
	return left
}

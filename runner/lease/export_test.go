package lease

import (
	"io/fs"
	"os"
	"testing"
	"time"

	"headroom/internal/atomic"
)

// PublishWithoutLink makes a generation as on a file system without hard links.
func PublishWithoutLink(dir string, generation int, now time.Time) error {
	self, err := thisProcess()
	if err != nil {
		return err
	}
	return publish(atomic.DiskOn(noLinks{}), dir, generation, content{process: self, Acquired: now, Heartbeat: now})
}

type noLinks struct{ atomic.OS }

func (noLinks) Link(from, to string) error {
	return &os.LinkError{Op: "link", Old: from, New: to, Err: fs.ErrPermission}
}

// AcquireOn is Acquire on another disk.
func AcquireOn(disk atomic.Disk, dir string, options Options) (*Lease, error) {
	return acquire(disk, dir, options)
}

// PretendElsewhere makes a generation that of a process on another machine.
func PretendElsewhere(t *testing.T, dir string, generation int) {
	t.Helper()
	c, _, _, err := read(dir, generation)
	if err != nil {
		t.Fatal(err)
	}
	c.Machine = "elsewhere"
	if err := rewrite(atomic.Disk{}, dir, generation, c); err != nil {
		t.Fatal(err)
	}
}

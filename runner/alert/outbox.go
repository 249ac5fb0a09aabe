package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"headroom/internal/atomic"
)

// Folder is the workspace's folder of messages.
const Folder = "alerts"

// outbox is a folder with a file per message: NAME.waiting until all receivers have it or are
// given up, NAME.json after that.
type outbox struct{ folder string }

// entry is a message and the state of its delivery.
type entry struct {
	Message Message `json:"message"`
	// To has for each receiver "sent", or the reason why it was not sent.
	To map[string]string `json:"to"`
	// Over is when the last receiver was done; the zero time while it waits.
	Over time.Time `json:"over,omitzero"`
}

const (
	stateSent = "sent"
	over      = ".json"
	waiting   = ".waiting"
)

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func (o outbox) path(id, suffix string) string {
	return filepath.Join(o.folder, unsafe.ReplaceAllString(id, "_")+suffix)
}

// claim reserves a message for this process to send. ours is false if it was sent before,
// or if another process is sending it.
func (o outbox) claim(m Message) (ours bool, err error) {
	if err := atomic.MkdirAll(o.folder); err != nil {
		return false, err
	}
	if _, err := os.Lstat(o.path(m.ID, over)); err == nil {
		return false, nil
	}
	err = atomic.CreateFile(o.path(m.ID, waiting), entry{Message: m, To: map[string]string{}}.write)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

func (e entry) write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(e)
}

// keep records which receivers have a message so far.
func (o outbox) keep(e entry) error { return atomic.WriteFile(o.path(e.Message.ID, waiting), e.write) }

// close records that nothing is left to do for a message.
func (o outbox) close(e entry, at time.Time) error {
	e.Over = at.UTC()
	if err := o.keep(e); err != nil {
		return err
	}
	return atomic.Disk{}.Rename(o.path(e.Message.ID, waiting), o.path(e.Message.ID, over))
}

// takeAbandoned takes over the waiting messages of a sweep whose files no process has touched
// for a time.
func (o outbox) takeAbandoned(sweep string, silence time.Duration, now time.Time) (found []entry, faults []error) {
	files, err := os.ReadDir(o.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{err}
	}
	for _, file := range files {
		path := filepath.Join(o.folder, file.Name())
		if !strings.HasSuffix(path, waiting) {
			continue
		}
		info, err := file.Info()
		if err != nil || now.Sub(info.ModTime()) < silence {
			continue // it has been sent meanwhile, or a process is sending it
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var e entry
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err == nil && (e.Message.ID == "" || o.path(e.Message.ID, waiting) != path) {
			err = errors.New("it holds no message of its name")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("read message %s: %w; delete the file", path, err))
			continue
		}
		if e.Message.Sweep != sweep {
			continue
		}
		if e.To == nil {
			e.To = map[string]string{}
		}
		if err := o.keep(e); err != nil { // from now on no other process takes it
			faults = append(faults, err)
			continue
		}
		found = append(found, e)
	}
	return found, faults
}

func newOutbox(workspace string) outbox { return outbox{filepath.Join(workspace, Folder)} }

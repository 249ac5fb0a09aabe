package lease

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"headroom/internal/atomic"
)

// content is what a generation's file says.
type content struct {
	process
	Attempt   int       `json:"attempt,omitempty"`
	Acquired  time.Time `json:"acquired"`
	Heartbeat time.Time `json:"heartbeat"`
	Released  bool      `json:"released,omitempty"`
}

const extension = ".json"

func folder(dir string) string { return filepath.Join(dir, "lease") }

func path(dir string, generation int) string {
	return filepath.Join(folder(dir), strconv.Itoa(generation)+extension)
}

// Superseded lists the files of generations before the last one that was written
// before a time: no process has a listing so old that it could make one of them anew.
func Superseded(dir string, before time.Time) ([]string, error) {
	last, err := latest(dir)
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	var old []string
	kept := false
	for n := last; n > 0; n-- {
		info, err := os.Lstat(path(dir, n))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed before
		}
		if err != nil {
			return nil, fmt.Errorf("list leases: %w", err)
		}
		if !info.ModTime().Before(before) {
			continue
		}
		if kept {
			old = append(old, path(dir, n))
		}
		kept = true
	}
	return old, nil
}

// latest is the highest generation, 0 where there is none.
func latest(dir string) (int, error) {
	entries, err := os.ReadDir(folder(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	highest := 0
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), extension)
		if n, err := strconv.Atoi(name); ok && err == nil && n > highest {
			highest = n
		}
	}
	// The listing may be older than what a name already finds.
	for {
		more, err := exists(dir, highest+1)
		if err != nil || !more {
			return highest, err
		}
		highest++
	}
}

func exists(dir string, generation int) (bool, error) {
	_, err := os.Lstat(path(dir, generation))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// read returns a generation's content; whole is false where the file is not
// complete JSON, which is where its maker was stopped between creating and writing.
func read(dir string, generation int) (c content, modified time.Time, whole bool, err error) {
	file, err := os.Open(path(dir, generation))
	if err != nil {
		return c, modified, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return c, modified, false, err
	}
	err = json.NewDecoder(file).Decode(&c)
	return c, info.ModTime(), err == nil, nil
}

// publish makes a generation, whole, unless it exists. Where a file system has no hard
// links a reader may see the file before its content, and then goes by its age.
func publish(disk atomic.Disk, dir string, generation int, c content) error {
	return disk.CreateFile(path(dir, generation), c.write)
}

// rewrite replaces the content of a generation that this process holds.
func rewrite(disk atomic.Disk, dir string, generation int, c content) error {
	return disk.WriteFile(path(dir, generation), c.write)
}

func (c content) write(w io.Writer) error { return json.NewEncoder(w).Encode(c) }

package lease

import (
	"crypto/rand"
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

// content is the content of a generation's file.
type content struct {
	process
	Acquired  time.Time `json:"acquired"`
	Heartbeat time.Time `json:"heartbeat"`
	Released  bool      `json:"released,omitempty"`
	// Succession and Turn are those of Options.
	Succession string `json:"succession,omitempty"`
	Turn       int    `json:"turn,omitempty"`
}

const extension = ".json"

func folder(dir string) string { return filepath.Join(dir, "lease") }

func path(dir string, generation int) string {
	return filepath.Join(folder(dir), strconv.Itoa(generation)+extension)
}

// SupersededFiles lists the files of all generations before the last one that was written before
// a given time. No process has a listing so old that it could make one of them again.
func SupersededFiles(dir string, before time.Time) ([]string, error) {
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

// latest is the highest generation, 0 if there is none. Files with other
// names, such as 007.json, are no generations.
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
		name, _ := strings.CutSuffix(entry.Name(), extension)
		n, err := strconv.Atoi(name)
		if err == nil && n > highest && n < most && strconv.Itoa(n)+extension == entry.Name() {
			highest = n
		}
	}
	// A listing may be older than a look-up by name.
	for {
		more, err := exists(dir, highest+1)
		if err != nil || !more {
			return highest, err
		}
		highest++
	}
}

// most is greater than any generation that a folder can reach.
const most = 1 << 40

func exists(dir string, generation int) (bool, error) {
	_, err := os.Lstat(path(dir, generation))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// longest is the greatest number of bytes that are read: the file may be any file.
const longest = 1 << 16

// read returns a generation's content and when the file system last saw it change. whole is
// false if the content is not that of a lease: its process was stopped between creating and
// writing, or it is another file.
func read(dir string, generation int) (c content, changed time.Time, whole bool, err error) {
	info, err := os.Lstat(path(dir, generation))
	if err != nil {
		return c, changed, false, err
	}
	changed = lastChange(info)
	if !info.Mode().IsRegular() { // reading a pipe would wait
		return c, changed, false, nil
	}
	file, err := os.Open(path(dir, generation))
	if err != nil {
		return c, changed, false, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return c, changed, false, err
	}
	err = json.NewDecoder(io.LimitReader(file, longest)).Decode(&c)
	whole = err == nil && (c.Released || c.PID > 0 && c.Machine != "")
	if !whole {
		c = content{}
	}
	return c, lastChange(info), whole, nil
}

// fileSystemTime returns the time of the file system of a folder. The times of its files
// can be compared with it, whatever the clocks of machines are.
func fileSystemTime(dir string) (time.Time, error) {
	name := filepath.Join(folder(dir), atomic.Unfinished+rand.Text())
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return time.Time{}, err
	}
	info, err := file.Stat()
	err = errors.Join(err, file.Close(), os.Remove(name))
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// publish makes a generation, whole, unless it exists. If a file system has no hard
// links a reader may see the file before its content, and then goes by its age.
func publish(disk atomic.Disk, dir string, generation int, c content) error {
	return disk.CreateFile(path(dir, generation), c.write)
}

// rewrite replaces the content of a generation that this process holds.
func rewrite(disk atomic.Disk, dir string, generation int, c content) error {
	return disk.WriteFile(path(dir, generation), c.write)
}

func (c content) write(w io.Writer) error { return json.NewEncoder(w).Encode(c) }

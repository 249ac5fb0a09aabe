package lease

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
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

// publish makes a generation, whole, unless it exists.
func publish(dir string, generation int, c content) error {
	temporary, err := write(dir, "acquire-*.tmp", c)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	err = os.Link(temporary, path(dir, generation))
	if err == nil || same(temporary, path(dir, generation)) { // a server may repeat a request that it has granted
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return publishWithoutLink(dir, generation, c)
}

// publishWithoutLink is for file systems that have no hard links. A reader may see
// the file before its content, and then goes by its age.
func publishWithoutLink(dir string, generation int, c content) error {
	file, err := os.OpenFile(path(dir, generation), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return fill(file, c)
}

// rewrite replaces the content of a generation that this process holds.
func rewrite(dir string, generation int, c content) error {
	temporary, err := write(dir, "renew-*.tmp", c)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path(dir, generation)); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

func write(dir, pattern string, c content) (string, error) {
	file, err := os.CreateTemp(folder(dir), pattern)
	if err != nil {
		return "", err
	}
	if err := file.Chmod(0o644); err != nil {
		file.Close()
		os.Remove(file.Name())
		return "", err
	}
	if err := fill(file, c); err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// fill writes, syncs and closes.
func fill(file *os.File, c content) error {
	text, err := json.Marshal(c)
	if err == nil {
		_, err = file.Write(append(text, '\n'))
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file.Name(), err)
	}
	return nil
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	two, err := os.Stat(b)
	return err == nil && os.SameFile(one, two)
}

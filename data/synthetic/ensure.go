package synthetic

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/atomic"
)

// Version is raised whenever the bytes that Ensure makes change; it is part of the folder's name, so that a
// cache never mixes two generators.
const Version = 3

// Demo names the files of the built-in collection.
type Demo struct {
	Folder          string // builtin:demo
	NoOverlapFolder string // builtin:demo-no-overlap
	TokenizerFile   string // a tokenizer.json with every word of the world as one token
}

// tokenizerTexts is the number of texts, besides the corpus, from which the vocabulary is made; half of them are short.
const tokenizerTexts = 8000

const manifest = "MANIFEST"

// ErrDamaged is returned when the cache holds a built-in collection whose files are not as they were written.
var ErrDamaged = errors.New("files differ from its MANIFEST; remove the folder to have it made again")

// Ensure makes the built-in collection below cacheDir, or finds it there and checks it against its digests. It
// is made whole, by one rename. So a killed process leaves nothing that looks like it, and two processes that
// make it at once get the same files.
func Ensure(cacheDir string) (Demo, error) {
	cacheDir, err := filepath.Abs(cacheDir)
	if err != nil {
		return Demo{}, fmt.Errorf("make built-in collection: %w", err)
	}
	home := filepath.Join(cacheDir, fmt.Sprintf("builtin-%d", Version))
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		if err := install(atomic.Disk{}, cacheDir, home, fill); err != nil {
			return Demo{}, fmt.Errorf("make built-in collection %q: %w", home, err)
		}
	}
	if err := verify(home); err != nil {
		return Demo{}, fmt.Errorf("open built-in collection %q: %w", home, err)
	}
	return demoIn(home), nil
}

func demoIn(home string) Demo {
	return Demo{
		Folder:          filepath.Join(home, "demo"),
		NoOverlapFolder: filepath.Join(home, "demo-no-overlap"),
		TokenizerFile:   filepath.Join(home, "tokenizer.json"),
	}
}

func install(disk atomic.Disk, cacheDir, home string, fill func(*atomic.Folder) error) error {
	if err := disk.MkdirAll(cacheDir); err != nil {
		return err
	}
	err := disk.CreateFolder(home, fill)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process has made it; Ensure checks it
	}
	return err
}

func fill(f *atomic.Folder) error {
	w, err := New(DemoSeed, DemoSize())
	if err != nil {
		return err
	}
	demo := demoIn(f.Path())
	if err := w.Write(demo.Folder); err != nil {
		return err
	}
	if err := w.WriteNoOverlap(demo.NoOverlapFolder); err != nil {
		return err
	}
	texts := w.ExtraTexts(tokenizerTexts, .5, DemoSeed)
	for _, d := range w.Documents {
		texts = append(texts, d.Content())
	}
	tokenizer, err := Tokenizer(texts)
	if err != nil {
		return err
	}
	err = f.WriteFile(filepath.Base(demo.TokenizerFile), func(to io.Writer) error { _, err := to.Write(tokenizer.Bytes()); return err })
	if err != nil {
		return err
	}
	return f.WriteFile(manifest, func(to io.Writer) error { return writeManifest(to, f.Path()) })
}

// writeManifest lists the digests of all files, one per line: SHA-256 in hex, two spaces, the path with slashes.
func writeManifest(to io.Writer, home string) error {
	return filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == manifest {
			return err
		}
		name, err := filepath.Rel(home, path)
		if err != nil {
			return err
		}
		sum, err := digest(path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(to, "%s  %s\n", sum, filepath.ToSlash(name))
		return err
	})
}

func verify(home string) error {
	file, err := os.Open(filepath.Join(home, manifest))
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	files := 0
	for lines.Scan() {
		files++
		want, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return fmt.Errorf("%w (line %q)", ErrDamaged, lines.Text())
		}
		got, err := digest(filepath.Join(home, filepath.FromSlash(name)))
		if err != nil {
			return fmt.Errorf("%w (%w)", ErrDamaged, err)
		}
		if got != want {
			return fmt.Errorf("%w (%s)", ErrDamaged, name)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if files == 0 {
		return fmt.Errorf("%w (it lists none)", ErrDamaged)
	}
	return nil
}

func digest(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"headroom/internal/atomic"
	"headroom/internal/parallel"
	"headroom/reports/compare"
)

// Manifest is the name of the file that lists the other files of a report with their digests,
// in the format of sha256sum. It distinguishes a report from a folder of the user.
const Manifest = "MANIFEST"

// ErrNotReport is returned when the target folder is not an unchanged report of this
// program.
var ErrNotReport = errors.New("not replaced: choose a folder that is empty or not there, or remove this one")

// Summary holds a report's findings and the names of its files, relative to its folder.
type Summary struct {
	Comparison *compare.Comparison
	Files      []string
}

// Folder writes the report of a comparison, whole or not at all. It replaces an earlier report
// with all its files; any other folder that is not empty is ErrNotReport.
func Folder(c *compare.Comparison, more Extras, folder string) (Summary, error) {
	names, err := writeFolder(atomic.Disk{}, folder, renderAll(files(c, more)))
	return Summary{Comparison: c, Files: names}, err
}

// renderAll makes the contents of files on all processors, and returns files that only write them. A file whose
// contents could not be made returns that error when it is written.
func renderAll(files []file) []file {
	rendered := make([]file, len(files))
	parallel.For(len(files), runtime.GOMAXPROCS(0), func(i int) {
		var text bytes.Buffer
		err := files[i].write(&text)
		rendered[i] = file{files[i].name, func(w io.Writer) error {
			if err != nil {
				return err
			}
			_, err := w.Write(text.Bytes())
			return err
		}}
	})
	return rendered
}

// writeFolder writes files and their manifest, and returns their names.
func writeFolder(disk atomic.Disk, folder string, files []file) ([]string, error) {
	err := disk.Mend(filepath.Clean(folder))
	if err == nil {
		err = Replaceable(folder)
	}
	if err == nil {
		err = disk.MkdirAll(filepath.Dir(filepath.Clean(folder)))
	}
	if err != nil {
		return nil, err
	}
	var names []string
	err = disk.ReplaceFolder(folder, func(f *atomic.Folder) error {
		var manifest strings.Builder
		for _, file := range files {
			sum := sha256.New()
			if err := f.WriteFile(file.name, func(w io.Writer) error { return file.write(io.MultiWriter(w, sum)) }); err != nil {
				return err
			}
			fmt.Fprintf(&manifest, "%x  %s\n", sum.Sum(nil), file.name)
			names = append(names, file.name)
		}
		names = append(names, Manifest)
		return f.WriteFile(Manifest, func(w io.Writer) error { _, err := io.WriteString(w, manifest.String()); return err })
	})
	if err != nil {
		return nil, fmt.Errorf("write report %q: %w", folder, err)
	}
	return names, nil
}

// Replaceable returns nil for a folder that does not exist, is empty, or is a report in
// which no file was changed or added.
func Replaceable(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	refuse := func(why string) error {
		return fmt.Errorf("write report %q: %s: %w", folder, why, ErrNotReport)
	}
	listed, err := readManifest(filepath.Join(folder, Manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("it is not empty and has no " + Manifest + ", so it is no report of this program")
	}
	if err != nil {
		return refuse(err.Error())
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == Manifest {
			continue
		}
		want, known := listed[name]
		if !known {
			return refuse(fmt.Sprintf("%q is not of the report that it holds", name))
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return refuse(err.Error())
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			return refuse(fmt.Sprintf("%q was changed after the report was written", name))
		}
	}
	return nil
}

func readManifest(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	listed := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(sum) != 2*sha256.Size {
			return nil, fmt.Errorf("%s has a line that is none of a report's: %.80q", Manifest, lines.Text())
		}
		listed[name] = sum
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return listed, nil
}

// file is one file of a report.
type file struct {
	name  string
	write func(io.Writer) error
}

// files returns the files of a report, in the order in which they are written.
func files(c *compare.Comparison, more Extras) []file {
	var all []file
	figures, tables := Figures(c), Tables(c, more)
	for i, f := range figures {
		if more.Untitled {
			figures[i], f = f.Untitled(), f.Untitled()
		}
		svg, png := f.Files()
		all = append(all, file{svg, f.SVG}, file{png, f.PNG})
		if more.Inches > 0 {
			all = append(all, file{f.Name + ".pdf", f.Untitled().Wide(more.Inches).PDF})
		}
	}
	for _, t := range tables {
		all = append(all, file{t.Name + ".md", t.Table.Markdown}, file{t.Name + ".csv", t.Table.CSV}, file{t.Name + ".tex", t.Table.LaTeX})
	}
	return append(all, file{"report.md", func(w io.Writer) error { return markdown(w, c, more, figures, tables) }},
		file{"report.html", func(w io.Writer) error { return page(w, c, more, figures, tables) }})
}

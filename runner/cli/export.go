package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"headroom/internal/atomic"
	"headroom/internal/seal"
)

func newExport(a *app) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "export RUN --to DIR",
		Short: "a finished run as a sentence-transformers folder",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usage(cmd, errors.New("--to is missing"))
			}
			if err := usage(cmd, checkOutputFolder("to", to)); err != nil {
				return err
			}
			return a.export(args[0], to)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`DIR` to make; it must not exist or be empty (required)")
	return cmd
}

func (a *app) export(text, to string) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	run, err := findRun(w, text)
	if err != nil {
		return err
	}
	m, err := a.runModel(w, run)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("export to %q: the folder is not empty", to)
	}
	if err := copyFolder(m.folder, to); err != nil {
		err = fmt.Errorf("export run %q: %w", run.Label, err)
		if wroteNothing(err) {
			return err
		}
		return failedError(err)
	}
	if a.global.json {
		return a.printJSON(struct {
			Schema int    `json:"schema"`
			ID     string `json:"id"`
			Label  string `json:"label"`
			Folder string `json:"folder"`
		}{schema, run.ID, run.Label, to})
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", to, run.Label)
	return nil
}

// copyFolder copies a folder, whole or not at all, to a path that is empty or does not
// exist.
func copyFolder(from, to string) error {
	if err := atomic.MkdirAll(filepath.Dir(filepath.Clean(to))); err != nil {
		return err
	}
	return atomic.CreateFolder(to, func(f *atomic.Folder) error {
		err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			relative, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			return f.WriteFile(filepath.ToSlash(relative), func(w io.Writer) error { return copyFile(w, path) })
		})
		if err != nil {
			return err
		}
		// Compare the copy with the digests of the original, to find any damage.
		if err := seal.Check(f.Path(), nil); !errors.Is(err, seal.ErrNone) {
			return err
		}
		return nil
	})
}

func copyFile(to io.Writer, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(to, in)
	return err
}

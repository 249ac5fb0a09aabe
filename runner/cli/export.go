package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
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
		return failed(err)
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

// copyFolder copies a folder's files beside the target and renames the whole.
func copyFolder(from, to string) (err error) {
	parent := filepath.Dir(filepath.Clean(to))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(parent, ".headroom-export-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(temporary, relative), 0o755)
		}
		return copyFile(path, filepath.Join(temporary, relative))
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(temporary, to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

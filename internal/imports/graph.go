// Package imports holds the rules that say which package may import which, and
// the check that its test runs over the source tree.
//
// The check reads every file that is not a test with go/parser and ignores build
// tags, so that no tag hides an import from a rule.
package imports

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the first part of the import paths of the repository's own packages.
const Module = "headroom"

// Graph maps a package folder ("runner/plan") to the packages it imports: own packages
// as folders, others by import path. The standard library is left out.
type Graph map[string][]string

// Read parses the imports of every Go file under root that is not a test.
func Read(root string) (Graph, error) {
	graph := Graph{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		return graph.addFile(filepath.ToSlash(folder), name)
	})
	if err != nil {
		return nil, fmt.Errorf("read imports under %q: %w", root, err)
	}
	return graph, nil
}

func (g Graph) addFile(folder, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return err
	}
	if _, known := g[folder]; !known {
		g[folder] = nil
	}
	for _, spec := range file.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if own, ok := strings.CutPrefix(target, Module+"/"); ok {
			target = own
		} else if first, _, _ := strings.Cut(target, "/"); !strings.Contains(first, ".") {
			continue // standard library
		}
		if !slices.Contains(g[folder], target) {
			g[folder] = append(g[folder], target)
		}
	}
	return nil
}

// Path returns the chain of imports that leads from one folder to a package for
// which matches returns true, or nil if there is none.
func (g Graph) Path(from string, matches func(string) bool) []string {
	type step struct {
		name  string
		chain []string
	}
	queue, seen := []step{{from, []string{from}}}, map[string]bool{from: true}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range g[at.name] {
			chain := append(slices.Clone(at.chain), next)
			if matches(next) {
				return chain
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, step{next, chain})
			}
		}
	}
	return nil
}

// match reports whether one of the patterns matches a package: "a/b" matches itself,
// "a/..." matches a and every package below it.
func match(name string, patterns []string) bool {
	for _, pattern := range patterns {
		if below, ok := strings.CutSuffix(pattern, "/..."); ok {
			if name == below || strings.HasPrefix(name, below+"/") {
				return true
			}
		} else if name == path.Clean(pattern) {
			return true
		}
	}
	return false
}

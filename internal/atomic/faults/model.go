package faults

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// node is a file or folder, with the content that survives a loss of power.
type node struct {
	names map[string]*node // of a folder, as a process sees it; nil for a file
	kept  map[string]*node // of a folder, as of its last sync
	text  []byte           // of a file, as a process sees it
	safe  []byte           // of a file, as of its last sync
}

func folder() *node { return &node{names: map[string]*node{}, kept: map[string]*node{}} }

// load reads a path of a real disk; everything in it counts as synced.
func load(path string) (*node, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		text, err := os.ReadFile(path)
		return &node{text: text, safe: text}, err
	}
	n := folder()
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		child, err := load(filepath.Join(path, e.Name()))
		if err != nil {
			return nil, err
		}
		n.names[e.Name()], n.kept[e.Name()] = child, child
	}
	return n, nil
}

// at returns the node of a path below the root, nil if there is none.
func (n *node) at(path string) *node {
	if path == "." {
		return n
	}
	for part := range strings.SplitSeq(path, string(filepath.Separator)) {
		if n = n.names[part]; n == nil {
			return nil
		}
	}
	return n
}

// sync makes the present content of a node survive a loss of power.
func (n *node) sync() {
	n.kept, n.safe = maps.Clone(n.names), bytes.Clone(n.text)
}

// write makes a folder with what remains after a loss of power. That is the synced content
// and, with names, also every name that was given since; unsynced bytes of files are lost in
// both cases.
func (n *node) write(path string, names bool) error {
	if n.names == nil {
		return os.WriteFile(path, n.safe, 0o666)
	}
	if err := os.Mkdir(path, 0o777); err != nil && !os.IsExist(err) {
		return err
	}
	children := n.kept
	if names {
		children = n.names
	}
	for name, child := range children {
		if err := child.write(filepath.Join(path, name), names); err != nil {
			return err
		}
	}
	return nil
}

// disk is a file system below root that counts its calls, lets some fail and records what
// would remain after a loss of power.
type disk struct {
	root  string
	tree  *node
	calls int
	fails func(call int) error // nil: none fails
	after func()               // called after each call that was done
}

// call does one call, unless that call has to fail.
func (d *disk) call(op, path string, do func() error, model func()) error {
	d.calls++
	if d.fails != nil {
		if err := d.fails(d.calls); err != nil {
			return &fs.PathError{Op: op, Path: path, Err: err}
		}
	}
	if err := do(); err != nil {
		return err
	}
	model()
	if d.after != nil {
		d.after()
	}
	return nil
}

// absolute returns the absolute path for a path that may be relative to the root, as in an os.Root.
func (d *disk) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.root, path)
}

// parent returns the node of a path's folder and the path's name in it. The folder is nil
// for a path outside of the root.
func (d *disk) parent(path string) (*node, string) {
	relative, err := filepath.Rel(d.root, d.absolute(path))
	if err != nil {
		return folder(), ""
	}
	if n := d.tree.at(filepath.Dir(relative)); n != nil && n.names != nil {
		return n, filepath.Base(relative)
	}
	return folder(), ""
}

func (d *disk) node(path string) *node {
	if d.absolute(path) == d.root {
		return d.tree
	}
	n, name := d.parent(path)
	if n.names[name] == nil {
		return folder()
	}
	return n.names[name]
}

func (d *disk) move(from, to string) {
	a, source := d.parent(from)
	b, target := d.parent(to)
	moved := a.names[source]
	delete(a.names, source)
	b.names[target] = moved
}

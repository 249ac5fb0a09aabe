package faults

import (
	"io/fs"
	"os"

	"headroom/internal/atomic"
)

var _ atomic.System = (*disk)(nil)

func (d *disk) OpenFile(name string, flag int, mode fs.FileMode) (f atomic.File, err error) {
	if flag&os.O_CREATE == 0 {
		f, err = os.OpenFile(d.absolute(name), flag, mode)
		return &file{f, d, name, d.node(name)}, err
	}
	made := &node{}
	err = d.call("create", name, func() error { f, err = os.OpenFile(d.absolute(name), flag, mode); return err }, func() {
		n, last := d.parent(name)
		n.names[last] = made
	})
	return &file{f, d, name, made}, err
}

func (d *disk) Mkdir(name string, mode fs.FileMode) error {
	return d.call("mkdir", name, func() error { return os.Mkdir(d.absolute(name), mode) }, func() {
		n, last := d.parent(name)
		n.names[last] = folder()
	})
}

func (d *disk) Rename(from, to string) error {
	return d.call("rename", from, func() error { return os.Rename(d.absolute(from), d.absolute(to)) }, func() { d.move(from, to) })
}

func (d *disk) Link(from, to string) error {
	return d.call("link", from, func() error { return os.Link(d.absolute(from), d.absolute(to)) }, func() {
		n, last := d.parent(to)
		n.names[last] = d.node(from)
	})
}

func (d *disk) RemoveAll(name string) error {
	return d.call("remove", name, func() error { return os.RemoveAll(d.absolute(name)) }, func() {
		n, last := d.parent(name)
		delete(n.names, last)
	})
}

func (d *disk) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(d.absolute(name)) }
func (d *disk) Readlink(name string) (string, error)   { return os.Readlink(d.absolute(name)) }
func (d *disk) Names(name string) ([]string, error)    { return atomic.OS{}.Names(d.absolute(name)) }

type file struct {
	atomic.File
	disk *disk
	name string
	node *node
}

func (f *file) Write(p []byte) (n int, err error) {
	err = f.disk.call("write", f.name, func() (err error) { n, err = f.File.Write(p); return err }, func() {
		f.node.text = append(f.node.text, p...)
	})
	return n, err
}

func (f *file) Sync() error {
	return f.disk.call("sync", f.name, f.File.Sync, f.node.sync)
}

// Close always closes, so that a test leaks no file.
func (f *file) Close() error {
	closing := f.File.Close()
	return f.disk.call("close", f.name, func() error { return closing }, func() {})
}

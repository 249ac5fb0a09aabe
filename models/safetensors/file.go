package safetensors

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"

	"headroom/internal/filemap"
)

// File is an open file of tensors, mapped into memory.
type File struct {
	path    string
	mapped  []byte // the whole file
	data    []byte // the part after the header
	header  *header
	byName  map[string]int // index into header.entries
	release func() error
}

// Open maps the file and checks its header. Errors name the file, and the tensor if one is at fault.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open safetensors %q: %w", path, err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // opening a pipe would wait for a writer
		return nil, fmt.Errorf("not a regular file")
	}
	handle, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer handle.Close() // a mapping outlives its descriptor
	info, err := handle.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file")
	}
	size := info.Size()
	if size < 8 {
		return nil, fmt.Errorf("file has %d bytes, the header's length alone needs 8 (truncated?)", size)
	}
	mapped, release, err := filemap.Map(handle, size)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", size, err)
	}
	f := &File{path: path, mapped: mapped, release: release}
	if err := f.readHeader(); err != nil {
		release()
		return nil, err
	}
	return f, nil
}

// readHeader checks the header and fills the index.
func (f *File) readHeader() (err error) {
	defer faultToError(debug.SetPanicOnFault(true), &err)
	size := int64(len(f.mapped))
	length := binary.LittleEndian.Uint64(f.mapped)
	if length > maxHeader {
		return fmt.Errorf("header length %d is above the limit of %d bytes: not a safetensors file?", length, maxHeader)
	}
	if int64(length) > size-8 {
		return fmt.Errorf("header length %d reaches beyond the file's %d bytes (truncated?)", length, size)
	}
	f.data = f.mapped[8+length:]
	f.header, err = parseHeader(f.mapped[8:8+length], int64(len(f.data)))
	if err != nil {
		return err
	}
	f.byName = make(map[string]int, len(f.header.entries))
	for i, e := range f.header.entries {
		f.byName[e.name] = i
	}
	return nil
}

// Close unmaps the file. Reads after it are errors; a second Close does nothing.
func (f *File) Close() error {
	if f.mapped == nil {
		return nil
	}
	f.mapped, f.data = nil, nil
	if err := f.release(); err != nil {
		return fmt.Errorf("close safetensors %q: %w", f.path, err)
	}
	return nil
}

// Path is the path that was opened.
func (f *File) Path() string { return f.path }

// Names lists the tensors in ascending order.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.byName)) }

// Info gives a tensor's type and shape; ok is false if the file has no such tensor.
func (f *File) Info(name string) (dtype DType, shape []int, ok bool) {
	i, ok := f.byName[name]
	if !ok {
		return "", nil, false
	}
	e := f.header.entries[i]
	return e.dtype, slices.Clone(e.shape), true
}

// Metadata is a copy of the header's free text entries, empty if there are none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.header.metadata) }

// Bytes copies a tensor's little-endian bytes.
func (f *File) Bytes(name string) ([]byte, error) {
	var out []byte
	err := f.read(name, func(e entry, data []byte) error {
		out = slices.Clone(data)
		return nil
	})
	return out, err
}

// read finds a tensor and calls fn on its mapped bytes. Errors name file and tensor. Access to a file that was shortened
// while it was mapped is a memory fault; read turns that into an error too.
func (f *File) read(name string, fn func(e entry, data []byte) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read tensor %q of %q: %w", name, f.path, err)
		}
	}()
	if f.mapped == nil {
		return os.ErrClosed
	}
	i, ok := f.byName[name]
	if !ok {
		return fmt.Errorf("no such tensor")
	}
	e := f.header.entries[i]
	defer faultToError(debug.SetPanicOnFault(true), &err)
	return fn(e, f.data[e.begin:e.end])
}

// faultToError is deferred around accesses to the mapping: it restores the previous setting and turns a memory
// fault, and nothing else, into an error.
func faultToError(previous bool, err *error) {
	debug.SetPanicOnFault(previous)
	cause := recover()
	if cause == nil {
		return
	}
	if fault, ok := cause.(interface{ Addr() uintptr }); ok {
		*err = fmt.Errorf("file changed while it was read (fault at %#x)", fault.Addr())
		return
	}
	panic(cause)
}

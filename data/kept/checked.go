package kept

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// A large result is written in blocks of blockSize bytes. The last sumSize bytes of a block are a checksum of the other
// bytes and of the block's number. The last block is always shorter, even empty, which shows that no block is missing.
const (
	blockSize = 4096
	sumSize   = 4
	dataSize  = blockSize - sumSize
)

// ErrDamaged is returned when a large result has changed since it was written.
var ErrDamaged = errors.New("damaged: its checksum is another; the next command makes it again")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendSum appends the checksum of a block.
func appendSum(to, data []byte, number int64) []byte {
	sum := crc32.Update(crc32.Checksum(data, castagnoli), castagnoli, binary.LittleEndian.AppendUint64(nil, uint64(number)))
	return binary.LittleEndian.AppendUint32(to, sum)
}

// checkedWriter writes blocks. flush writes the last one.
type checkedWriter struct {
	to     io.Writer
	block  []byte // the block's data so far
	number int64
}

func (w *checkedWriter) Write(p []byte) (int, error) {
	for done := 0; ; {
		n := min(dataSize-len(w.block), len(p)-done)
		w.block = append(w.block, p[done:done+n]...)
		if done += n; len(w.block) < dataSize {
			return done, nil
		}
		if err := w.flush(); err != nil {
			return done, err
		}
	}
}

func (w *checkedWriter) flush() error {
	_, err := w.to.Write(appendSum(w.block, w.block, w.number))
	w.block, w.number = w.block[:0], w.number+1
	return err
}

// File is an open large result, which compares what it reads with its checksums. It is safe for concurrent
// use, except for Close.
type File struct {
	file   *os.File
	size   int64
	blocks int64
	spans  sync.Pool // of *[]byte: blocks as they are in the file
}

// OpenFile opens what WriteFile has written. The error is ErrDamaged if the file's length has changed.
func OpenFile(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f := &File{file: file, spans: sync.Pool{New: func() any { return new([]byte) }}}
	info, err := file.Stat()
	if err == nil {
		last := info.Size()%blockSize - sumSize
		if last < 0 {
			err = fmt.Errorf("read %s: %w", name, ErrDamaged)
		}
		f.blocks = info.Size()/blockSize + 1
		f.size = (f.blocks-1)*dataSize + last
	}
	if err == nil {
		err = f.read(f.blocks-1, f.blocks, func(int64, []byte) {})
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

// Size returns the number of bytes that were written.
func (f *File) Size() int64 { return f.size }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// ReadAt reads bytes as they were written, or fails with ErrDamaged.
func (f *File) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, fmt.Errorf("read %s at byte %d", f.file.Name(), at)
	}
	end := min(at+int64(len(p)), f.size)
	n := 0
	for n < len(p) && at < end {
		first := at / dataSize
		beyond := min((end+dataSize-1)/dataSize, first+256) // a mebibyte at a time
		err := f.read(first, beyond, func(number int64, data []byte) {
			data = data[max(0, at-number*dataSize):]
			copied := copy(p[n:], data)
			n, at = n+copied, at+int64(copied)
		})
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Verify reads the whole file, and returns ErrDamaged if a checksum differs.
func (f *File) Verify() error {
	for first := int64(0); first < f.blocks; first += 256 {
		if err := f.read(first, min(first+256, f.blocks), func(int64, []byte) {}); err != nil {
			return err
		}
	}
	return nil
}

// read calls a function with the data of blocks, in order.
func (f *File) read(first, beyond int64, fn func(number int64, data []byte)) error {
	span := f.spans.Get().(*[]byte)
	defer f.spans.Put(span)
	length := (beyond - first) * blockSize
	if beyond == f.blocks {
		length += f.size%dataSize + sumSize - blockSize
	}
	if int64(cap(*span)) < length {
		*span = make([]byte, length)
	}
	blocks := (*span)[:length]
	if n, err := f.file.ReadAt(blocks, first*blockSize); n < len(blocks) {
		if errors.Is(err, io.EOF) {
			err = ErrDamaged // it has become shorter
		}
		return fmt.Errorf("read %s: %w", f.file.Name(), err)
	}
	for number := first; number < beyond; number++ {
		block := blocks[:min(blockSize, len(blocks))]
		data, sum := block[:len(block)-sumSize], block[len(block)-sumSize:]
		if [sumSize]byte(appendSum(nil, data, number)) != [sumSize]byte(sum) {
			return fmt.Errorf("read %s, block %d: %w", f.file.Name(), number, ErrDamaged)
		}
		fn(number, data)
		blocks = blocks[len(block):]
	}
	return nil
}

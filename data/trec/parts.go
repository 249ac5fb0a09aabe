package trec

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"headroom/internal/gunzip"
)

// partBytes is the number of bytes that are read at a time and parsed by one of the threads.
const partBytes = 2 << 20

// part is some lines of a file, with their rows.
type part struct {
	lines    int
	scored   []Scored
	segments []segment
	fault    error // of the last of the lines
	torn     bool  // a failed read has cut off the last line, so its fault is not one of the text
}

// segment is rows of one query on consecutive lines.
type segment struct {
	query string
	rows  []Scored
	line  int // of the first row, counted from 0 in the part
}

// readParts reads a text in parts and parses them on several threads. It returns the parts in the text's order; parts
// after one with a fault may be missing. The error is an error of reading, after which the last line may be torn.
func readParts(text io.Reader, size, threads int, parse row) ([]*part, error) {
	var parts []*part
	var group sync.WaitGroup
	var failed sync.Once
	stop := make(chan struct{})
	buffers := make(chan []byte, threads+1)
	for range cap(buffers) {
		buffers <- nil
	}
	type job struct {
		to    *part
		data  []byte
		first bool
	}
	jobs := make(chan job)
	for range threads {
		group.Go(func() {
			for j := range jobs {
				j.to.parse(j.data, j.first, parse)
				if j.to.fault != nil {
					failed.Do(func() { close(stop) })
				}
				buffers <- j.data
			}
		})
	}
	var rest []byte // the beginning of a line whose end is not read yet
	var err error
	for ended := false; !ended; {
		select {
		case <-stop:
			ended = true
			continue
		default:
		}
		buffer := <-buffers
		wanted := len(rest) + max(size, len(rest)) // doubles, so that a very long line is not copied again and again
		if cap(buffer) < wanted {
			buffer = make([]byte, wanted)
		}
		buffer = buffer[:wanted]
		n := copy(buffer, rest)
		var got int
		got, err = readFull(text, buffer[n:])
		data := buffer[:n+got]
		switch {
		case err == io.EOF:
			err, ended, rest = nil, true, nil
		case err != nil:
			ended, rest = true, nil
		default:
			end := bytes.LastIndexByte(data, '\n') + 1
			rest = bytes.Clone(data[end:])
			data = data[:end]
			if len(rest) >= maxLine {
				data, ended = buffer[:n+got], true // parsing finds its fault
			}
		}
		if len(data) == 0 {
			buffers <- buffer
			continue
		}
		to := &part{torn: err != nil && data[len(data)-1] != '\n'}
		parts = append(parts, to)
		jobs <- job{to, data, len(parts) == 1}
	}
	close(jobs)
	group.Wait()
	return parts, err
}

// readFull reads until the buffer is full or there is an error, the text's end included. Unlike io.ReadFull it returns
// the reader's own error, so that a gzipped text that is cut short is not taken for one that ends.
func readFull(text io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer) && err == nil {
		var got int
		got, err = text.Read(buffer[n:])
		n += got
	}
	return n, err
}

// parse fills the part from its lines.
func (p *part) parse(data []byte, first bool, parse row) {
	p.scored = make([]Scored, 0, bytes.Count(data, []byte{'\n'})+1)
	var ids arena
	last := -1 // the line of the previous row
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if first && p.lines == 0 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		number := p.lines
		p.lines++
		if len(line) >= maxLine {
			p.fault = fmt.Errorf("the line is longer than %d bytes: not a qrels or run file", maxLine)
			return
		}
		trimmed := trimSpace(line)
		if len(trimmed) == 0 || trimmed[0] == '#' {
			continue
		}
		query, doc, score, err := parse(line)
		if err == nil {
			err = noNUL(line)
		}
		if err != nil {
			if !p.torn || len(data) > 0 {
				p.fault = err
			}
			return
		}
		if n := len(p.segments); n == 0 || last != number-1 || p.segments[n-1].query != string(query) {
			p.segments = append(p.segments, segment{query: ids.keep(query), line: number, rows: p.scored[len(p.scored):]})
		}
		last = number
		p.scored = append(p.scored, Scored{Doc: ids.keep(doc), Score: score})
		s := &p.segments[len(p.segments)-1]
		s.rows = s.rows[:len(s.rows)+1]
	}
}

// readRunParts reads a run on several threads.
func readRunParts(r io.Reader, name string, size, threads int, parse row) (Run, error) {
	text, err := gunzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	parts, failed := readParts(text, size, threads, parse)
	line := 0
	for _, p := range parts {
		for i := range p.segments {
			p.segments[i].line += line + 1
		}
		line += p.lines
		if p.fault != nil {
			return nil, fmt.Errorf("read %s:%d: %w", name, line, p.fault)
		}
	}
	if failed != nil {
		return nil, fmt.Errorf("read %s:%d: %w", name, line+1, failed)
	}
	return gather(name, parts, threads)
}

package event

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"
)

// ErrUnknownType is returned when a log holds an event type that this program
// does not know, which means that a newer one wrote it.
var ErrUnknownType = errors.New("unknown event type: a newer headroom wrote this log")

// errDamaged marks a line whose bytes are not what was written.
var errDamaged = errors.New("damaged line")

// Record is one line of a log.
type Record struct {
	Seq   int64
	Time  time.Time
	Event Event
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	crcField  = `,"crc":"`
	crcSuffix = len(crcField) + 8 + len(`"}`)
)

// appendLine writes the record as one line with its newline.
func appendLine(b []byte, r Record) ([]byte, error) {
	if err := r.Event.check(); err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, `{"seq":`...)
	b = strconv.AppendInt(b, r.Seq, 10)
	b = append(b, `,"t":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","type":"`...)
	b = append(b, r.Event.Kind()...)
	b = append(b, '"')
	fields, err := json.Marshal(r.Event)
	if err != nil {
		return b[:start], err
	}
	if len(fields) > len(`{}`) {
		b = append(b, ',')
		b = append(b, fields[1:len(fields)-1]...)
	}
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(b[start:], castagnoli))
	b = append(b, crcField...)
	b = hex.AppendEncode(b, sum[:])
	return append(b, "\"}\n"...), nil
}

// parseLine reads one line without its newline. The record shares no memory with the line.
func parseLine(line []byte, steps *stepReader) (Record, error) {
	body, err := checkSum(line)
	if err != nil {
		return Record{}, err
	}
	head, fields, err := parseHead(body)
	if err != nil {
		return Record{}, err
	}
	r := Record{Seq: head.seq, Time: head.time}
	if r.Event, err = parseEvent(head.kind, fields, steps); err != nil {
		return Record{}, err
	}
	return r, r.Event.check()
}

// checkSum returns the bytes before `,"crc"` if the sum agrees with them.
func checkSum(line []byte) ([]byte, error) {
	n := len(line) - crcSuffix
	if n <= 0 || string(line[n:n+len(crcField)]) != crcField || string(line[len(line)-2:]) != `"}` {
		return nil, fmt.Errorf("%w: no crc at its end", errDamaged)
	}
	var want [8]byte
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(line[:n], castagnoli))
	hex.Encode(want[:], sum[:])
	if got := line[n+len(crcField) : len(line)-2]; !bytes.Equal(got, want[:]) {
		return nil, fmt.Errorf("%w: its crc is %q, its bytes give %q", errDamaged, got, want[:])
	}
	return line[:n], nil
}

type lineHead struct {
	seq  int64
	time time.Time
	kind string
}

// parseHead reads seq, t and type, whose order is fixed, and returns the rest unparsed: the
// event's own fields, with a comma before the first.
func parseHead(body []byte) (lineHead, []byte, error) {
	var head lineHead
	bad := func(what string) (lineHead, []byte, error) {
		return lineHead{}, nil, fmt.Errorf(`line head: bad %s: want {"seq":N,"t":"RFC 3339","type":"…"`, what)
	}
	rest, ok := bytes.CutPrefix(body, []byte(`{"seq":`))
	if !ok {
		return bad("seq")
	}
	text, rest, ok := bytes.Cut(rest, []byte(`,"t":"`))
	if !ok {
		return bad("t")
	}
	seq, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return bad("seq")
	}
	text, rest, ok = bytes.Cut(rest, []byte(`","type":"`))
	if !ok {
		return bad("type")
	}
	if head.time, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
		return bad("t")
	}
	text, rest, ok = bytes.Cut(rest, []byte(`"`))
	if !ok || (len(rest) > 0 && rest[0] != ',') {
		return bad("type")
	}
	head.seq, head.kind = seq, string(text)
	return head, rest, nil
}

// parseEvent decodes the fields of an event. It is the only switch over all kinds.
func parseEvent(kind string, fields []byte, steps *stepReader) (Event, error) {
	switch kind {
	case KindStarted:
		return decode[Started](kind, fields)
	case KindStep:
		return steps.decode(fields)
	case KindHeadNorms:
		return decode[HeadNorms](kind, fields)
	case KindEpisode:
		return decode[Episode](kind, fields)
	case KindJudged:
		return decode[Judged](kind, fields)
	case KindCheckpoint:
		return decode[Checkpoint](kind, fields)
	case KindMeasured:
		return decode[Measured](kind, fields)
	case KindSelected:
		return decode[Selected](kind, fields)
	case KindEvaluated:
		return decode[Evaluated](kind, fields)
	case KindProbed:
		return decode[Probed](kind, fields)
	case KindNotice:
		return decode[Notice](kind, fields)
	case KindEnded:
		return decode[Ended](kind, fields)
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownType, kind)
}

func decode[E Event](kind string, fields []byte) (Event, error) {
	var e E
	object := make([]byte, 0, len(fields)+2)
	object = append(object, '{')
	object = append(object, bytes.TrimPrefix(fields, []byte(","))...)
	object = append(object, '}')
	if err := json.Unmarshal(object, &e); err != nil {
		return nil, fmt.Errorf("decode event %q: %w", kind, err)
	}
	return e, nil
}

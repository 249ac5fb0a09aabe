package event_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
)

// logOf writes the events as a log's bytes.
func logOf(t testing.TB, events ...event.Event) []byte {
	t.Helper()
	var text []byte
	for i, e := range events {
		line, err := event.Line(int64(i+1), time.Unix(int64(i), 0), e)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
	}
	return text
}

func scan(text []byte) ([]event.Record, event.Position, error) {
	var records []event.Record
	at, err := event.ScanReader(bytes.NewReader(text), "log", event.Position{}, func(r event.Record) error {
		records = append(records, r)
		return nil
	})
	return records, at, err
}

func TestATailTornAtAnyByteIsDropped(t *testing.T) {
	text := logOf(t, everyKind()...)
	for cut := range len(text) + 1 {
		records, at, err := scan(text[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		want := bytes.Count(text[:cut], []byte{'\n'})
		if len(records) != want || at.Seq != int64(want) {
			t.Fatalf("cut at %d: %d records at seq %d, want %d", cut, len(records), at.Seq, want)
		}
		if wantAt := bytes.LastIndexByte(text[:cut], '\n') + 1; at.Offset != int64(wantAt) {
			t.Fatalf("cut at %d: stands at %d, want %d", cut, at.Offset, wantAt)
		}
	}
}

// Whatever single bit flips, no record changes unnoticed: in the last line it costs
// that line, before it the log is refused at that line.
func TestAFlippedBitIsNoticed(t *testing.T) {
	text := logOf(t, everyKind()...)
	whole, _, _ := scan(text)
	last := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	for i := range text {
		damaged := bytes.Clone(text)
		damaged[i] ^= 1 << (i % 8)
		records, _, err := scan(damaged)
		if i == last-1 { // without this newline the last two lines are one
			if err != nil || !reflect.DeepEqual(records, whole[:len(whole)-2]) {
				t.Fatalf("newline before the last line: %d records, %v", len(records), err)
			}
			continue
		}
		if i >= last {
			if err != nil || !reflect.DeepEqual(records, whole[:len(whole)-1]) {
				t.Fatalf("byte %d of the last line: %d records, %v", i, len(records), err)
			}
			continue
		}
		line := bytes.Count(text[:i], []byte{'\n'}) + 1
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("log:%d: ", line)) {
			t.Fatalf("byte %d in line %d: %v", i, line, err)
		}
	}
}

func TestBadLogsAreRefusedByLine(t *testing.T) {
	line := func(seq int64, e event.Event) string {
		b, err := event.Line(seq, time.Unix(0, 0), e)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	note := event.Notice{Message: "m"}
	for name, c := range map[string]struct{ text, want string }{
		"a missing line":       {line(1, note) + line(3, note), "log:2: seq is 3 where 2 follows"},
		"a doubled line":       {line(1, note) + line(1, note), "log:2: seq is 1 where 2 follows"},
		"a log from elsewhere": {line(5, note), "log:1: seq is 5 where 1 follows"},
		"an empty line":        {"\n" + line(1, note), "log:1: damaged line"},
		"an unknown type":      {resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"quantum"`), `log:1: unknown event type: a newer headroom wrote this log: "quantum"`},
		"a wrong field type":   {resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"notice","message":3`), `log:1: decode event "notice"`},
		"a word for a number":  {resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"step","step":0,"values":{"a":"big"}`), `want a number, "nan"`},
		"null for a number":    {resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"step","step":0,"values":{"a":null}`), `want a number, "nan"`},
		"an unknown state":     {resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"ended","state":"over"`), `log:1: state "over"`},
		"no time":              {resealed(`{"seq":1,"t":"noon","type":"notice"`), "log:1: line head: bad t"},
		"another order":        {resealed(`{"t":"2026-01-01T00:00:00Z","seq":1,"type":"notice"`), "log:1: line head: bad seq"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := scan([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	_, _, err := scan([]byte(resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"quantum"`)))
	if !errors.Is(err, event.ErrUnknownType) {
		t.Errorf("%v is not ErrUnknownType", err)
	}
}

func TestAFieldFromANewerProgramIsIgnored(t *testing.T) {
	records, _, err := scan([]byte(resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"notice","message":"m","colour":"red"`)))
	if err != nil || records[0].Event != (event.Notice{Message: "m"}) {
		t.Errorf("%v, %v", records, err)
	}
}

func TestScanGoesOnWhereItStopped(t *testing.T) {
	all := everyKind()
	text := logOf(t, all...)
	path := filepath.Join(t.TempDir(), "events.jsonl")
	var at event.Position
	var got []event.Event
	for size := 0; size <= len(text); size += 97 { // the log grows by parts of lines
		if err := os.WriteFile(path, text[:size], 0o666); err != nil {
			t.Fatal(err)
		}
		var err error
		if at, err = event.Scan(path, at, func(r event.Record) error { got = append(got, r.Event); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(path, text, 0o666)
	at, err := event.Scan(path, at, func(r event.Record) error { got = append(got, r.Event); return nil })
	if err != nil || at != (event.Position{Offset: int64(len(text)), Seq: int64(len(all))}) {
		t.Fatalf("%v, %v", at, err)
	}
	if !reflect.DeepEqual(got, all) {
		t.Error("the parts are not the whole")
	}
	os.WriteFile(path, text[:100], 0o666)
	if _, err := event.Scan(path, at, nil); !errors.Is(err, event.ErrShrunk) {
		t.Errorf("a shorter file gives %v", err)
	}
}

func TestScanStopsWhereItsCallerSays(t *testing.T) {
	text := logOf(t, everyKind()...)
	stop := errors.New("stop")
	n := 0
	at, err := event.ScanReader(bytes.NewReader(text), "log", event.Position{}, func(event.Record) error {
		if n++; n == 4 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || at.Seq != 3 {
		t.Errorf("at %v with %v", at, err)
	}
}

func TestALineLongerThanTheReadersBuffer(t *testing.T) {
	long := event.Notice{Message: strings.Repeat("x", 1<<20)}
	records, _, err := scan(logOf(t, event.Notice{}, long, long, event.Notice{}))
	if err != nil || len(records) != 4 || records[2].Event != long {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestStepsInOtherForms(t *testing.T) {
	for fields, want := range map[string]string{
		`"step":7,"values":{"a":1,"b":-2.5e-7,"c":"nan"}`: "{7 map[a:1 b:-2.5e-07 c:NaN]}",
		`"step":7,"values":{}`:                            "{7 map[]}",
		`"step": 7, "values":{"\u0061" : "-inf","b,c":1}`: "{7 map[a:-Inf b,c:1]}",
		`"values":{"a":1},"more":[{}],"step":7`:           "{7 map[a:1]}",
	} {
		records, _, err := scan([]byte(resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"step",` + fields)))
		if err != nil || fmt.Sprint(records[0].Event) != want {
			t.Errorf("%s: %v, %v; want %s", fields, records, err, want)
		}
	}
	for _, fields := range []string{`"step":7,"values":{"a":"1"}`, `"step":7,"values":{"a":null}`, `"step":7,"values":{"a":0x1p3}`,
		`"step":7,"values":{"a":+1}`, `"step":7,"values":{"a":1_000}`, `"step":7.5,"values":{}`, `"step":"7","values":{}`, `"step":7,"values":[]`, `"step":7,"values":{}},"a":{"b":1`,
		`"step":7,"values":{"a":"infinity"}`} {
		if records, _, err := scan([]byte(resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"step",` + fields))); err == nil {
			t.Errorf("%s: %v", fields, records)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add(logOf(f, everyKind()...))
	f.Add([]byte(resealed(`{"seq":1,"t":"2026-01-01T00:00:00Z","type":"step","step":0,"values":{"a":1}`)))
	f.Add([]byte("{\"seq\":1\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, at, err := scan(text)
		if int(at.Seq) != len(records) || at.Offset > int64(len(text)) {
			t.Fatalf("%d records at %+v of %d bytes", len(records), at, len(text))
		}
		again, _, againErr := scan(text[:at.Offset])
		if againErr != nil || fmt.Sprint(again) != fmt.Sprint(records) {
			t.Fatalf("the sound part alone reads as %v, %v", again, againErr)
		}
		// A sound line after a sound part continues the log; the sum makes a wrong body unlikely
		// to pass by chance, so bodies are fuzzed with their own sum too.
		if err == nil && !bytes.ContainsRune(text, '\n') {
			scan([]byte(resealed(string(text))))
		}
	})
}

func BenchmarkScan(b *testing.B) {
	values := map[string]event.Value{}
	for i := range 25 {
		values[fmt.Sprintf("series/of_some_name_%d", i)] = event.Value(1.0 / float64(i+3))
	}
	events := make([]event.Event, 50_000)
	for i := range events {
		events[i] = event.Step{Step: i, Values: values}
	}
	text := logOf(b, events...)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, at, err := scan(text); err != nil || at.Seq != 50_000 {
			b.Fatal(at, err)
		}
	}
}

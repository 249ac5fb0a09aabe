package trec_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"headroom/data/trec"
)

// What the readers' comments say: 36 and 60 bytes, and 8 of the id.
func TestReadersKeepFewBytesPerRow(t *testing.T) {
	const queries, each = 200, 500
	var run, qrels bytes.Buffer
	for q := range queries {
		for d := range each {
			fmt.Fprintf(&run, "%d Q0 %d %d %d t\n", 1000000+q, 1000000+(q*7919+d*104729)%8000000, d+1, each-d)
			fmt.Fprintf(&qrels, "%d 0 %d 1\n", 1000000+q, 1000000+(q*7919+d*104729)%8000000)
		}
	}
	for name, c := range map[string]struct {
		read func() any
		most uint64
	}{
		"run": {func() any {
			got, err := trec.ReadRun(&run, "run")
			if err != nil {
				t.Fatal(err)
			}
			return got
		}, 50},
		"qrels": {func() any {
			got, err := trec.ReadQrels(&qrels, "qrels")
			if err != nil {
				t.Fatal(err)
			}
			return got
		}, 75},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got := c.read()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if each := (after.HeapAlloc - before.HeapAlloc) / (queries * each); each > c.most {
			t.Errorf("%s: %d bytes per row are kept, more than %d", name, each, c.most)
		} else {
			t.Logf("%s: %d bytes per row", name, each)
		}
		runtime.KeepAlive(got)
	}
}

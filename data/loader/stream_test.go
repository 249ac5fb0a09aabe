package loader_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/loader"
	"headroom/internal/testfile"
)

// generate writes triples of texts, some hundred bytes per row; a query has three rows side by side.
func generate(t testing.TB, rows int) examples.Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "train.tsv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(file, 1<<20)
	filler := strings.Repeat("of the ", 10)
	for i := range rows {
		n := strconv.Itoa(i)
		for _, part := range []string{"query number ", strconv.Itoa(i / 3), "\tdocument ", n, " about ", filler, "\tnegative ", n, " about ", filler, "\n"} {
			w.WriteString(part)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	testfile.Age(t, path)
	set, err := examples.FindFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// held is the memory in use after a collection of what is not.
func held() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// TestAStreamHoldsNoMoreOfMoreRows: data of several windows is trained on in the memory of a window's keys.
func TestAStreamHoldsNoMoreOfMoreRows(t *testing.T) {
	rows := 300_000
	if testing.Short() {
		rows = 140_000
	}
	set := generate(t, rows)
	before := held()
	l := openLoader(t, set, loader.Options{Batch: 32, Seed: 1, Order: batch.Shuffle, Negatives: 1, MaxQuery: 8, MaxDocument: 8, CacheDir: t.TempDir(), Threads: 1})
	size, err := os.Stat(set.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	most := 0.0
	for _, place := range []int{0, 1, 4, 5, 9, 2, 13} { // tenths of an epoch
		step := place * rows / 10 / 32
		at(t, l, step)
		most = max(most, held()-before)
	}
	t.Logf("%d rows, %d MiB: at most %.0f MiB held", rows, size.Size()>>20, most)
	// Two windows of some 70,000 to 130,000 rows at 200 bytes of keys each, and batches.
	if most > 64 {
		t.Errorf("%.0f MiB held", most)
	}
	fresh := openLoader(t, set, loader.Options{Batch: 32, Seed: 1, Order: batch.Shuffle, Negatives: 1, MaxQuery: 8, MaxDocument: 8, Threads: 1})
	for _, step := range []int{rows/32 - 1, rows / 32, 3_000} {
		if !reflect.DeepEqual(at(t, fresh, step), at(t, l, step)) {
			t.Errorf("step %d differs after a resume", step)
		}
	}
}

// rows asks for the long test: go test ./data/loader -run Resident -rows 40000000 -v
var rows = flag.Int("rows", 0, "rows of TestResidentMemoryOfManyRows; 0 skips it")

// TestResidentMemoryOfManyRows shows the memory of the whole process, as the system counts it, while a file is read
// for the first time and while it is trained on, at places all over an epoch.
func TestResidentMemoryOfManyRows(t *testing.T) {
	if *rows == 0 {
		t.Skip("a long test: make stream-rss, or -rows 40000000")
	}
	set := generate(t, *rows)
	info, err := os.Stat(set.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	show := func(what string) float64 {
		now, peak := resident(t)
		fmt.Printf("%-42s resident %6.0f MiB, peak %6.0f MiB\n", what, now, peak)
		return peak
	}
	show(fmt.Sprintf("%d rows, %d MiB, written:", *rows, info.Size()>>20))
	start := time.Now()
	l := openLoader(t, set, loader.Options{Batch: 32, Seed: 1, Order: batch.Shuffle, Negatives: 1, MaxQuery: 64, MaxDocument: 64, CacheDir: t.TempDir(), Threads: 1})
	show(fmt.Sprintf("read whole in %.0f s:", time.Since(start).Seconds()))
	steps := *rows / 32
	start = time.Now()
	made := 0
	for part := range 10 {
		for step := part * steps / 10; step < part*steps/10+4000; step++ {
			at(t, l, step)
			made += 32
		}
		show(fmt.Sprintf("trained on from step %d on:", part*steps/10))
	}
	peak := show(fmt.Sprintf("%.0f examples per second:", float64(made)/time.Since(start).Seconds()))
	if peak > 512 {
		t.Errorf("a peak of %.0f MiB", peak)
	}
}

// resident reads the memory of this process, and its most, in MiB.
func resident(t *testing.T) (now, peak float64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not say how much memory a process has")
	}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		kib, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak
}

package lines_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"headroom/data/lines"
)

func TestKeysFindWhatTheyWereGiven(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	for _, n := range []int{0, 1, 63, 64, 5000} {
		var entries []lines.Entry
		places := map[uint64][]int64{}
		for i := range n {
			hash := lines.Hash([]byte(fmt.Sprint(i)))
			if i > 0 && random.IntN(10) == 0 {
				hash = entries[random.IntN(i)].Hash // ids that share a hash
			}
			entries = append(entries, lines.Entry{Hash: hash, Place: int64(i)})
			places[hash] = append(places[hash], int64(i))
		}
		random.Shuffle(n, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		var b bytes.Buffer
		lines.SortEntries(entries)
		if err := lines.WriteKeys(&b, entries); err != nil {
			t.Fatal(err)
		}
		keys, err := lines.OpenKeys(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		places[random.Uint64()] = nil
		for hash, want := range places {
			var got []int64
			if err := keys.Find(hash, func(place int64) (bool, error) { got = append(got, place); return false, nil }); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%d ids: found %v, %v; want %v", n, got, err, want)
			}
		}
	}
	if _, err := lines.OpenKeys(strings.NewReader("something else, and long enough")); err == nil {
		t.Error("another file was taken for keys")
	}
}

// TestHashSpreadsShortIds: buckets go by the upper bits, and ids are mostly numbers.
func TestHashSpreadsShortIds(t *testing.T) {
	const n, buckets = 100_000, 1024
	var count [buckets]int
	for i := range n {
		count[lines.Hash([]byte(fmt.Sprint(i)))>>54]++
	}
	for i, c := range count {
		if c < n/buckets/3 || c > n/buckets*3 {
			t.Fatalf("bucket %d has %d of %d ids", i, c, n)
		}
	}
}

package batch_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"headroom/data/batch"
)

// TestCheckSaysBeforeWhatAStreamSaysOnItsWay: windows read whole, as a stream reads them, are the second opinion.
// Most rows are of one query; those of others are in a few blocks, so that some windows have enough of them and
// some do not.
func TestCheckSaysBeforeWhatAStreamSaysOnItsWay(t *testing.T) {
	const rows, size = 200_000, 1000
	outcomes := map[bool]int{}
	for seed := range int64(6) {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		rich := map[int]bool{}
		for len(rich) < 13 {
			rich[random.IntN(rows/batch.Block)] = true
		}
		of := func(row int) int {
			if rich[row/batch.Block] {
				return 1 + row
			}
			return 0
		}
		var reads int
		marks := marksOf(of)
		o := batch.StreamOptions{Rows: rows, Size: size, Seed: seed, Order: batch.Shuffle, Marks: func(r []batch.Range, epoch int) ([]batch.Mark, error) {
			for _, span := range r {
				reads += span.To - span.From
			}
			return marks(r, epoch)
		}}
		for _, steps := range []int{1, rows / size, 10 * rows / size} {
			reads = 0
			var crowded *batch.CrowdedError
			err := batch.Check(o, steps)
			if err != nil && !errors.As(err, &crowded) {
				t.Fatal(err)
			}
			if reads > rows {
				t.Errorf("%d rows were read of %d", reads, rows)
			}
			walked := batch.ReadWindows(o, steps)
			if (err != nil) != (walked != nil) {
				t.Errorf("seed %d, %d steps: check says %v, the stream %v", seed, steps, err, walked)
			}
			var met *batch.CrowdedError
			if walked != nil && (!errors.As(walked, &met) || met.Found != crowded.Found || met.Rows != crowded.Rows) {
				t.Errorf("seed %d, %d steps: check says %v, the stream %v", seed, steps, err, walked)
			}
			if crowded != nil && (!crowded.Apart || of(crowded.One.Row) != of(crowded.Other.Row) || crowded.One.Row == crowded.Other.Row || crowded.Other.At != int64(crowded.Other.Row)*10) {
				t.Errorf("%+v is no example of two that may not stand together", crowded)
			}
			outcomes[err == nil]++
		}
	}
	if outcomes[true] < 4 || outcomes[false] < 4 {
		t.Errorf("outcomes %v: the data do not try both", outcomes)
	}
}

// TestCheckReadsNoMoreThanItNeeds: of rows that all go together one block fills a batch, whatever their number.
func TestCheckReadsNoMoreThanItNeeds(t *testing.T) {
	read := 0
	marks := marksOf(func(row int) int { return row })
	o := batch.StreamOptions{Rows: 1_000_000, Size: 32, Order: batch.Shuffle, Marks: func(r []batch.Range, epoch int) ([]batch.Mark, error) {
		read += r[0].To - r[0].From
		return marks(r, epoch)
	}}
	if err := batch.Check(o, 5*65536/32); err != nil || read != 5*batch.Block {
		t.Errorf("%v, %d rows read for five windows", err, read)
	}
	o.Order = batch.File
	if err := batch.Check(o, 100); err != nil || read != 5*batch.Block {
		t.Errorf("a file's order has nothing to check: %v, %d rows read", err, read)
	}
	o.Size = 2_000_000
	if err := batch.Check(o, 100); err == nil {
		t.Error("a batch larger than the data")
	}
	broken := errors.New("disk on fire")
	o = batch.StreamOptions{Rows: 10, Size: 2, Order: batch.Shuffle, Marks: func([]batch.Range, int) ([]batch.Mark, error) { return nil, broken }}
	if err := batch.Check(o, 1); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestTogetherIsTheLargestBatch(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := 1; n < 60; n++ {
		marks := randomMarks(random, n)
		together, one, other := batch.LargestBatch(marks)
		for size := 1; size <= n; size++ {
			_, err := batch.New(n, size, 0, batch.Shuffle, func(i, j int) bool { return marks[i].Conflicts(&marks[j]) })
			if (err == nil) != (size <= together) {
				t.Fatalf("%d examples, %d together: a batch of %d: %v", n, together, size, err)
			}
		}
		if one >= 0 && (one == other || !marks[one].Conflicts(&marks[other])) || one < 0 && together != n {
			t.Fatalf("%d examples, %d together, apart %d and %d", n, together, one, other)
		}
	}
}

// TestARowInTwoOfOneQueryIsArranged: looking for exchanges would go through the cube of the rows here, in vain.
func TestARowInTwoOfOneQueryIsArranged(t *testing.T) {
	if testing.Short() {
		t.Skip("it spends all its patience: many seconds under the race detector")
	}
	const rows, size = 8_000, 32
	of := func(row int) int { return (row % 2) * row }
	s := stream(t, batch.StreamOptions{Rows: rows, Size: size, Seed: 1, Order: batch.Shuffle, Marks: marksOf(of)})
	came := map[int]bool{}
	for step := range rows / size {
		in := map[int]bool{}
		for _, p := range at(t, s, step) {
			if in[of(p.Row)] {
				t.Fatalf("step %d: row %d of a query that is in the batch", step, p.Row)
			}
			in[of(p.Row)], came[p.Row] = true, true
		}
		if len(in) != size {
			t.Fatalf("step %d: %d rows", step, len(in))
		}
	}
	if len(came) < rows/2 {
		t.Errorf("%d rows came in an epoch; each of another query can", len(came))
	}
}

// TestAQueryWithThousandsOfDocuments: its rows share one long list of what is relevant, which is searched and not
// copied; batches are as sound as any.
func TestAQueryWithThousandsOfDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("it spends all its patience: many seconds under the race detector")
	}
	const rows, popular, size = 5_000, 1_800, 32
	random := rand.New(rand.NewPCG(8, 9))
	var relevant []uint64
	for i := range uint64(popular) {
		relevant = append(relevant, 1_000_000+i)
	}
	marks := make([]batch.Mark, rows)
	for i, at := range random.Perm(rows) {
		own := uint64(2_000_000 + i)
		if i%5 == 0 {
			own = relevant[random.IntN(popular)] // its document is relevant to the popular query
		}
		m := batch.Mark{Query: uint64(2 + i), Positive: own, Relevant: []uint64{own}, At: int64(at)}
		if i < popular {
			m.Query, m.Positive, m.Relevant = 1, relevant[i], relevant
		}
		if i%7 == 0 {
			m.Negatives = []uint64{relevant[random.IntN(popular)], 3_000_000}
		}
		marks[at] = m
	}
	s := stream(t, batch.StreamOptions{Rows: rows, Size: size, Seed: 2, Order: batch.Shuffle, Marks: func(r []batch.Range, _ int) (list []batch.Mark, err error) {
		for _, span := range r {
			list = append(list, marks[span.From:span.To]...)
		}
		return list, nil
	}})
	came := map[int]bool{}
	for step := range rows / size {
		places := at(t, s, step)
		for i, p := range places {
			came[p.Row] = true
			for _, o := range places[:i] {
				if marks[p.Row].Conflicts(&marks[o.Row]) {
					t.Fatalf("step %d has rows %d and %d", step, p.Row, o.Row)
				}
			}
		}
	}
	if len(came) < (rows-popular)/2 {
		t.Errorf("%d of %d rows came in an epoch", len(came), rows)
	}
}

package batch_test

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"headroom/data/batch"
)

// marksOf makes marks of rows whose group excludes each other; a row's place is found at 10 times its number.
func marksOf(of func(row int) int) func([]batch.Range, int) ([]batch.Mark, error) {
	return func(ranges []batch.Range, _ int) ([]batch.Mark, error) {
		var marks []batch.Mark
		for _, r := range ranges {
			for row := r.From; row < r.To; row++ {
				key := uint64(of(row)) + 1
				marks = append(marks, batch.Mark{Query: key, Positive: key, Relevant: []uint64{key}, At: int64(row) * 10})
			}
		}
		return marks, nil
	}
}

func stream(t *testing.T, o batch.StreamOptions) *batch.Stream {
	t.Helper()
	s, err := batch.NewStream(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func at(t *testing.T, s *batch.Stream, step int) []batch.Place {
	t.Helper()
	places, err := s.At(step)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// TestStreamHasEveryRowOnceAnEpoch walks two epochs and more of data of one window and of several, with rows of
// one query side by side: each stretch of n places has every row once, each batch is full and without conflict,
// and a row is never far from its block.
func TestStreamHasEveryRowOnceAnEpoch(t *testing.T) {
	for _, c := range []struct{ n, size, group int }{
		{1000, 32, 1}, {70_001, 17, 3}, {131_072, 64, 5}, {300_007, 100, 7}, {140_000, 10_000, 2},
	} {
		of := func(row int) int { return row / c.group }
		s := stream(t, batch.StreamOptions{Rows: c.n, Size: c.size, Seed: 7, Order: batch.Shuffle, Marks: marksOf(of)})
		var sequence []int
		for step := range 2*c.n/c.size + 2 {
			places := at(t, s, step)
			if len(places) != c.size {
				t.Fatalf("%+v: step %d has %d places", c, step, len(places))
			}
			seen := map[int]bool{}
			for i, p := range places {
				if p.Row < 0 || p.Row >= c.n || seen[of(p.Row)] || p.At != int64(p.Row)*10 {
					t.Fatalf("%+v: step %d: place %+v conflicts or is out of range", c, step, p)
				}
				if epoch := (step*c.size + i) / c.n; p.Epoch != epoch {
					t.Fatalf("%+v: step %d: place %+v is of epoch %d", c, step, p, epoch)
				}
				seen[of(p.Row)] = true
				sequence = append(sequence, p.Row)
			}
		}
		for e := range 2 {
			once := make([]bool, c.n)
			for _, row := range sequence[e*c.n : (e+1)*c.n] {
				once[row] = true
			}
			if i := slices.Index(once, false); i >= 0 {
				t.Fatalf("%+v: epoch %d lacks row %d", c, e, i)
			}
		}
		if slices.Equal(sequence[:c.n], sequence[c.n:2*c.n]) {
			t.Errorf("%+v: two epochs have one order", c)
		}
	}
}

// TestStreamShufflesAsFarAsItSays: rows come from all over the data, and those of one block lie within two
// windows' length of each other.
func TestStreamShufflesAsFarAsItSays(t *testing.T) {
	const n, size = 500_000, 50
	s := stream(t, batch.StreamOptions{Rows: n, Size: size, Seed: 3, Order: batch.Shuffle, Marks: marksOf(func(row int) int { return row })})
	first, last := map[int]int{}, map[int]int{}
	var decile [10]int
	for step := range n / size {
		for i, p := range at(t, s, step) {
			place, block := step*size+i, p.Row/batch.Block
			if place < batch.Window {
				decile[p.Row*10/n]++
			}
			if _, known := first[block]; !known {
				first[block] = place
			}
			last[block] = place
		}
	}
	for block := range first {
		if span := last[block] - first[block]; span >= 2*batch.Window || span < 1000 {
			t.Fatalf("block %d spans %d places", block, span)
		}
	}
	for i, count := range decile {
		if count < batch.Window/20 || count > batch.Window/5 {
			t.Errorf("the first window has %d rows of tenth %d of the data: %v", count, i, decile)
		}
	}
}

// TestStreamResumesAnywhere: any step of a fresh stream is that of a stream that went through all before.
func TestStreamResumesAnywhere(t *testing.T) {
	o := batch.StreamOptions{Rows: 150_003, Size: 250, Seed: 42, Order: batch.Shuffle, Marks: marksOf(func(row int) int { return row / 4 })}
	whole := stream(t, o)
	var want [][]batch.Place
	for step := range 1300 {
		want = append(want, at(t, whole, step))
	}
	random := rand.New(rand.NewPCG(1, 2))
	steps := []int{0, 262, 599, 600, 1299}
	for range 4 {
		steps = append(steps, random.IntN(1300))
	}
	for _, step := range steps {
		fresh := stream(t, o)
		for ahead := range min(3, 1300-step) {
			if !slices.Equal(at(t, fresh, step+ahead), want[step+ahead]) {
				t.Errorf("step %d differs after a resume at step %d", step+ahead, step)
			}
		}
		if !slices.Equal(at(t, whole, step), want[step]) {
			t.Errorf("step %d, asked again, differs", step)
		}
	}
}

// TestStreamOfOneWindowIsASampler: what fits into memory has the order that it always had.
func TestStreamOfOneWindowIsASampler(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	crowded := 0
	for range 80 {
		size := 1 + random.IntN(12)
		n := 5*size + random.IntN(900)
		marks := randomMarks(random, n)
		seed := random.Int64()
		for _, order := range []string{batch.Shuffle, batch.File} {
			old, err := batch.New(n, size, seed, order, func(i, j int) bool { return marks[i].Conflicts(&marks[j]) })
			if err != nil {
				crowded++
				continue
			}
			s := stream(t, batch.StreamOptions{Rows: n, Size: size, Seed: seed, Order: order, Marks: func(r []batch.Range, _ int) ([]batch.Mark, error) {
				var all []batch.Mark
				for _, r := range r {
					all = append(all, marks[r.From:r.To]...)
				}
				return all, nil
			}})
			for step := range 4 * n / size {
				var rows []int
				for _, p := range at(t, s, step) {
					rows = append(rows, p.Row)
				}
				if want := old.At(step); !slices.Equal(rows, want) {
					t.Fatalf("n %d size %d %s: step %d is %v, of a sampler %v", n, size, order, step, rows, want)
				}
			}
		}
	}
	if crowded > 40 {
		t.Errorf("%d of 160 were too crowded to compare", crowded)
	}
	// More rows than a window, and one all the same.
	const n = 3 * batch.Window
	old := sampler(t, n, 1000, 9, batch.Shuffle, nil)
	s := stream(t, batch.StreamOptions{Rows: n, Size: 1000, Seed: 9, Order: batch.Shuffle, Whole: true, Marks: marksOf(func(row int) int { return row })})
	for _, step := range []int{0, 100, 196, 197, 300} {
		var rows []int
		for _, p := range at(t, s, step) {
			rows = append(rows, p.Row)
		}
		if !slices.Equal(rows, old.At(step)) {
			t.Errorf("step %d of a whole stream is not a sampler's", step)
		}
	}
}

// randomMarks are of queries with up to four positives, each brought along by one row, and now and then with a
// hard negative that is relevant to another query.
func randomMarks(random *rand.Rand, n int) []batch.Mark {
	marks := make([]batch.Mark, n)
	of := pairsWithin(random, n, 4)
	relevant := map[int][]uint64{}
	for i, query := range of {
		relevant[query] = append(relevant[query], uint64(100+i))
	}
	most := 1 + random.IntN(1+n/20)
	popular := random.IntN(2) * n / 3 // rows that share one document, more than there are batches
	for i, query := range of {
		marks[i] = batch.Mark{Query: uint64(query), Positive: uint64(100 + i), Relevant: relevant[query]}
		if i < popular && len(relevant[query]) == 1 {
			marks[i].Positive, marks[i].Relevant = 99, []uint64{99}
		}
		for range random.IntN(most) {
			marks[i].Negatives = append(marks[i].Negatives, uint64(100+random.IntN(2*n)))
		}
	}
	return marks
}

// TestStreamOrderIsPinned: resuming a run under a newer program must see the same batches.
func TestStreamOrderIsPinned(t *testing.T) {
	s := stream(t, batch.StreamOptions{Rows: 400_000, Size: 64, Seed: 1, Order: batch.Shuffle, Marks: marksOf(func(row int) int { return row / 2 })})
	sum := fnv.New64a()
	for _, step := range []int{0, 1, 1023, 1024, 5000, 6249, 6250, 6251, 12_499, 12_500} {
		for _, p := range at(t, s, step) {
			sum.Write([]byte{byte(p.Row), byte(p.Row >> 8), byte(p.Row >> 16)})
		}
	}
	if got := sum.Sum64(); got != 0xfdc0c12109855180 {
		t.Errorf("the batches' hash is %#x", got)
	}
}

func TestStreamSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		rows, size int
		order      string
		says       string
	}{
		"larger than data": {5, 6, batch.Shuffle, "larger than the data (5 examples)"},
		"no data":          {0, 1, batch.File, "at least 1"},
		"unknown order":    {5, 2, "sorted", `"shuffle" or "file"`},
		"one query":        {9, 2, batch.Shuffle, "only 1 of 9"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := batch.NewStream(batch.StreamOptions{Rows: c.rows, Size: c.size, Order: c.order, Marks: marksOf(func(int) int { return 0 })})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
	// An error far inside the data comes at its step, and not before.
	broken := errors.New("disk on fire")
	var calls atomic.Int32
	good := marksOf(func(row int) int { return row })
	s := stream(t, batch.StreamOptions{Rows: 200_000, Size: 100, Order: batch.Shuffle, Marks: func(r []batch.Range, epoch int) ([]batch.Mark, error) {
		if epoch > 0 {
			calls.Add(1)
			return nil, broken
		}
		return good(r, epoch)
	}})
	if _, err := s.At(1999); err != nil {
		t.Error(err)
	}
	if _, err := s.At(2000); !errors.Is(err, broken) || calls.Load() == 0 {
		t.Errorf("step 2000: %v", err)
	}
	if places, err := s.At(3); err != nil || len(places) != 100 {
		t.Errorf("step 3 after an error: %v", err)
	}
	if places, err := s.At(-1); places != nil || err != nil {
		t.Errorf("step -1: %v %v", places, err)
	}
}

// TestMarksConflict: a hard negative that is relevant to another's query is a false negative as well.
func TestMarksConflict(t *testing.T) {
	marks := []batch.Mark{
		0: {Query: 1, Positive: 10, Relevant: []uint64{10, 11}},
		1: {Query: 2, Positive: 20, Relevant: []uint64{20}, Negatives: []uint64{30, 11}},
		2: {Query: 3, Positive: 30, Relevant: []uint64{30}},
		3: {Query: 1, Positive: 11, Relevant: []uint64{10, 11}},
		4: {Query: 4, Positive: 40, Relevant: []uint64{40}, Negatives: []uint64{41}},
		5: {Query: 5, Positive: 50, Relevant: []uint64{50}, Negatives: []uint64{41}},
	}
	want := map[[2]int]bool{{0, 1}: true, {1, 2}: true, {0, 3}: true, {1, 3}: true}
	for i := range marks {
		for j := range marks {
			if got := marks[i].Conflicts(&marks[j]); got != (i == j || want[[2]int{min(i, j), max(i, j)}]) {
				t.Errorf("conflict(%d, %d) = %v", i, j, got)
			}
		}
	}
}

// BenchmarkWindow is the cost of a window of a stream, marks excepted, per row.
func BenchmarkWindow(b *testing.B) {
	s, err := batch.NewStream(batch.StreamOptions{Rows: 100 * batch.Window, Size: 32, Order: batch.Shuffle, Marks: marksOf(func(row int) int { return row / 3 })})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	step := 0
	for b.Loop() {
		if _, err := s.At(step); err != nil {
			b.Fatal(err)
		}
		step += batch.Window / 32
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch.Window, "ns/row")
}

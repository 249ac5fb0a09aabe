package batch_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"headroom/data/batch"
)

func sampler(t *testing.T, n, size int, seed int64, order string, conflict func(i, j int) bool) *batch.Sampler {
	t.Helper()
	s, err := batch.New(n, size, seed, order, conflict)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// groups makes conflicts as queries with several positives do: examples of one group exclude each other.
func groups(of []int) func(i, j int) bool { return func(i, j int) bool { return of[i] == of[j] } }

// pairsWithin makes groups of random sizes up to most.
func pairsWithin(random *rand.Rand, n, most int) []int {
	of := make([]int, 0, n)
	for group := 0; len(of) < n; group++ {
		for range min(1+random.IntN(most), n-len(of)) {
			of = append(of, group)
		}
	}
	return of
}

// TestEveryExampleOnceAnEpochWithoutConflict walks three epochs of many shapes: batch after batch, each stretch
// choose n examples has every example once, and no batch has two of a group.
func TestEveryExampleOnceAnEpochWithoutConflict(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for range 300 {
		size := 1 + random.IntN(12)
		n := 5*size + random.IntN(60)
		of := pairsWithin(random, n, 4)
		s := sampler(t, n, size, random.Int64(), batch.Shuffle, groups(of))
		var sequence []int
		for step := range 3*n/size + 1 {
			b := s.At(step)
			if len(b) != size {
				t.Fatalf("n %d size %d: step %d has %d examples", n, size, step, len(b))
			}
			seen := map[int]bool{}
			for _, i := range b {
				if i < 0 || i >= n || seen[of[i]] {
					t.Fatalf("n %d size %d: step %d = %v: conflict or out of range", n, size, step, b)
				}
				seen[of[i]] = true
			}
			sequence = append(sequence, b...)
		}
		for e := range 3 {
			stretch := slices.Clone(sequence[e*n : (e+1)*n])
			slices.Sort(stretch)
			if len(slices.Compact(stretch)) != n {
				t.Fatalf("n %d size %d: epoch %d has not every example once", n, size, e)
			}
		}
	}
}

func TestStepsDoNotDependOnWhatWasAskedBefore(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 1))
	of := pairsWithin(random, 101, 5)
	whole := sampler(t, 101, 8, 42, batch.Shuffle, groups(of))
	var want [][]int
	for step := range 60 {
		want = append(want, whole.At(step))
	}
	for _, step := range random.Perm(60) {
		fresh := sampler(t, 101, 8, 42, batch.Shuffle, groups(of))
		if got := fresh.At(step); !slices.Equal(got, want[step]) {
			t.Errorf("step %d: resumed %v, in one go %v", step, got, want[step])
		}
		if got := whole.At(step); !slices.Equal(got, want[step]) {
			t.Errorf("step %d: asked again %v, before %v", step, got, want[step])
		}
	}
	given := whole.At(0)
	given[0] = -7
	if got := whole.At(0); !slices.Equal(got, want[0]) {
		t.Error("changing a returned batch changed the sampler's")
	}
}

func TestSeedsAndEpochsDiffer(t *testing.T) {
	a, b := sampler(t, 100, 10, 1, batch.Shuffle, nil), sampler(t, 100, 10, 2, batch.Shuffle, nil)
	if slices.Equal(a.At(0), b.At(0)) {
		t.Error("two seeds give one order")
	}
	if slices.Equal(a.At(0), a.At(10)) {
		t.Error("two epochs have one order")
	}
	if got := a.At(0); slices.IsSorted(got) {
		t.Errorf("%v is not shuffled", got)
	}
}

// TestOrderIsPinned: resuming a run under a newer program must see the same batches.
func TestOrderIsPinned(t *testing.T) {
	s := sampler(t, 7, 3, 1, batch.Shuffle, func(i, j int) bool { return i/2 == j/2 })
	var got [][]int
	for step := range 5 {
		got = append(got, s.At(step))
	}
	want := [][]int{{6, 2, 5}, {3, 0, 4}, {1, 3, 5}, {4, 0, 6}, {1, 2, 4}}
	if !slices.EqualFunc(got, want, slices.Equal[[]int]) {
		t.Errorf("batches %v, want %v", got, want)
	}
}

func TestFileOrderWrapsAndNeverRegroups(t *testing.T) {
	everything := func(i, j int) bool { return true }
	s := sampler(t, 5, 2, 1, batch.File, everything)
	want := [][]int{{0, 1}, {2, 3}, {4, 0}, {1, 2}, {3, 4}, {0, 1}}
	for step, batch := range want {
		if got := s.At(step); !slices.Equal(got, batch) {
			t.Errorf("step %d: %v, want %v", step, got, batch)
		}
	}
	if got := s.At(1_000_000_001); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("a late step: %v", got)
	}
}

func TestBadArgumentsAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		n, size int
		order   string
		says    string
	}{
		"no data":          {0, 1, batch.Shuffle, "at least 1"},
		"batch 0":          {5, 0, batch.Shuffle, "at least 1"},
		"negative batch":   {5, -3, batch.File, "at least 1"},
		"larger than data": {5, 6, batch.Shuffle, "at most 5"},
		"larger, in order": {5, 6, batch.File, "at most 5"},
		"unknown order":    {5, 2, "Shuffle", `"shuffle" or "file"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := batch.New(c.n, c.size, 1, c.order, nil)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
	_, err := batch.New(6, 4, 1, batch.Shuffle, func(i, j int) bool { return i%3 == j%3 })
	if err == nil || !strings.Contains(err.Error(), "only 3 of 6") {
		t.Errorf("three groups and a batch of four: error %v", err)
	}
	if got := sampler(t, 5, 2, 1, batch.Shuffle, nil).At(-1); got != nil {
		t.Errorf("step -1: %v", got)
	}
}

// TestCrowdedDataNeverConflicts: a query with more positives than an epoch has batches can't have each of them
// once per epoch; batches must still be full and free of conflicts, and over the epochs all get their turn.
func TestCrowdedDataNeverConflicts(t *testing.T) {
	of := make([]int, 40)
	for i := range of {
		of[i] = max(0, i-20) // 21 examples of group 0, 19 of their own
	}
	s := sampler(t, 40, 8, 5, batch.Shuffle, groups(of))
	seen := map[int]bool{}
	for step := range 60 * 5 {
		b := s.At(step)
		in := map[int]bool{}
		for _, i := range b {
			if in[of[i]] {
				t.Fatalf("step %d: %v has two of group %d", step, b, of[i])
			}
			in[of[i]], seen[i] = true, true
		}
		if len(b) != 8 {
			t.Fatalf("step %d: %v", step, b)
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d of 40 examples came in 60 epochs", len(seen))
	}
}

func TestBatchOfAllData(t *testing.T) {
	s := sampler(t, 6, 6, 1, batch.Shuffle, nil)
	for step := range 10 {
		b := s.At(step)
		slices.Sort(b)
		if !slices.Equal(b, []int{0, 1, 2, 3, 4, 5}) {
			t.Fatalf("step %d: %v", step, b)
		}
	}
	if got := sampler(t, 1, 1, 1, batch.Shuffle, nil).At(77); !slices.Equal(got, []int{0}) {
		t.Errorf("one example: %v", got)
	}
}

// BenchmarkEpoch is the cost of the first step of an epoch, which arranges all of it.
func BenchmarkEpoch(b *testing.B) {
	of := pairsWithin(rand.New(rand.NewPCG(1, 1)), 100_000, 2)
	for b.Loop() {
		s, err := batch.New(len(of), 32, 1, batch.Shuffle, groups(of))
		if err != nil {
			b.Fatal(err)
		}
		s.At(0)
	}
}

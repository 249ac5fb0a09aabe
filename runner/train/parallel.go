package train

import (
	"sync"
	"sync/atomic"
)

// Parallel calls do for 0 … n−1 on several threads; the calls must be independent.
func Parallel(n, threads int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(1, min(threads, n)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// turns lets calls on several threads come one after another, in order.
type turns struct {
	mu   sync.Mutex
	done sync.Cond
	next int
}

func newTurns() *turns {
	t := &turns{}
	t.done.L = &t.mu
	return t
}

// take waits for turns 0 … i−1 and calls do. Every turn has to be taken.
func (t *turns) take(i int, do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.next != i {
		t.done.Wait()
	}
	do()
	t.next++
	t.done.Broadcast()
}

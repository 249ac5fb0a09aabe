package host

import (
	"sync"
)

// turns makes the calls of several threads run one after another, in order.
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

// take waits until turns 0 … i−1 have ended and calls do. Every turn must be taken.
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

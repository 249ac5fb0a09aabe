// Package parallel spreads independent calls over threads.
package parallel

import (
	"sync"
	"sync/atomic"
)

// For calls do for 0 … n−1 on several threads; the calls must be independent.
func For(n, threads int, do func(i int)) {
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

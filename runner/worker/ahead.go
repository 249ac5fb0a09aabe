package worker

import (
	"fmt"

	"headroom/data/batch"
	"headroom/runner/train"
)

// aheadDepth is the number of masked batches that are made ahead of the steps.
const aheadDepth = 4

// masked makes the masked batches of a recipe's steps in their order, some steps ahead,
// while the device computes.
type masked struct {
	batches chan maskedResult
	stop    chan struct{}
	done    chan struct{}
}

type maskedResult struct {
	batch train.Masked
	err   error
}

// maskedFrom makes batches from a step on, up to the last of total steps.
func maskedFrom(step, total int, sampler *batch.Sampler, texts [][]int32, masking train.Masking) *masked {
	m := &masked{batches: make(chan maskedResult, aheadDepth), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(m.done)
		defer close(m.batches)
		for ; step < total; step++ {
			var chosen [][]int32
			for _, i := range sampler.At(step) {
				chosen = append(chosen, texts[i])
			}
			b, err := masking.At(step, chosen)
			select {
			case m.batches <- maskedResult{b, err}:
			case <-m.stop:
				return
			}
		}
	}()
	return m
}

// next returns the next step's batch.
func (m *masked) next() (train.Masked, error) {
	r, more := <-m.batches
	if !more {
		return r.batch, fmt.Errorf("make masked batch: there are no more steps")
	}
	return r.batch, r.err
}

// close stops making batches.
func (m *masked) close() {
	close(m.stop)
	<-m.done
}

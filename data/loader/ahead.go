package loader

// depth is how many batches are made ahead: enough that a step waits for none where the loader is as fast as the
// steps on average.
const depth = 4

// result is what comes of making a batch.
type result struct {
	batch Batch
	err   error
}

// ahead makes the batches from a step on, one behind the other, until it is told to stop.
type ahead struct {
	next    int // step of the next result
	results chan result
	stop    chan struct{}
	done    chan struct{}
}

// At returns the batch of a step, from 0 on. Its slices may be shared with other batches: they are not to be
// changed. After an error the same step may be asked for again.
func (l *Loader) At(step int) (Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead == nil || l.ahead.next != step {
		l.rest()
		l.ahead = l.from(step)
	}
	r, ok := <-l.ahead.results
	if !ok || r.err != nil {
		l.rest()
		return Batch{}, r.err
	}
	l.ahead.next++
	return r.batch, nil
}

// from starts to make the batches from a step on.
func (l *Loader) from(step int) *ahead {
	a := &ahead{next: step, results: make(chan result, depth), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer close(a.results)
		for ; ; step++ {
			b, err := l.make(step)
			select {
			case a.results <- result{b, err}:
			case <-a.stop:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return a
}

// rest ends what is made ahead.
func (l *Loader) rest() {
	if l.ahead == nil {
		return
	}
	close(l.ahead.stop)
	<-l.ahead.done
	l.ahead = nil
}

package loader

// depth is the number of batches that are made ahead: enough that no step has to wait if the loader is as fast as the
// steps on average.
const depth = 4

// result is a batch, or the error of making it.
type result struct {
	batch Batch
	err   error
}

// ahead makes the batches from a step on, one after the other, until it is stopped.
type ahead struct {
	next    int // step of the next result
	results chan result
	stop    chan struct{}
	done    chan struct{}
}

// At returns the batch of a step, counted from 0. Do not change its slices: other batches may share them. After an
// error the same step may be asked for again.
func (l *Loader) At(step int) (Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead == nil || l.ahead.next != step {
		l.stopAhead()
		l.ahead = l.startAhead(step)
	}
	r, ok := <-l.ahead.results
	if !ok || r.err != nil {
		l.stopAhead()
		return Batch{}, r.err
	}
	l.ahead.next++
	return r.batch, nil
}

// startAhead starts to make the batches from a step on.
func (l *Loader) startAhead(step int) *ahead {
	a := &ahead{next: step, results: make(chan result, depth), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer close(a.results)
		for ; ; step++ {
			b, err := l.makeBatch(step)
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

// stopAhead ends the making of batches ahead.
func (l *Loader) stopAhead() {
	if l.ahead == nil {
		return
	}
	close(l.ahead.stop)
	<-l.ahead.done
	l.ahead = nil
}

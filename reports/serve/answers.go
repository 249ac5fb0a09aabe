package serve

import (
	"context"
	"sync"
	"time"

	"headroom/internal/plain"
	"headroom/metrics/record"
	"headroom/reports/live"
)

// answers caches the comparison at equal cost of each sweep.
type answers struct {
	mu   sync.Mutex
	have map[string]known
}

type known struct {
	done      int // number of finished runs at that time
	sentences []string
	working   bool
}

// answerTime limits the time to compute one.
const answerTime = 3 * time.Minute

// answerOf returns the last computed comparison of a sweep. If runs have ended since, it
// starts a new computation.
func (s *Server) answerOf(p *Place, sweep *live.Sweep) []string {
	if s.o.Answer == nil {
		return nil
	}
	done := 0
	for _, r := range sweep.Runs {
		if r.State == record.StateDone {
			done++
		}
	}
	key := p.Name + "\x00" + sweep.Name + "\x00" + sweep.Revision
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	a := s.answers.have[key]
	if done == 0 || a.working || a.done == done {
		return a.sentences
	}
	a.working = true
	s.keepAnswer(key, a)
	go func() {
		var sentences []string
		err := s.inWorker(s.stop, answerTime, func(ctx context.Context) (err error) {
			sentences, err = s.o.Answer(ctx, p.Watcher.Root(), sweep.Name)
			return err
		})
		if err != nil {
			sentences = []string{"What it shows at equal cost cannot be worked out: " + plain.Line(err.Error())}
		}
		s.answers.mu.Lock()
		defer s.answers.mu.Unlock()
		s.keepAnswer(key, known{done: done, sentences: sentences})
	}()
	return a.sentences
}

func (s *Server) keepAnswer(key string, a known) {
	if s.answers.have == nil {
		s.answers.have = map[string]known{}
	}
	s.answers.have[key] = a
}

// inWorker runs a function that starts a child process: one at a time, with a time limit.
func (s *Server) inWorker(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case s.worker <- struct{}{}:
		defer func() { <-s.worker }()
		return do(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

package pool_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/runner/pool"
)

// The results on dev data are shown beside the loss; an evaluation between two steps is shown
// and moves neither the share done nor the time left.
func TestDevDataInProgress(t *testing.T) {
	train := func(dev *pool.Dev) pool.Message {
		return pool.Message{Type: pool.TypeProgress, Phase: "train", Step: 50, Steps: 100, Rate: 5, Loss: .5, Dev: dev}
	}
	clock := newClock()
	job := pool.Job{ID: "aa", Label: "bert-k1"}
	for _, c := range []struct {
		message pool.Message
		line    string
		json    string
	}{
		{train(nil), "bert-k1 train 50/100 5.0/s loss 0.5\n", `"loss":0.5}`},
		{train(&pool.Dev{Measure: "nDCG@10", Value: .25, Best: .5, BestStep: 20}), "bert-k1 train 50/100 5.0/s loss 0.5 nDCG@10 0.2500 (best 0.5000 @20)\n",
			`"dev":{"measure":"nDCG@10","value":0.25,"best":0.5,"best_step":20}`},
		{train(&pool.Dev{Measure: "nDCG@10", Value: event.Value(math.NaN()), Best: .5, BestStep: 20}), "loss 0.5 nDCG@10 (best 0.5000 @20)\n", `"value":"nan"`},
		{pool.Message{Type: pool.TypeProgress, Phase: pool.PhaseDev, Step: 90, Steps: 100}, "bert-k1 dev 90/100\n", `"phase":"dev"`},
	} {
		var lines, objects bytes.Buffer
		estimate := pool.NewEstimate([]pool.Job{job}, clock.Now())
		estimate.Progress(job.ID, train(nil))
		before := estimate.Share()
		estimate.Progress(job.ID, c.message)
		if after := estimate.Share(); after != before || before == 0 {
			t.Errorf("%s: the share goes from %v to %v", c.message.Phase, before, after)
		}
		for _, r := range []pool.Renderer{&pool.Lines{Out: &lines, Every: time.Second, Now: clock.Now}, &pool.JSONLines{Out: &objects, Every: time.Second, Now: clock.Now}} {
			r.Begin([]pool.Job{job}, estimate)
			r.Started(job)
			clock.advance(2 * time.Second)
			r.Message(job, c.message)
		}
		if !strings.HasSuffix(lines.String(), c.line) || !strings.Contains(objects.String(), c.json) {
			t.Errorf("shown as\n%s%s", lines.String(), objects.String())
		}
	}
}

package probe

import (
	"math"

	"headroom/internal/parallel"
	"headroom/metrics/event"
	"headroom/models/mlmhead"
	"headroom/models/splade"
	"headroom/runner/engine"
)

// Batch is a batch as token ids; document i is query i's positive.
type Batch struct {
	Queries, Documents [][]int32
}

// Form says how logits become scores.
type Form struct {
	Target mlmhead.Target // the part that k divides
	// ScoreScale multiplies scores before the softmax.
	ScoreScale float64
	// Splade turns pooled logits into weights. Sum pooling cannot be probed.
	Splade splade.Form
	Shift  float64 // subtracted from every logit
}

// divisors returns the divisors of projection and bias for a factor k.
func (f Form) divisors(k float64) (weight, bias float64) {
	if f.Target == mlmhead.Decoder {
		return k, 1
	}
	return k, k
}

// projection is a sample before the head's bias. The maximum over tokens commutes with
// a division, so the results for every k follow from one pass of the encoder.
type projection struct {
	vocab, threads int
	bias           []float32 // nil: none
	batches        []projected
}

// projected is one batch, [texts, vocab] each.
type projected struct {
	queries, documents []float32
}

func project(m *engine.Model, batches []Batch) (*projection, error) {
	p := &projection{vocab: m.Config.Vocab, threads: m.Engine.Threads()}
	if bias := m.DecoderBias(); bias != nil {
		p.bias = bias.Values
	}
	for _, b := range batches {
		var out projected
		var err error
		if out.queries, err = m.Project(b.Queries); err != nil {
			return nil, err
		}
		if out.documents, err = m.Project(b.Documents); err != nil {
			return nil, err
		}
		p.batches = append(p.batches, out)
	}
	return p, nil
}

// candidates returns the number of documents against which a query is scored.
func (p *projection) candidates() int { return len(p.batches[0].documents) / p.vocab }

// start holds results of a model before its first update, as means over batches.
type start struct {
	activeQuery, activeDocument float64
	scoreMean, scoreSD          float64
	infonce, lnCandidates       float64
}

func (s start) report() Step0 {
	return Step0{event.Value(s.activeQuery), event.Value(s.activeDocument), event.Value(s.scoreMean), event.Value(s.scoreSD),
		event.Value(s.infonce), event.Value(s.lnCandidates)}
}

// startAt returns the start under a factor k.
func (p *projection) startAt(k float64, f Form) start {
	weight, bias := f.divisors(k)
	return p.startUnder(weight, bias, f)
}

func (p *projection) startUnder(weight, bias float64, f Form) start {
	s := start{lnCandidates: math.Log(float64(p.candidates()))}
	share := 1 / float64(len(p.batches))
	for _, b := range p.batches {
		queries, activeQuery := p.weights(b.queries, weight, bias, f)
		documents, activeDocument := p.weights(b.documents, weight, bias, f)
		scores := p.scores(queries, documents, f.ScoreScale)
		mean, sd := moments(scores)
		s.activeQuery += share * activeQuery
		s.activeDocument += share * activeDocument
		s.scoreMean += share * mean
		s.scoreSD += share * sd
		s.infonce += share * infoNCE(scores, len(documents)/p.vocab)
	}
	return s
}

// weights returns the term weights [texts, vocab] and the mean number of active ones,
// which is NaN if a weight is NaN.
func (p *projection) weights(projected []float32, weight, bias float64, f Form) ([]float32, float64) {
	out := make([]float32, len(projected))
	texts := len(projected) / p.vocab
	active := make([]float64, texts)
	parallel.For(texts, p.threads, func(i int) {
		own := out[i*p.vocab : (i+1)*p.vocab]
		for v := range own {
			z := float64(projected[i*p.vocab+v]) / weight
			if p.bias != nil {
				z += float64(p.bias[v]) / bias
			}
			z -= f.Shift
			if z <= 0 {
				continue
			}
			w := math.Log1p(z)
			if f.Splade.Twice {
				w = math.Log1p(w)
			}
			own[v] = float32(w)
		}
		f.Splade.Prune(own)
		for _, w := range own {
			if w != w {
				active[i] = float64(w)
			}
			if w != 0 {
				active[i]++
			}
		}
	})
	total := 0.0
	for _, n := range active {
		total += n
	}
	return out, total / float64(texts)
}

// scores returns the scaled dot products [queries, documents].
func (p *projection) scores(queries, documents []float32, scale float64) []float64 {
	n, candidates := len(queries)/p.vocab, len(documents)/p.vocab
	out := make([]float64, n*candidates)
	parallel.For(n, p.threads, func(i int) {
		q := queries[i*p.vocab : (i+1)*p.vocab]
		for j := range candidates {
			sum := 0.0
			for v, w := range documents[j*p.vocab : (j+1)*p.vocab] {
				sum += float64(w) * float64(q[v])
			}
			out[i*candidates+j] = sum * scale
		}
	})
	return out
}

// infoNCE returns the mean cross-entropy of scores [queries, candidates], where query i's
// positive is candidate i.
func infoNCE(scores []float64, candidates int) float64 {
	queries, total := len(scores)/candidates, 0.0
	for i := range queries {
		row := scores[i*candidates : (i+1)*candidates]
		top := math.Inf(-1)
		for _, x := range row {
			top = math.Max(top, x)
		}
		sum := 0.0
		for _, x := range row {
			sum += math.Exp(x - top)
		}
		total += top + math.Log(sum) - row[i]
	}
	return total / float64(queries)
}

func moments(values []float64) (mean, sd float64) {
	for _, x := range values {
		mean += x / float64(len(values))
	}
	for _, x := range values {
		sd += (x - mean) * (x - mean) / float64(len(values))
	}
	return mean, math.Sqrt(sd)
}

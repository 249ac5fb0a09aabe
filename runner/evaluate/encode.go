package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"headroom/runner/engine"
	"headroom/runner/search"
)

// Encode returns the vectors of texts, in their order. A text is cut to maxLength tokens,
// special ones included; progress, which may be nil, is called from time to time, never
// twice at once. Texts of similar length share a batch.
func (e *Encoder) Encode(ctx context.Context, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, error) {
	if maxLength < 2 || maxLength > e.model.Config.MaxTokens() {
		return nil, fmt.Errorf("encode: a maximum length of %d tokens is not possible: the model takes 2 to %d", maxLength, e.model.Config.MaxTokens())
	}
	ids := e.tokenizer.EncodeBatch(texts, maxLength, e.model.Engine.Threads())
	for _, text := range ids {
		if len(text) == maxLength {
			e.full.Add(1)
		}
	}
	return e.EncodeTokens(ctx, ids, progress)
}

// EncodeQueries is Encode with the model's prompt for queries before each text.
func (e *Encoder) EncodeQueries(ctx context.Context, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, error) {
	return e.Encode(ctx, withPrompt(e.queryPrompt, texts), maxLength, progress)
}

// EncodeDocuments is Encode with the model's prompt for documents before each text.
func (e *Encoder) EncodeDocuments(ctx context.Context, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, error) {
	return e.Encode(ctx, withPrompt(e.documentPrompt, texts), maxLength, progress)
}

func withPrompt(prompt string, texts []string) []string {
	if prompt == "" {
		return texts
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = prompt + text
	}
	return out
}

// TextError is returned when one of the texts given to an Encoder cannot be encoded.
type TextError struct {
	Text int // of those given, from 0
	Err  error
}

func (e *TextError) Error() string {
	return fmt.Sprintf("encode text %d: %v", e.Text, e.Err)
}

// Unwrap is the fault without the text.
func (e *TextError) Unwrap() error { return e.Err }

// NameText adds the text's name to a TextError; other errors stay.
func NameText(err error, name func(text int) string) error {
	var fault *TextError
	if errors.As(err, &fault) {
		return fmt.Errorf("%s: %w", name(fault.Text), fault.Err)
	}
	return err
}

// EncodeTokens is Encode for texts that are token ids already, special ones included.
func (e *Encoder) EncodeTokens(ctx context.Context, ids [][]int32, progress func(done, total int)) ([]search.Vector, error) {
	for i, text := range ids {
		if len(text) == 0 {
			return nil, &TextError{i, errors.New("it has no token: it is empty for this tokenizer, which puts no special tokens around a text; allowed: texts with a token")}
		}
		for _, id := range text {
			if id < 0 || int(id) >= e.Vocab() {
				return nil, &TextError{i, fmt.Errorf("it has the token id %d; the model's vocabulary has %d", id, e.Vocab())}
			}
		}
	}
	threads := e.model.Engine.Threads()
	job := &encoding{e: e, ids: ids, vectors: make([]search.Vector, len(ids)), progress: progress}
	job.batches = e.batches(job.ids)
	workers := 1
	if !e.form.Sum && e.form.TokenTopM == 0 {
		workers = max(1, min(e.model.Engine.Batches(), len(job.batches)))
	}
	done, err := job.prepare((threads + workers - 1) / workers)
	if err != nil {
		return nil, err
	}
	defer done()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() { job.work(ctx) })
	}
	group.Wait()
	if job.err != nil {
		return nil, job.err
	}
	return job.vectors, nil
}

// batches divides texts of token ids, the longest first, into batches of text numbers.
func (e *Encoder) batches(ids [][]int32) [][]int {
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	var batches [][]int
	for len(order) > 0 {
		padded := e.model.Engine.PaddedLength(len(ids[order[0]]), e.model.Config.MaxTokens())
		n := min(len(order), e.model.Engine.BatchTexts(padded))
		batches = append(batches, order[:n])
		order = order[n:]
	}
	return batches
}

// encoding is one call of Encode, shared by its workers.
type encoding struct {
	e        *Encoder
	ids      [][]int32
	batches  [][]int
	vectors  []search.Vector
	progress func(done, total int)
	// pool gives [texts, vocab]: logits where the maximum is taken, weights where they are added up.
	pool func(texts [][]int32) ([]float32, error)

	mu     sync.Mutex
	taken  int // batches
	done   int // texts
	err    error
	failed int // the batch that err is of
}

// prepare sets pool, each call of which may use so many threads.
func (j *encoding) prepare(threads int) (done func(), err error) {
	tokens := 0
	for _, ids := range j.ids {
		tokens += len(ids)
	}
	j.pool, done, err = j.e.model.FormPooler(j.e.form, tokens, threads)
	return done, err
}

// work encodes batches until none is left or one has failed.
func (j *encoding) work(ctx context.Context) {
	for {
		i, ok := j.take()
		if !ok {
			return
		}
		err := ctx.Err()
		if err == nil {
			err = j.encode(j.batches[i])
		}
		j.finish(i, err)
	}
}

func (j *encoding) take() (batch int, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil || j.taken == len(j.batches) {
		return 0, false
	}
	j.taken++
	return j.taken - 1, true
}

// finish keeps the fault of the first batch that has one. All batches before it were taken
// and will be finished, so the result does not depend on which worker was faster.
func (j *encoding) finish(batch int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		if j.err == nil || batch < j.failed {
			j.err, j.failed = err, batch
		}
		return
	}
	j.done += len(j.batches[batch])
	if j.progress != nil && j.err == nil {
		j.progress(j.done, len(j.ids))
	}
}

func (j *encoding) encode(batch []int) error {
	texts := make([][]int32, len(batch))
	for k, i := range batch {
		texts[k] = j.ids[i]
	}
	pooled, err := j.pool(texts)
	if n := len(batch); errors.Is(err, engine.ErrDeviceMemory) && n > 1 {
		// How much fits into a device depends on the model and on its other users.
		if err := j.encode(batch[:n/2]); err != nil {
			return err
		}
		return j.encode(batch[n/2:])
	}
	if err != nil {
		return err
	}
	vocab := j.e.Vocab()
	for k, i := range batch {
		if j.vectors[i], err = j.e.vector(pooled[k*vocab : (k+1)*vocab]); err != nil {
			return &TextError{i, err}
		}
	}
	return nil
}

// vector keeps the terms with a positive weight; the form may limit them to the largest.
func (e *Encoder) vector(pooled []float32) (search.Vector, error) {
	n := 0
	for _, z := range pooled {
		if !(z <= 0) {
			n++
		}
	}
	v := search.Vector{Terms: make([]uint32, 0, n), Weights: make([]float32, 0, n)}
	for term, z := range pooled {
		if z <= 0 {
			continue
		}
		weight := z
		if !e.form.Sum {
			weight = e.form.Weight(z)
		}
		if weight-weight != 0 {
			if e.options.KeepNonFinite {
				continue
			}
			return v, fmt.Errorf("the weight of term %d is %v: %w", term, weight, ErrNonFinite)
		}
		if weight > 0 {
			v.Terms, v.Weights = append(v.Terms, uint32(term)), append(v.Weights, weight)
		}
	}
	if e.form.TopK > 0 && len(v.Weights) > e.form.TopK {
		e.form.Prune(v.Weights)
		kept := search.Vector{}
		for i, w := range v.Weights {
			if w > 0 {
				kept.Terms, kept.Weights = append(kept.Terms, v.Terms[i]), append(kept.Weights, w)
			}
		}
		return kept, nil
	}
	return v, nil
}

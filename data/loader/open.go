package loader

import (
	"context"
	"fmt"
	"sync"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/data/tokenize"
)

// Options say how examples become batches.
type Options struct {
	Batch int // queries per step
	Seed  int64
	Order string // "shuffle" or "file"
	// Negatives is the number of hard negatives per query.
	Negatives int
	// MaxQuery and MaxDocument cut texts, in tokens with the special ones.
	MaxQuery, MaxDocument int
	// QueryPrompt and DocumentPrompt are put before texts; "" is none.
	QueryPrompt, DocumentPrompt string
	// Threads bounds the goroutines that tokenize; 0 is all cores.
	Threads int
	// CacheDir keeps indexes and unpacked files; with "" they are made again each time.
	CacheDir string
}

// Loader makes the batches of a run. A step's batch depends on the data, the options and the step alone. While steps
// are asked for one after the other, batches are made ahead in the background. All methods but Close are safe for
// concurrent use.
type Loader struct {
	source    examples.Source
	stream    *batch.Stream
	tokenizer *tokenize.Tokenizer
	known     *known
	o         Options

	mu    sync.Mutex
	ahead *ahead
}

// Open opens training data. Files that were never read whole are read whole now, until ctx ends.
func Open(ctx context.Context, set examples.Set, tokenizer *tokenize.Tokenizer, o Options) (*Loader, error) {
	if o.MaxQuery < 1 || o.MaxDocument < 1 {
		return nil, fmt.Errorf("open training data: at most %d and %d tokens per text: at least 1 is needed", o.MaxQuery, o.MaxDocument)
	}
	source, err := examples.Open(ctx, set, kept.Store{Dir: o.CacheDir}, examples.Options{Negatives: o.Negatives, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	stream, err := batch.NewStream(batch.StreamOptions{
		Rows: source.Len(), Size: o.Batch, Seed: o.Seed, Order: o.Order, Whole: source.Whole(), Marks: source.Marks,
	})
	if err != nil {
		source.Close()
		return nil, err
	}
	return &Loader{source: source, stream: stream, tokenizer: tokenizer, known: newKnown(source), o: o}, nil
}

// Survey describes the loaded files; it is zero for a collection.
func (l *Loader) Survey() examples.Survey { return l.source.Survey() }

// Close ends the work in the background and closes the data.
func (l *Loader) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopAhead()
	l.stream.Close()
	return l.source.Close()
}

// makeBatch makes the batch of a step.
func (l *Loader) makeBatch(step int) (Batch, error) {
	if step < 0 {
		return Batch{}, fmt.Errorf("make batch of step %d: steps are counted from 0", step)
	}
	places, err := l.stream.At(step)
	if err != nil {
		return Batch{}, err
	}
	list, err := l.source.Examples(places)
	if err != nil {
		return Batch{}, err
	}
	n := len(list)
	queries, documents := make([]string, n), make([]string, n*(1+l.o.Negatives))
	var scores []float32
	for i, e := range list {
		queries[i], documents[i] = e.Query, e.Positive
		for j, negative := range e.Negatives {
			documents[(1+j)*n+i] = negative
		}
		scores = append(scores, e.Scores...)
	}
	queryIDs, err := l.encode(queries, l.o.QueryPrompt, l.o.MaxQuery, roleQuery)
	if err != nil {
		return Batch{}, err
	}
	documentIDs, err := l.encode(documents, l.o.DocumentPrompt, l.o.MaxDocument, roleDocument)
	if err != nil {
		return Batch{}, err
	}
	return Batch{
		Queries: queryIDs, Documents: documentIDs, Scores: scores,
	}, nil
}

// encode returns the token ids of texts with the prompt before them. Callers must not change them.
func (l *Loader) encode(texts []string, prompt string, limit int, role role) ([][]int32, error) {
	all := make([][]int32, len(texts))
	var todo []string
	var at []int
	for i, text := range texts {
		if all[i] = l.known.ids(role, text); all[i] == nil {
			todo, at = append(todo, prompt+text), append(at, i)
		}
	}
	for j, ids := range l.tokenizer.EncodeBatch(todo, limit, l.o.Threads) {
		if len(ids) == 0 {
			return nil, fmt.Errorf("the training data's %s %q has no token: its text is empty for this tokenizer, which puts no special tokens around it; allowed: texts with a token", role, shortened(texts[at[j]]))
		}
		all[at[j]] = ids
		l.known.keep(role, texts[at[j]], ids)
	}
	return all, nil
}

package fused

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Positive writes the results of Head.Max, bit for bit, to out [len(texts), vocab],
// but zero for each result that is neither positive nor NaN. It thus gives the same
// max(0, scale·logit) for every positive finite scale. Neither the number of threads
// nor the share of rows that were screened changes a bit.
func (s *Screen) Positive(texts []Text, out []float32, threads int) error {
	return s.positive(texts, out, nil, threads, new(effort))
}

// PositiveAt is Positive that also fills arg [len(texts), vocab] with the first token that
// reaches a maximum, wherever out is positive. Elsewhere it means nothing.
func (s *Screen) PositiveAt(texts []Text, out []float32, arg []int32, threads int) error {
	if len(arg) != len(out) {
		return fmt.Errorf("pool head: arg has %d elements, want %d", len(arg), len(out))
	}
	return s.positive(texts, out, arg, threads, new(effort))
}

// effort counts pairs of a text and a row.
type effort struct {
	screened atomic.Int64 // whose bound was computed
	survived atomic.Int64 // of those, not proven inactive
	plain    atomic.Int64 // computed in float32 at once
}

func (s *Screen) positive(texts []Text, out []float32, arg []int32, threads int, spent *effort) error {
	h := s.head
	if err := h.check(texts, len(out)); err != nil {
		return err
	}
	packed := make([]screenText, len(texts))
	parallel(len(texts), threads, func(from, to int) {
		for i := from; i < to; i++ {
			packed[i] = screenText{panels: pack(texts[i], h.Dim), whole: s.wholeText(texts[i])}
		}
	})
	h.eachBlock(threads, func() func(rows []int32) {
		w := screenWorker{s: s, all: newBlock(h.Dim), few: newBlock(h.Dim), texts: make([]textState, len(texts)), spent: spent}
		return func(rows []int32) {
			w.filled = false
			for i, t := range packed {
				row := pooled{logits: out[i*h.Vocab : (i+1)*h.Vocab]}
				if arg != nil {
					row.tokens = arg[i*h.Vocab : (i+1)*h.Vocab]
				}
				if rows == nil {
					w.finish(t, row, &w.texts[i])
				} else {
					w.writeRows(t, rows, row, &w.texts[i])
				}
			}
		}
	})
	return nil
}

// pooled is what is written of a text: [vocab] logits and, unless nil, their tokens.
type pooled struct {
	logits []float32
	tokens []int32
}

// screenText is a text in float32 and in whole numbers.
type screenText struct {
	panels []panel
	whole  wholeText
}

// patience counts the blocks for which a text is not screened, after a block in which
// screening did not pay. Each such block doubles the wait, up to 31. So a dense text
// costs some 2 % more than Max does, and a text that is dense in only a part of the
// vocabulary is screened again soon after that part.
type patience struct{ wait, last int }

func (p *patience) judge(rows, survivors int) {
	if 2*survivors <= rows {
		p.last = 0
		return
	}
	p.last = min(2*p.last+1, 31)
	p.wait = p.last
}

// textState is what a worker remembers of a text from block to block.
type textState struct {
	patience
	survivors []int32 // rows not yet computed, fewer than rowBlock
}

// screenWorker is one thread's memory.
type screenWorker struct {
	s      *Screen
	all    *block // the current rows, once a text needs them
	filled bool
	few    *block // survivors
	texts  []textState
	lanes  wholeLanes
	spent  *effort
}

// writeRows writes one text's logits of one block. Rows that survive screening wait
// until a whole block of them can be computed.
func (w *screenWorker) writeRows(t screenText, rows []int32, out pooled, state *textState) {
	if !t.whole.usable || state.wait > 0 {
		state.wait--
		w.spent.plain.Add(int64(len(rows)))
		w.pool(t, rows, out)
		return
	}
	var tops [rowBlock]int32
	w.s.tops(t.whole, int(rows[0]), len(rows), &w.lanes, &tops)
	var survivors [rowBlock]int32
	n := 0
	for r, v := range rows {
		out.logits[v] = 0
		// A bound that is not finite proves nothing, not even below a bias of -Inf.
		if !(w.s.bound(t.whole, int(v), tops[r]) <= min(-float64(w.s.head.Bias[v]), math.MaxFloat64)) {
			survivors[n] = v
			n++
		}
	}
	w.spent.screened.Add(int64(len(rows)))
	w.spent.survived.Add(int64(n))
	state.judge(len(rows), n)
	if 2*n > len(rows) {
		w.pool(t, rows, out)
		return
	}
	state.survivors = append(state.survivors, survivors[:n]...)
	if len(state.survivors) >= rowBlock {
		w.compute(t, state.survivors[:rowBlock], out)
		state.survivors = append(state.survivors[:0], state.survivors[rowBlock:]...)
	}
}

// finish computes the survivors that still wait.
func (w *screenWorker) finish(t screenText, out pooled, state *textState) {
	if len(state.survivors) > 0 {
		w.compute(t, state.survivors, out)
	}
	state.survivors = nil
}

// compute computes the given rows in float32 and writes their logits.
func (w *screenWorker) compute(t screenText, rows []int32, out pooled) {
	w.few.fill(w.s.head.Weight, rows)
	w.few.pool(t.panels)
	w.few.writePositive(w.s.head.Bias, rows, out)
}

// pool computes all rows of a block in float32 and writes their logits.
func (w *screenWorker) pool(t screenText, rows []int32, out pooled) {
	if !w.filled {
		w.all.fill(w.s.head.Weight, rows)
		w.filled = true
	}
	w.all.pool(t.panels)
	w.all.writePositive(w.s.head.Bias, rows, out)
}

// writePositive writes pooled rows, with zero for those that are not positive.
func (b *block) writePositive(bias []float32, rows []int32, out pooled) {
	for r, v := range rows {
		z := b.best[r] + bias[v]
		if z <= 0 {
			z = 0
		}
		out.logits[v] = z
		if out.tokens != nil {
			out.tokens[v] = b.at[r]
		}
	}
}

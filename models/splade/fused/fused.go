// Package fused computes the max-pooled MLM head on a CPU without ever writing
// a logit: the products of every token with every vocabulary row pass through
// registers, and only the maximum over tokens and the token that reached it are
// kept. Its backward pass touches only terms that are active. Results are
// deterministic to the bit. A graph would build a tensor [batch, tokens, vocab] for
// the same function; package splade holds that form.
//
// Shapes are given as [axis, axis] with the last axis contiguous.
package fused

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Text is one text's last hidden states behind the head's transform.
type Text struct {
	// Hidden is [tokens, dim]: only tokens that count, padding left out.
	Hidden []float32
	// Tokens is the number of rows in Hidden, at least 1.
	Tokens int
}

// Head is a decoder: logit(t, v) = Hidden[t]·Weight[v] + Bias[v].
type Head struct {
	Weight []float32 // [vocab, dim]
	Bias   []float32 // [vocab]
	Vocab  int
	Dim    int
}

// rowBlock is the number of vocabulary rows that stay in the first cache while every
// text is multiplied with them.
const rowBlock = 64

// Max writes max_t logit(t, v), bias included, to out [len(texts), vocab] and, if
// arg is not nil, the first token that reaches it to arg [len(texts), vocab]. If any of
// a text's logits of a row is NaN, the result is NaN: a maximum alone would hide it. The
// result does not depend on threads.
func (h Head) Max(texts []Text, out []float32, arg []int32, threads int) error {
	if err := h.check(texts, len(out)); err != nil {
		return err
	}
	if arg != nil && len(arg) != len(out) {
		return fmt.Errorf("pool head: arg has %d elements, want %d", len(arg), len(out))
	}
	packed := make([][]panel, len(texts))
	parallel(len(texts), threads, func(from, to int) {
		for i := from; i < to; i++ {
			packed[i] = pack(texts[i], h.Dim)
		}
	})
	h.eachBlock(threads, func() func(rows []int32) {
		b := newBlock(h.Dim)
		return func(rows []int32) {
			if rows == nil {
				return
			}
			b.fill(h.Weight, rows)
			for i, panels := range packed {
				b.pool(panels)
				for r, v := range rows {
					out[i*h.Vocab+int(v)] = b.best[r] + h.Bias[v]
				}
				if arg != nil {
					copy(arg[i*h.Vocab+int(rows[0]):], b.at[:len(rows)])
				}
			}
		}
	})
	return nil
}

// eachBlock gives the vocabulary, in blocks of consecutive rows, to threads as they
// become free. Each thread calls worker once for a function of its own, which gets the
// thread's blocks and at the end nil. Every block begins at a multiple of rowBlock.
func (h Head) eachBlock(threads int, worker func() func(rows []int32)) {
	total := (h.Vocab + rowBlock - 1) / rowBlock
	var next atomic.Int64
	parallel(min(threads, total), threads, func(_, _ int) {
		work := worker()
		var rows [rowBlock]int32
		for {
			i := int(next.Add(1)) - 1
			if i >= total {
				work(nil)
				return
			}
			n := min(rowBlock, h.Vocab-i*rowBlock)
			for r := range n {
				rows[r] = int32(i*rowBlock + r)
			}
			work(rows[:n])
		}
	})
}

func (h Head) check(texts []Text, size int) error {
	if h.Vocab < 1 || h.Dim < 1 || len(h.Weight) != h.Vocab*h.Dim || len(h.Bias) != h.Vocab {
		return fmt.Errorf("pool head: weight has %d and bias %d elements, want [%d, %d] and [%d]",
			len(h.Weight), len(h.Bias), h.Vocab, h.Dim, h.Vocab)
	}
	if size != len(texts)*h.Vocab {
		return fmt.Errorf("pool head: output has %d elements, want [%d, %d]", size, len(texts), h.Vocab)
	}
	for i, t := range texts {
		if t.Tokens < 1 || len(t.Hidden) != t.Tokens*h.Dim {
			return fmt.Errorf("pool head: text %d has %d elements, want [%d, %d] with at least one token", i, len(t.Hidden), t.Tokens, h.Dim)
		}
	}
	return nil
}

// parallel splits [0, n) into one contiguous part per thread.
func parallel(n, threads int, do func(from, to int)) {
	threads = max(1, min(threads, n))
	if threads == 1 {
		do(0, n)
		return
	}
	var wg sync.WaitGroup
	for i := range threads {
		from, to := i*n/threads, (i+1)*n/threads
		if from < to {
			wg.Go(func() { do(from, to) })
		}
	}
	wg.Wait()
}

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"headroom/internal/seal"
	"headroom/runner/search"
	"headroom/runner/vectors"
)

// Documents keeps what documents were encoded to, for a further evaluation of the same
// model: on another split, or on a collection of the same corpus. It belongs to one state
// of one model's weights. A nil Documents keeps nothing.
type Documents struct {
	blocks map[vectors.Key][]search.Vector
	room   int // terms that may still be kept in memory
	size   int // of a block, in documents

	// Set by KeepIn: where blocks lie on the disk too, what tells the weights apart, whom to tell of what went wrong.
	store   *vectors.Store
	weights string
	notice  func(string)
}

// encodeBlock documents are encoded, then indexed and forgotten.
const encodeBlock = 2048

// NewDocuments keeps at most so many terms of vectors in memory, 8 bytes each. What is beyond
// them is encoded again, or read where KeepIn has put it.
func NewDocuments(terms int) *Documents {
	return &Documents{blocks: map[vectors.Key][]search.Vector{}, room: terms, size: encodeBlock}
}

// KeepIn has blocks written into a store as soon as they are encoded, and read from it: after a kill the encoding goes
// on behind the last whole block, with the same vectors. weights tells the model's weights and tokenizer from all others.
// notice is told of damaged blocks, which are encoded again, and of blocks that only a kill would
// have needed and that cannot be written.
func (d *Documents) KeepIn(store *vectors.Store, weights string, notice func(string)) {
	d.store, d.weights, d.notice = store, weights, notice
}

// Done removes from the store what it was only lent.
func (d *Documents) Done() error {
	if d == nil || d.store == nil {
		return nil
	}
	return d.store.Done()
}

func (d *Documents) blockSize() int {
	if d == nil {
		return encodeBlock
	}
	return d.size
}

// encode is Encoder.EncodeDocuments, or what it gave for the same texts. The key is the store's, for these texts.
func (d *Documents) encode(ctx context.Context, enc *Encoder, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, vectors.Key, error) {
	if d == nil {
		block, err := enc.EncodeDocuments(ctx, texts, maxLength, progress)
		return block, vectors.Key{}, err
	}
	inMemory := vectors.KeyOf(enc.identity(""), texts, maxLength)
	block, known := d.blocks[inMemory]
	var key vectors.Key
	stored := false
	if d.store != nil {
		key = vectors.KeyOf(enc.identity(d.weights), texts, maxLength)
		if stored = d.store.Stays(key); !stored && (!known || d.store.Keeps()) {
			read, err := d.read(key)
			if err != nil {
				return nil, key, err
			}
			if stored = read != nil; stored && !known {
				block, known = read, true
				d.remember(inMemory, block)
			}
		}
	}
	if known {
		progress(len(texts), len(texts))
	} else {
		var err error
		if block, err = enc.EncodeDocuments(ctx, texts, maxLength, progress); err != nil {
			return nil, key, err
		}
	}
	if d.store != nil && !stored && (!known || d.store.Keeps()) {
		if err := d.write(key, block); err != nil {
			return nil, key, err
		}
	}
	if !known {
		d.remember(inMemory, block)
	}
	return block, key, nil
}

// read finds a block on the disk; nil if it is not there, or damaged.
func (d *Documents) read(key vectors.Key) ([]search.Vector, error) {
	block, err := d.store.Read(key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case seal.IsDamage(err):
		d.notice(fmt.Sprintf("documents are encoded again: %v", err))
		return nil, nil
	}
	return block, err
}

// write puts a block on the disk. If it need not stay, a disk that does not take it ends the store and no evaluation:
// nothing but a kill would show it.
func (d *Documents) write(key vectors.Key, block []search.Vector) error {
	err := d.store.Write(key, block)
	if err == nil || d.store.Keeps() {
		return err
	}
	d.notice(fmt.Sprintf("after a kill all documents would be encoded again: %v", err))
	err = d.store.Done()
	d.store = nil
	return err
}

func (d *Documents) remember(key vectors.Key, block []search.Vector) {
	terms := 0
	for _, v := range block {
		terms += len(v.Terms)
	}
	if terms <= d.room {
		d.blocks[key] = block
		d.room -= terms
	}
}

// kept lists blocks, if the store has all of them for good; nil if it has not.
func (d *Documents) kept(keys []vectors.Key, documents int) *vectors.List {
	if d == nil || d.store == nil {
		return nil
	}
	list := &vectors.List{Documents: documents}
	for _, key := range keys {
		if !d.store.Stays(key) {
			return nil
		}
		list.Blocks = append(list.Blocks, key.String())
	}
	return list
}

// folder is where blocks lie, "" if they do not.
func (d *Documents) folder() string {
	if d == nil || d.store == nil {
		return ""
	}
	return d.store.Folder()
}

// identity tells apart all that decides vectors beside texts and lengths. Backends are not told apart: in one precision they
// agree within its rounding.
func (e *Encoder) identity(weights string) string {
	return fmt.Sprintf("weights %s\nlogits x %v\nform sum %v, twice %v, top_k %d, token_top_m %d\nprecision %s\nprompt %q\nnot finite kept %v",
		weights, e.model.LogitScale, e.form.Sum, e.form.Twice, e.form.TopK, e.form.TokenTopM, e.model.Precision(), e.documentPrompt, e.options.KeepNonFinite)
}

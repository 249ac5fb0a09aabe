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

// Documents keeps the vectors of documents for a further evaluation of the same model: on
// another split, or on a collection with the same corpus. It is for one state of a model's
// weights. A nil Documents keeps nothing.
type Documents struct {
	blocks map[vectors.Key][]search.Vector
	room   int // terms that may still be kept in memory
	size   int // of a block, in documents

	// Set by KeepIn: a store of blocks on the disk, a name of the weights, and a function that gets messages about
	// faults.
	store   *vectors.Store
	weights string
	notice  func(string)
}

// encodeBlock is the number of documents that are encoded together, then indexed and
// forgotten.
const encodeBlock = 2048

// NewDocuments returns a Documents that keeps at most a number of terms in memory, 8 bytes
// each. Other vectors are encoded again, or read from the store of KeepIn.
func NewDocuments(terms int) *Documents {
	return &Documents{blocks: map[vectors.Key][]search.Vector{}, room: terms, size: encodeBlock}
}

// KeepIn writes blocks into a store as soon as they are encoded, and reads them from it: after a kill the encoding
// resumes after the last whole block, with the same vectors. weights names the model's weights and tokenizer, as no
// other model's. notice gets messages about damaged blocks, which are encoded again, and about blocks that cannot be
// written and would be used only after a kill.
func (d *Documents) KeepIn(store *vectors.Store, weights string, notice func(string)) {
	d.store, d.weights, d.notice = store, weights, notice
}

// Done removes the blocks that the store keeps only until the end of the encoding.
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

// encode returns the vectors that Encoder.EncodeDocuments returns, kept or encoded now. The key is the store's
// key for these texts.
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

// write puts a block on the disk. If the write of a temporary block fails, the store is given up and the evaluation
// continues: the block would be used only after a kill.
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

// kept returns a list of the blocks if the store keeps all of them for good, else nil.
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

// folder returns the folder of the blocks; "" without a store.
func (d *Documents) folder() string {
	if d == nil || d.store == nil {
		return ""
	}
	return d.store.Folder()
}

// identity returns a text of everything that decides vectors besides texts and lengths. It does not have the backend:
// backends agree within the rounding of a precision.
func (e *Encoder) identity(weights string) string {
	return fmt.Sprintf("weights %s\nlogits x %v\nform sum %v, twice %v, top_k %d, token_top_m %d\nprecision %s\nprompt %q\nnot finite kept %v",
		weights, e.model.LogitScale, e.form.Sum, e.form.Twice, e.form.TopK, e.form.TokenTopM, e.model.Precision(), e.documentPrompt, e.options.KeepNonFinite)
}

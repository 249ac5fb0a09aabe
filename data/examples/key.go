package examples

import "math/bits"

// Keys of a Mark. Documents with the same text are the same document, whatever their ids are.
func textKey(text string) uint64 { return hash(1, text) }
func idKey(id string) uint64     { return hash(2, id) }

// The odd numbers are those of xxHash.
const (
	prime1 = 0x9e3779b185ebca87
	prime2 = 0xc2b2ae3d27d4eb4f
	prime3 = 0x165667b19e3779f9
	prime4 = 0x85ebca77c2b2ae63
)

// hash mixes a text eight bytes at a time. Each step can be inverted, so texts of equal length that differ in one step
// only never get the same hash. It is the same on every machine, and so are the batches, even if two texts share a key.
func hash(kind uint64, text string) uint64 {
	h := kind*prime3 + uint64(len(text))*prime4
	for len(text) >= 8 {
		v := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		h = bits.RotateLeft64(h^bits.RotateLeft64(v*prime2, 31)*prime1, 27)*prime1 + prime4
		text = text[8:]
	}
	for i := range len(text) {
		h = bits.RotateLeft64(h^uint64(text[i])*prime3, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

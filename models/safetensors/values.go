package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32 copies a tensor of type F32, F16 or BF16 as float32. The conversions are exact; NaN and Inf are kept.
func (f *File) Float32(name string) ([]float32, error) {
	var out []float32
	err := f.read(name, func(e entry, data []byte) error {
		out = make([]float32, len(data)/e.dtype.Size())
		switch e.dtype {
		case F32:
			for i := range out {
				out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			}
		case F16:
			for i := range out {
				out[i] = fromHalf(binary.LittleEndian.Uint16(data[2*i:]))
			}
		case BF16:
			for i := range out {
				out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(data[2*i:])) << 16)
			}
		default:
			return fmt.Errorf("dtype %s does not convert to float32 (F32, F16 and BF16 do)", e.dtype)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fromHalf widens an IEEE half.
func fromHalf(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	magnitude := uint32(h & 0x7fff)
	if magnitude >= 0x7c00 { // Inf, NaN: keep the payload
		return math.Float32frombits(sign | 0x7f800000 | magnitude<<13&0x7fffff)
	}
	// The half's fields, moved to float32's places, read as the value times 2^-112, subnormals included; the
	// product is exact.
	const rescale = 0x1p112
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(magnitude<<13)*rescale))
}

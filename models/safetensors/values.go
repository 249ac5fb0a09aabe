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

// Element is a type whose arrays are stored as they are.
type Element interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32 | uint64 | int64 | float32 | float64
}

// dtypeOf is the file type of T.
func dtypeOf[T Element]() DType {
	switch any(*new(T)).(type) {
	case uint8:
		return U8
	case int8:
		return I8
	case uint16:
		return U16
	case int16:
		return I16
	case uint32:
		return U32
	case int32:
		return I32
	case uint64:
		return U64
	case int64:
		return I64
	case float32:
		return F32
	default:
		return F64
	}
}

// Values copies a tensor whose type is exactly T's.
func Values[T Element](f *File, name string) ([]T, error) {
	var out []T
	err := f.read(name, func(e entry, data []byte) error {
		if want := dtypeOf[T](); e.dtype != want {
			return fmt.Errorf("dtype is %s, not %s", e.dtype, want)
		}
		out = make([]T, len(data)/e.dtype.Size())
		_, err := binary.Decode(data, binary.LittleEndian, out)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

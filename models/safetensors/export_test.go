package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// WriteOn is Write on another disk.
var WriteOn = write

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

// Array makes a tensor of any stored type, for Write.
func Array[T Element](name string, shape []int, values []T) Tensor {
	var buf bytes.Buffer
	// A bytes.Buffer does not fail and the element types all have fixed sizes.
	_ = binary.Write(&buf, binary.LittleEndian, values)
	return Tensor{Name: name, Shape: shape, DType: dtypeOf[T](), Bytes: buf.Bytes()}
}

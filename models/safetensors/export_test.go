package safetensors

import (
	"bytes"
	"encoding/binary"
)

// WriteOn is Write on another disk.
var WriteOn = write

// Array makes a tensor of any stored type, for Write.
func Array[T Element](name string, shape []int, values []T) Tensor {
	var buf bytes.Buffer
	// A bytes.Buffer does not fail and the element types all have fixed sizes.
	_ = binary.Write(&buf, binary.LittleEndian, values)
	return Tensor{Name: name, Shape: shape, DType: dtypeOf[T](), Bytes: buf.Bytes()}
}

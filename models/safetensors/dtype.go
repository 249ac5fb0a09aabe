package safetensors

import (
	"fmt"
	"slices"
	"strings"
)

// DType is a tensor's element type, spelt as in the file's header.
type DType string

// The element types that this package knows. Sub-byte types are not among them.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E4M3 DType = "F8_E4M3"
	F8E5M2 DType = "F8_E5M2"
	U16    DType = "U16"
	I16    DType = "I16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	U32    DType = "U32"
	I32    DType = "I32"
	F32    DType = "F32"
	U64    DType = "U64"
	I64    DType = "I64"
	F64    DType = "F64"
)

// Size is the number of bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8, F8E4M3, F8E5M2:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// knownTypes lists the types for messages.
func knownTypes() string {
	all := []DType{Bool, U8, I8, F8E4M3, F8E5M2, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = string(d)
	}
	return strings.Join(names, ", ")
}

// byteCount is shape times element size, refused if a dimension is negative or the product does not fit.
func byteCount(d DType, shape []int) (int64, error) {
	const limit = int64(1) << 50 // a petabyte: no file is larger, and sums of such counts still fit
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	n := int64(d.Size())
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("dimension %d in shape %v is negative", dim, shape)
		}
		if int64(dim) > limit/n {
			return 0, fmt.Errorf("shape %v of %s is larger than any file", shape, d)
		}
		n *= int64(dim)
	}
	return n, nil
}

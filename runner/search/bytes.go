package search

import (
	"encoding/binary"
	"unsafe"
)

// number is a type of numbers in an index's files.
type number interface {
	uint16 | uint32 | float32 | list
}

// littleEndian reports whether this machine stores numbers in the byte order of the files.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// bytesOf returns numbers as the bytes of a file. It shares the memory if the byte order allows it.
func bytesOf[T number](numbers []T) []byte {
	if len(numbers) == 0 {
		return nil
	}
	if littleEndian() {
		return unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), len(numbers)*int(unsafe.Sizeof(numbers[0])))
	}
	data, err := binary.Append(nil, binary.LittleEndian, numbers)
	if err != nil {
		panic(err) // a number has a fixed size
	}
	return data
}

// numbersIn returns the numbers in the bytes of a file. It shares the memory if the byte order allows it.
func numbersIn[T number](data []byte) []T {
	var one T
	n := len(data) / int(unsafe.Sizeof(one))
	if n == 0 {
		return nil
	}
	first := unsafe.Pointer(&data[0])
	if littleEndian() && uintptr(first)%unsafe.Alignof(one) == 0 {
		return unsafe.Slice((*T)(first), n)
	}
	numbers := make([]T, n)
	if _, err := binary.Decode(data, binary.LittleEndian, numbers); err != nil {
		panic(err) // a number has a fixed size
	}
	return numbers
}

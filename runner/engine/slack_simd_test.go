//go:build linux && amd64 && goexperiment.simd

package engine_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"simd/archsimd"
	"syscall"
	"testing"
	"unsafe"
)

// TestTheToolchainStillReadsPastTheEndOfASlice loads a part of a register from the last
// bytes of a readable page. If that works, slack.go is of no use any more.
func TestTheToolchainStillReadsPastTheEndOfASlice(t *testing.T) {
	loads := map[int]func([]float32){} // by how many numbers a register holds
	var to [16]float32                 // what is loaded must be of use, or the compiler leaves the load out
	if archsimd.X86.AVX2() {
		loads[8] = func(s []float32) { x, _ := archsimd.LoadFloat32x8Part(s); x.Store(to[:]) }
	}
	if archsimd.X86.AVX512() {
		loads[16] = func(s []float32) { x, _ := archsimd.LoadFloat32x16Part(s); x.Store(to[:]) }
	}
	if len(loads) == 0 {
		t.Skip("the processor has no AVX2: whether the toolchain still needs slack.go is NOT seen here")
	}
	page := syscall.Getpagesize()
	pages, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(pages)
	if err := syscall.Mprotect(pages[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	sound := 0
	for width, load := range loads {
		// A whole register at the end of the page is no fault.
		end := unsafe.Slice((*float32)(unsafe.Pointer(&pages[page-width*4])), width)
		if fault := faultOf(func() { load(end) }); fault != "" {
			t.Fatalf("%d numbers: %s", width, fault)
		}
		if faultOf(func() { load(end[width-3:]) }) == "" {
			sound++
		}
	}
	if sound == len(loads) {
		t.Errorf("%s loads three numbers without reading what is behind them: once go.mod requires such a version, remove runner/engine/slack.go, its tests and its call in Open", runtime.Version())
	}
}

// faultOf is the message of the memory fault that a function ends with, "" for none.
func faultOf(do func()) (message string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			message = fmt.Sprint(fault)
		}
	}()
	do()
	return ""
}

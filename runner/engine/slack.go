package engine

import (
	"runtime"
	"sync"
	"syscall"
)

// The simd packages of Go 1.27.0 to 1.27.3 read past the end of a slice: to load
// fewer elements than a register holds, LoadFloat32x16Part and its kin load a
// whole register and mask it afterwards. GoMLX's Go backend does so at the end
// of many tensors. Where a tensor is the last thing in the mapped heap, that
// read faults, and Go ends the process ("fatal error: fault"). That was seen about
// once in 150 short processes.
//
// TestTheToolchainStillReadsPastTheEndOfASlice fails with the first toolchain that
// does not do this; then this file can go.
//
// The remedy is a heap that ends far above the used part: a large amount is allocated
// once and freed. Go hands out the lowest free addresses first and never unmaps pages,
// so the pages behind every tensor stay readable as long as less than that amount is in
// use at once. The pages are not touched and cost no memory beyond a thousandth for Go's
// own tables. The amount is taken in pieces: Go fills an allocation with zeros, all of
// it, if its first page was in use before, and only the first piece can begin there.

// The largest and smallest amount to try, and the size of a piece, in bytes.
const (
	mostSlack  = 16 << 30
	leastSlack = 256 << 20
	slackPiece = 64 << 20
)

var slackOnce sync.Once

// reserveSlack moves the end of the heap up, once per process. If the system does
// not allow so much address space, it takes less, or none.
func reserveSlack() {
	slackOnce.Do(func() {
		for size := mostSlack; size >= leastSlack; size /= 2 {
			// Go does not survive a refusal, so ask the system for twice as much first.
			probe, err := syscall.Mmap(-1, 0, 2*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
			if err != nil {
				continue
			}
			if syscall.Munmap(probe) != nil {
				return
			}
			pieces := make([][]byte, size/slackPiece)
			for i := range pieces {
				pieces[i] = make([]byte, slackPiece)
			}
			runtime.KeepAlive(pieces)
			pieces = nil
			runtime.GC() // frees the pieces, and sets the pace of later collections without them
			return
		}
	})
}

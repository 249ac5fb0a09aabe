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
// read faults, and Go ends the process ("fatal error: fault"); it was seen about
// once in 150 short processes.
//
// TestTheToolchainStillReadsPastTheEndOfASlice fails once it is no longer so.
//
// So the heap is made to end far above what is used: a large amount is allocated
// once and given back. Go hands out the lowest free addresses first and never
// unmaps, so the pages behind every tensor stay readable as long as less than
// that is in use at once. Its pages are not touched and cost no memory beyond a thousandth
// for Go's own tables. It is taken in pieces, because Go fills an allocation with zeros,
// all of it, where its first page was in use before; of pieces that can be only the first.

// The largest and smallest amount to try, and the size of a piece, in bytes.
const (
	mostSlack  = 16 << 30
	leastSlack = 256 << 20
	slackPiece = 64 << 20
)

var slackOnce sync.Once

// reserveSlack lifts the end of the heap, once per process. Where the system does
// not allow so much address space, it takes less, or nothing.
func reserveSlack() {
	slackOnce.Do(func() {
		for size := mostSlack; size >= leastSlack; size /= 2 {
			// Go cannot survive a refusal, so the system is asked for twice as much first.
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
			runtime.GC() // gives all back and lets the pace of later collections forget it
			return
		}
	})
}

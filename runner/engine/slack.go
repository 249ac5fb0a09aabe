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
// So the heap is made to end far above what is used: a large block is allocated
// once and given back. Go hands out the lowest free addresses first and never
// unmaps, so the pages behind every tensor stay readable as long as less than
// the block is in use at once. The block's pages are never touched and cost no
// memory beyond a thousandth for Go's own tables.

// The largest and smallest block to try, in bytes.
const (
	mostSlack  = 16 << 30
	leastSlack = 256 << 20
)

var slackOnce sync.Once

// reserveSlack lifts the end of the heap, once a process. Where the system does
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
			block := make([]byte, size)
			runtime.KeepAlive(block)
			block = nil
			runtime.GC() // gives the block back and lets the pace of later collections forget it
			return
		}
	})
}

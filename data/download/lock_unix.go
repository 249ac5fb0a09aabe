//go:build unix

package download

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock on an open file, the same one that huggingface_hub takes.
// possible is false on file systems that have no locks.
func tryLock(f *os.File) (locked, possible bool) {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return true, true
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, true
		default:
			return false, false
		}
	}
}

//go:build unix

package worker_test

import (
	"os/signal"
	"syscall"
)

// limitFiles makes every write beyond a number of bytes of a file fail, as a full disk does.
func limitFiles(bytes uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = bytes
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

func canLimitFiles() error { return nil }

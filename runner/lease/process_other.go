//go:build !linux

package lease

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// machine is the host's name: the best that is known here.
func machine(host string) string { return host }

// lastChange is when a file was written.
func lastChange(info fs.FileInfo) time.Time { return info.ModTime() }

// startOf knows no start times here, so a reused id looks alive until it ends.
func startOf(pid int) (string, bool) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return "", false
	}
	err = p.Signal(syscall.Signal(0))
	return "", err == nil || errors.Is(err, syscall.EPERM)
}

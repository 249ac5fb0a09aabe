//go:build !linux

package lease

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// machine returns the host's name, the best identity on this system.
func machine(host string) string { return host }

// lastChange returns when a file was written.
func lastChange(info fs.FileInfo) time.Time { return info.ModTime() }

// startOf has no start times on this system, so a reused id looks alive until it ends.
func startOf(pid int) (string, bool) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return "", false
	}
	err = p.Signal(syscall.Signal(0))
	return "", err == nil || errors.Is(err, syscall.EPERM)
}

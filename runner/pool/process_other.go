//go:build !linux

package pool

import "syscall"

// processAttributes puts a worker into a process group of its own, so that a
// Ctrl-C at the terminal reaches the parent alone, which passes it on. The
// parent's death is noticed by WatchParent only.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

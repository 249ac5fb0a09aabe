package pool

import "syscall"

// processAttributes puts a worker into a process group of its own, so that a
// Ctrl-C at the terminal reaches the parent alone, which passes it on. It also asks
// the kernel to send SIGTERM when the parent dies, for any reason.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

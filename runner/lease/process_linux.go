package lease

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machine is this boot and this process namespace, which a container has its own of.
func machine(host string) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return host
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return host
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
}

// startOf is when a process started, in clock ticks since the boot, and whether it
// is alive; a zombie is not.
func startOf(pid int) (string, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		// An entry may be hidden, so the last word has the process itself.
		return "", !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	// pid (name) state …: the name may hold anything, so count from its last bracket.
	const state, start = 0, 19
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return "", true
	}
	return string(fields[start]), fields[state][0] != 'Z' && fields[state][0] != 'X'
}

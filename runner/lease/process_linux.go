package lease

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine returns the identity of this boot and this process namespace. A container has its
// own namespace.
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

// lastChange returns the earlier of a file's modification and change times: the
// modification time may have been set to the future.
func lastChange(info fs.FileInfo) time.Time {
	changed := info.ModTime()
	if system, ok := info.Sys().(*syscall.Stat_t); ok {
		if c := time.Unix(system.Ctim.Unix()); c.Before(changed) {
			changed = c
		}
	}
	return changed
}

// startOf returns when a process started, in clock ticks since the boot, and whether it is
// alive; a zombie is not.
func startOf(pid int) (string, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil || !ownProc() {
		// The entry may be hidden, so a signal finds out.
		return "", !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	// pid (name) state …: the name may have any characters, so count from its last bracket.
	const state, start = 0, 19
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) <= start {
		return "", true
	}
	return string(fields[start]), fields[state][0] != 'Z' && fields[state][0] != 'X'
}

// ownProc reports whether /proc is of this process namespace. A namespace may be made
// without a /proc of its own; the ids in it are then of another.
func ownProc() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
}

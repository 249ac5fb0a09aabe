// Package stdio tells how the standard output of this process was when it began.
package stdio

/*
#include <fcntl.h>

// The Go runtime opens /dev/null in the place of a standard file that is closed, so
// this has to be asked before the runtime is there.
static int closed;
__attribute__((constructor)) static void look(void) { closed = fcntl(1, F_GETFD) == -1; }
static int wasClosed(void) { return closed; }
*/
import "C"

import (
	"io"
	"os"
	"syscall"
)

// Out is the standard output. Where it was closed when the process began every write
// to it fails, and does not vanish.
func Out() io.Writer {
	if C.wasClosed() != 0 {
		return closed{}
	}
	return os.Stdout
}

type closed struct{}

func (closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.EBADF}
}

//go:build !linux

package gc_test

import (
	"os"
	"testing"
)

func unprivileged(t *testing.T, _ string) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("this system has no way to be root and be denied a removal")
	}
}

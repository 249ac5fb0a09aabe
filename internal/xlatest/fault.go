package xlatest

import (
	"testing"

	"headroom/internal/pjrtstub"
)

// Faulty is the path of a plugin that computes as XLA's CPU client does until Fail says
// that it is to fail. The test is skipped where there is no such client.
func Faulty(t testing.TB) string {
	t.Helper()
	real := Plugin(t)
	path, err := pjrtstub.BuildFaulty(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrtstub.RealPlugin, real)
	Fail(t, pjrtstub.Fault{})
	return path
}

// Fail says how the faulty plugin fails from now on, in this process and in those that it
// starts; the zero fault is none. A device that is lost stays lost until another is opened.
func Fail(t testing.TB, f pjrtstub.Fault) {
	t.Helper()
	for name, value := range f.Environment() {
		t.Setenv(name, value)
	}
}

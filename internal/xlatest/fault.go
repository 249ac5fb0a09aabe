package xlatest

import (
	"testing"

	"headroom/internal/pjrtstub"
)

// FaultyPlugin returns the path of a plugin that computes like XLA's CPU client until Fail makes
// it fail. The test is skipped if there is no such client.
func FaultyPlugin(t testing.TB) string {
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

// Fail makes the faulty plugin fail from now on, in this process and in those that it
// starts; the zero fault ends that. A lost device stays lost until another is opened.
func Fail(t testing.TB, f pjrtstub.Fault) {
	t.Helper()
	for name, value := range f.Environment() {
		t.Setenv(name, value)
	}
}

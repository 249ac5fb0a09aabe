package examples_test

import (
	"fmt"
	"strings"
	"testing"

	"headroom/data/examples"
)

// TestKeysOfDifferentTextsDiffer: of short ones, long ones, and such that differ in a byte or an end.
func TestKeysOfDifferentTextsDiffer(t *testing.T) {
	of := map[uint64]string{}
	try := func(kind uint64, text string) {
		t.Helper()
		key := examples.Key(kind, text)
		name := fmt.Sprintf("%d %q", kind, text)
		if other, twice := of[key]; twice && other != name {
			t.Fatalf("%s and %s have one key", other, name)
		}
		of[key] = name
	}
	for i := range 200_000 {
		try(1, fmt.Sprint(i))
		try(2, fmt.Sprint(i))
	}
	long := strings.Repeat("some text ", 7)
	for n := range len(long) {
		try(1, long[:n])
		for _, b := range []byte{0, 1, 255} {
			changed := []byte(long)
			changed[n] = b
			try(1, string(changed))
		}
	}
	for n := range 300 {
		try(1, strings.Repeat("\x00", n))
	}
}

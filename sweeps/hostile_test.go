package sweeps_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHostileTextsAreRefusedQuickly(t *testing.T) {
	var keys, axis strings.Builder
	for i := range 4500 {
		fmt.Fprintf(&keys, "key%d = 1\n", i)
	}
	axis.WriteString("name = \"x\"\n[grid]\nseed = [")
	for i := range 9000 {
		fmt.Fprintf(&axis, "%d,", i%300)
	}
	for name, text := range map[string]string{
		"dotted keys":     strings.Repeat("a.", 30000) + "a = 1",
		"spaced keys":     strings.Repeat("a . ", 15000) + "a = 1",
		"inline tables":   strings.Repeat("a={", 20000),
		"arrays":          "a = " + strings.Repeat("[", 30000) + strings.Repeat("]", 30000),
		"table arrays":    strings.Repeat("[[grid.x]]\n", 5000),
		"many keys":       keys.String(),
		"a repeated axis": axis.String() + "]\n",
		"a large file":    strings.Repeat("# comment\n", 10000),
		"quoted depth":    `a = "` + strings.Repeat("[", 1000) + "\"\nb = '''" + strings.Repeat("{.", 1000) + "'''\n",
		"open strings":    "a = \"\nb = '\nc = \"\"\"" + strings.Repeat("[", 1000),
		"no UTF-8":        "a = \"\xff\"",
		"NUL":             "a = \"\x00\"",
		"UTF-16":          "\xff\xfea\x00=\x001\x00",
		"only a bracket":  "[",
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			faults := faultsOf(t, text)
			// Unguarded, the reader needs minutes for some of these: a hang, not a matter of speed.
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
			if len(faults) > 200 {
				t.Errorf("%d faults", len(faults))
			}
		})
	}
	if faults := faultsOf(t, "a = \""+strings.Repeat("[", 100)+"\" # "+strings.Repeat("[", 100)); strings.Contains(faults.Error(), "deeply") {
		t.Errorf("brackets in strings and comments count: %v", faults)
	}
	if faults := faultsOf(t, "a = [0.1"+strings.Repeat(", 0.1", 500)+"]"); strings.Contains(faults.Error(), "deeply") {
		t.Errorf("the dots of numbers count: %v", faults)
	}
}

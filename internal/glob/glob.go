// Package glob helps with the patterns of filepath.Glob.
package glob

import "strings"

// Literal returns a pattern that matches a path literally, whatever characters it has.
func Literal(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// Commands lists the words of every command, depth first; the first is "", the program
// itself. What cobra says of each shell is left out.
func Commands() []string {
	root := newRoot(&app{})
	var all []string
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		all = append(all, strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), root.Name())))
		for _, child := range cmd.Commands() {
			if cmd.Name() != "completion" {
				walk(child)
			}
		}
	}
	walk(root)
	return all
}

package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/internal/near"
)

// didYouMean is `; did you mean "status"?` if one of the known words is similar to the typed
// word, or the only one that begins with it; "" if none is.
func didYouMean(typed string, known []string) string {
	var begins []string
	for _, word := range known {
		if typed != "" && strings.HasPrefix(word, typed) {
			begins = append(begins, word)
		}
	}
	meant := near.Word(typed, known)
	if len(begins) == 1 {
		meant = begins[0]
	} else if 2*near.Distance(typed, meant) > len(typed) {
		return "" // half of a short word may be another word
	}
	if meant == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", meant)
}

// knownCommand is the argument check of a command that only has subcommands.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], commandNames(cmd)))
}

// commandNames returns the names of a command's subcommands, without hidden ones.
func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() || child.Name() == "help" {
			names = append(names, child.Name())
		}
	}
	return names
}

// wordsOfType says what a flag of a type takes, "" for a type that takes any text.
func wordsOfType(name string) string {
	switch name {
	case "int":
		return "an integer"
	case "float64":
		return "a number"
	case "duration":
		return "a duration such as 30s or 5m"
	case "intSlice":
		return "integers, such as 8,16"
	case "bool":
		return "true or false"
	}
	return ""
}

// flagError makes a usage error of a flag that cannot be read.
func flagError(cmd *cobra.Command, err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		if allowed := wordsOfType(wrong.GetFlag().Value.Type()); allowed != "" {
			err = fmt.Errorf("--%s is %q; allowed: %s", wrong.GetFlag().Name, wrong.GetValue(), allowed)
		}
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden {
				names = append(names, "--"+flag.Name)
			}
		})
		err = fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
	}
	return usageError{cmd, err}
}

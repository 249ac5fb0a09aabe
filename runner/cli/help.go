package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/docs"
)

// newHelp is `headroom help`, for a command or a page of the documents. If a command and a
// page have the same name, the command comes first; NAME.md is always the page.
func newHelp(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "help on a command, or a page of the documents",
		Long:  "Topics: " + strings.Join(docs.Topics(), ", ") + ".\n\n`headroom help README` says what each is about; NAME.md is always the page.",
		Example: `  headroom help run
  headroom help sweeps`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, words
			}
			return withPrefix(helpWords(cmd.Root()), typed), words
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.help(cmd, args)
		},
	}
}

func (a *app) help(cmd *cobra.Command, args []string) error {
	root := cmd.Root()
	if len(args) == 0 {
		return root.Help()
	}
	found, rest, err := root.Find(args)
	if err == nil && len(rest) == 0 && found != root {
		found.InitDefaultHelpFlag() // so that help shows --help
		if err := found.Help(); err != nil {
			return failedError(err)
		}
		if _, page := docs.Page(args[0]); page && len(args) == 1 {
			fmt.Fprintf(a.stdout, "\nThe page of the documents: headroom help %s.md\n", args[0])
		}
		return nil
	}
	topic := strings.Join(args, " ")
	text, ok := docs.Page(strings.TrimSuffix(topic, ".md"))
	if !ok {
		return usage(cmd, fmt.Errorf("no command and no topic is called %q%s; topics are %s", topic, didYouMean(topic, helpWords(root)), strings.Join(docs.Topics(), ", ")))
	}
	if a.global.json {
		return a.printJSON(struct {
			Schema int    `json:"schema"`
			Topic  string `json:"topic"`
			Text   string `json:"text"` // Markdown
		}{schema, strings.TrimSuffix(topic, ".md"), text})
	}
	_, err = fmt.Fprint(a.stdout, text)
	return failedError(err)
}

// helpWords returns the names of the commands that help shows, and of the topics.
func helpWords(root *cobra.Command) []string {
	words := append(commandNames(root), docs.Topics()...)
	slices.Sort(words)
	return slices.Compact(words)
}

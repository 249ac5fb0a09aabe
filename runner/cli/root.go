package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// globalOptions are the flags that every command has.
type globalOptions struct {
	workspace string // "" means HEADROOM_WORKSPACE, else ./headroom-runs
	json      bool
	quiet     bool
	noColor   bool
}

// The groups in which help lists the commands.
const (
	groupSweeps = "sweeps"
	groupSteps  = "steps"
	groupStore  = "store"
)

// newRoot builds the tree of commands around one invocation.
func newRoot(a *app) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "headroom COMMAND",
		Short: "train and compare SPLADE models with differently scaled MLM heads",
		Long: `headroom trains SPLADE models from one sweep file, detects collapse and shows when and
how it happened, evaluates the models and BM25, and writes the report.

SWEEP is a file, the name of a sweep in the workspace, or an embedded experiment.
RUN is a unique prefix of a run's id or of its label.
MODEL is a folder, a name on the hub, or a RUN.

"headroom help TOPIC" shows a page of the documents, "headroom help README" lists them.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return a.printVersion()
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&version, "version", false, "the version, and what this binary was built from")
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.global.workspace, "workspace", "w", "", "`DIR` of runs and results (default $HEADROOM_WORKSPACE, else ./headroom-runs)")
	flags.BoolVar(&a.global.json, "json", false, "print one JSON document (run: JSON lines) instead of text")
	flags.BoolVar(&a.global.quiet, "quiet", false, "no progress and no notices on standard error")
	flags.BoolVar(&a.global.noColor, "no-color", false, "no colours, on a terminal too")

	root.AddGroup(
		&cobra.Group{ID: groupSweeps, Title: "Sweeps:"},
		&cobra.Group{ID: groupSteps, Title: "Single steps, for your own files and models:"},
		&cobra.Group{ID: groupStore, Title: "Store and program:"},
	)
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{groupSweeps, []*cobra.Command{
			newPlan(a), newPrepare(a), newRun(a), newSubmit(a), newCancel(a), newStatus(a), newShow(a), newDiff(a), newServe(a), newReport(a), newClaims(a), newJudge(a), newExport(a), newPretrain(a),
		}},
		{groupSteps, []*cobra.Command{
			newTokenize(a), newEncode(a), newIndex(a), newSearch(a), newVectors(a), newEvaluate(a), newMine(a), newProbe(a),
		}},
		{groupStore, []*cobra.Command{
			newData(a), newQuery(a), newDB(a), newGC(a), newUnlock(a), newAlert(a), newDoctor(a), newVersion(a),
		}},
		{"", []*cobra.Command{newWorker(a), newEqualCost(a), newTask(a)}},
	} {
		for _, command := range group.commands {
			command.GroupID = group.id
			root.AddCommand(command)
		}
	}
	cobra.EnableCommandSorting = false
	root.SetHelpCommandGroupID(groupStore)
	root.SetHelpCommand(newHelp(a))
	root.SetCompletionCommandGroupID(groupStore)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" { // cobra's takes any word
			cmd.Args, cmd.RunE = knownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	root.SetUsageTemplate(usageTemplate())
	completeArguments(a, root)
	wrapArguments(root)
	return root
}

// usageTemplate is cobra's, with the exit codes at the end of the root's help.
func usageTemplate() string {
	return `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if .Groups}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{else}}

Commands:{{range $cmds}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if not .HasParent}}

` + strings.TrimRight(exitHelp(), "\n") + `{{end}}
`
}

// usageError is the error of a wrong command line. It names the command whose help
// shows how to write it.
type usageError struct {
	cmd *cobra.Command
	err error
}

func (e usageError) Error() string {
	text := fmt.Sprintf("%v\nusage: %s", e.err, e.cmd.UseLine())
	if e.cmd.HasParent() {
		text = e.cmd.Name() + ": " + text
	}
	return text
}

func (e usageError) Unwrap() error { return e.err }

// usage makes a usageError of the faults, or returns nil without any.
func usage(cmd *cobra.Command, faults ...error) error {
	if err := errors.Join(faults...); err != nil {
		return usageError{cmd, err}
	}
	return nil
}

// wrapArguments turns errors of the commands' argument checks into usage errors.
func wrapArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{cmd, err}
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		wrapArguments(child)
	}
}

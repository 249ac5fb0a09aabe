package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/data/tokenize"
	"headroom/reports/compare"
	"headroom/reports/incident"
	"headroom/reports/serve"
	"headroom/runner/plan"
	"headroom/runner/workspace"
)

// documents makes the JSON documents of commands for the live page.
type documents struct{ a *app }

// appFor returns an invocation of the program for one workspace, without output.
func (d documents) appFor(root string) *app {
	a := *d.a
	a.global.workspace, a.global.quiet = root, true
	a.stdout, a.stderr = io.Discard, io.Discard
	return &a
}

func (d documents) Status(ctx context.Context, root, sweep string, only []string) (any, error) {
	a := d.appFor(root)
	shown, err := memberOptions{only: only}.members(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", serve.ErrArgument, err)
	}
	w, err := a.openWorkspace()
	if err != nil {
		return nil, pageError(err)
	}
	var named []string
	if sweep != "" {
		named = []string{sweep}
	}
	list, err := a.sweepNames(w, named)
	if err != nil {
		return nil, pageError(err)
	}
	return a.readStatus(ctx, w, list, shown, false, nil)
}

func (d documents) Show(_ context.Context, root, run string) (any, error) {
	info, err := d.appFor(root).infoOf(run)
	if err != nil {
		return nil, err
	}
	return newShowDocument(info), nil
}

// infoOf reads a run by its id or label.
func (a *app) infoOf(run string) (runInfo, error) {
	w, err := a.openWorkspace()
	if err != nil {
		return runInfo{}, pageError(err)
	}
	ref, err := findRun(w, run)
	if err != nil {
		return runInfo{}, pageError(err)
	}
	return a.readRun(w, ref)
}

func (d documents) Diff(ctx context.Context, root, first, second string, queries bool) (any, error) {
	a := d.appFor(root)
	x, err := a.infoOf(first)
	if err != nil {
		return nil, err
	}
	y, err := a.infoOf(second)
	if err != nil {
		return nil, err
	}
	return a.newDiffDocument(ctx, x, y, queries)
}

// pageError gives an error the kind that the page answers with.
func pageError(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, workspace.ErrNone) || errors.Is(err, errNoRun) {
		return fmt.Errorf("%w: %w", serve.ErrNotFound, err)
	}
	return fmt.Errorf("%w: %w", serve.ErrArgument, err)
}

// shownTerms is the number of terms of a text that the page shows.
const shownTerms = 40

// terms encodes a text with a run's model in a process of its own, on one CPU, so that it does
// not disturb training.
func (a *app) terms(ctx context.Context, root, run, text string, query bool) ([]serve.Term, error) {
	w, err := workspace.Open(root)
	if err != nil {
		return nil, err
	}
	config, _, err := w.ReadRun(run)
	if err != nil {
		return nil, err
	}
	length := config.Data.MaxDocument
	args := []string{"encode", run, "--input", "-", "--output", "-", "--backend", "go", "--threads", "1", "--top-k", strconv.Itoa(shownTerms)}
	if query {
		args, length = append(args, "--query"), config.Data.MaxQuery
	}
	row, err := json.Marshal(struct {
		ID   string `json:"_id"`
		Text string `json:"text"`
	}{"text", text})
	if err != nil {
		return nil, err
	}
	out, err := a.child(ctx, root, row, append(args, "--max-length", strconv.Itoa(length))...)
	if err != nil {
		return nil, err
	}
	var line struct {
		Vector map[string]float64 `json:"vector"`
	}
	if err := json.Unmarshal(out, &line); err != nil {
		return nil, fmt.Errorf("read vector: %w", err)
	}
	tokenizer, err := tokenize.Open(plan.ModelFolder(w.Run(run)))
	if err != nil {
		return nil, err
	}
	list := []serve.Term{}
	for id, weight := range line.Vector {
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil || n < 0 || int(n) >= tokenizer.VocabSize() {
			list = append(list, serve.Term{Text: "#" + id, Weight: weight})
			continue
		}
		list = append(list, serve.Term{Text: tokenizer.Tokens([]int32{int32(n)})[0], Weight: weight})
	}
	slices.SortFunc(list, func(x, y serve.Term) int {
		if x.Weight != y.Weight {
			return map[bool]int{true: -1, false: 1}[x.Weight > y.Weight]
		}
		return strings.Compare(x.Text, y.Text)
	})
	return list, nil
}

// childOutput bounds the output of a child process.
const childOutput = 4 << 20

// child runs this program and returns its output. An error has the program's message.
func (a *app) child(ctx context.Context, root string, input []byte, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, a.env.Executable, append([]string{"--quiet", "-w", root}, args...)...)
	command.Env = append(slices.Clone(a.env.Environ), "CUDA_VISIBLE_DEVICES=-1")
	command.WaitDelay = time.Second
	command.Stdin = bytes.NewReader(input)
	out, complaint := &capped{}, &capped{}
	command.Stdout, command.Stderr = out, complaint
	err := command.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("it took too long and was ended: %w", context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("%s (%w)", strings.TrimSpace(complaint.String()), err)
	case out.full:
		return nil, fmt.Errorf("it printed more than %d bytes", childOutput)
	}
	return out.Bytes(), nil
}

// capped keeps a child's output up to a bound.
type capped struct {
	bytes.Buffer
	full bool
}

func (c *capped) Write(b []byte) (int, error) {
	if c.Len()+len(b) > childOutput {
		c.full = true
		return len(b), nil
	}
	return c.Buffer.Write(b)
}

// equalCostAnswer lets a child process compute the comparison of a sweep at equal cost,
// because the values of every query may take more memory than the page should use.
func (a *app) equalCostAnswer(ctx context.Context, root, sweep string) ([]string, error) {
	out, err := a.child(ctx, root, nil, "equal-cost", "--", sweep)
	if err != nil {
		return nil, err
	}
	var d equalCostDocument
	return d.Answer, json.Unmarshal(out, &d)
}

type equalCostDocument struct {
	Schema int      `json:"schema"`
	Answer []string `json:"answer"`
}

// newEqualCost is the command that the live page starts for this.
func newEqualCost(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "equal-cost SWEEP", Short: "the comparison of a sweep at equal cost, as JSON", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.openOwnStore(cmd.Context())
			if err != nil {
				return err
			}
			defer s.Close()
			input, err := compare.LoadScores(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			c, err := compare.Compare(input)
			if err != nil {
				return err
			}
			return a.printJSON(equalCostDocument{schema, append([]string{}, c.Answer...)})
		},
	}
}

// incidentPage describes how a run collapsed, as `show --incident` does. The whole of its
// logs is read for that, in another process.
func (a *app) incidentPage(ctx context.Context, root, run string) (incident.Page, error) {
	out, err := a.child(ctx, root, nil, "show", run, "--incident", "--json")
	if err != nil {
		return incident.Page{}, fmt.Errorf("%w: %w", serve.ErrArgument, err)
	}
	var d incidentDocument
	if err := json.Unmarshal(out, &d); err != nil {
		return incident.Page{}, fmt.Errorf("read incident: %w", err)
	}
	return d.Page, nil
}

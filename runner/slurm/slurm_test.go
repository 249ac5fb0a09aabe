package slurm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/runner/slurm"
)

func TestWhatSbatchPrints(t *testing.T) {
	for text, want := range map[string]string{
		"123\n": "123", "123;cluster\n": "123", "Submitted batch job 77\n": "77",
		"Your project has 12 hours left\nSubmitted batch job 78 on cluster c3\n": "78",
		"site: 3 jobs in the queue\n901\n":                                       "901",
		"wrapper 2.1: job is 55":                                                 "55",
		"":                                                                       "", "no job": "",
	} {
		got, err := slurm.ParseSubmitted(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestIndices(t *testing.T) {
	for text, want := range map[string][]int{
		"0-3": {0, 1, 2, 3}, "3,17,40": {3, 17, 40}, "1-9:2%3": {1, 3, 5, 7, 9}, "01-03": {1, 2, 3}, "4,4,5": {4, 5}, "7%0": {7},
		"": nil, "x": nil, "3-1": nil, "1-9:0": nil, "-1": nil, "1-99999999": nil, // errors
	} {
		got, err := slurm.ParseIndices(text)
		if (err != nil) != (want == nil) || err == nil && !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestQueueRows(t *testing.T) {
	rows, err := slurm.ParseQueue(`2_1|RUNNING|None|n1|1795953054|1795953174
2_0|COMPLETED|None|n1|1795953054|1795953060
7_[2-3,5%2]|PENDING|Resources||N/A|N/A
7_3|PENDING|JobArrayTaskLimit||N/A|N/A
9|CANCELLED by 0|(null)|(null)|NONE|NONE
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []slurm.Row{
		{Task: slurm.Task{Array: "2", Index: 1}, State: "RUNNING", Node: "n1", Start: time.Unix(1795953054, 0), End: time.Unix(1795953174, 0)},
		{Task: slurm.Task{Array: "2", Index: 0}, State: "COMPLETED", Node: "n1", Start: time.Unix(1795953054, 0), End: time.Unix(1795953060, 0)},
		{Task: slurm.Task{Array: "7", Index: 2}, State: "PENDING", Reason: "Resources"},
		{Task: slurm.Task{Array: "7", Index: 3}, State: "PENDING", Reason: "JobArrayTaskLimit"}, // its own row counts more
		{Task: slurm.Task{Array: "7", Index: 5}, State: "PENDING", Reason: "Resources"},
		{Task: slurm.Task{Array: "9", Index: -1}, State: "CANCELLED"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("rows are\n%+v\nwant\n%+v", rows, want)
	}
	// The other order: a range after the task's own row does not replace it.
	rows, err = slurm.ParseQueue("7_3|RUNNING|None|n2|N/A|N/A\n7_[2-3]|PENDING|Resources||N/A|N/A\n")
	if err != nil || len(rows) != 2 || rows[0].State != "RUNNING" {
		t.Errorf("rows are %+v, %v", rows, err)
	}
	for _, bad := range []string{"JOBID|STATE\n", "slurm_load_jobs error\n", "2_x|RUNNING|None|n1|1|2\n"} {
		if _, err := slurm.ParseQueue(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestAccountingRows(t *testing.T) {
	rows, err := slurm.ParseAccounting(`2_0|REQUEUED|0:0|1795953054|1795953060|n1
2_0|FAILED|3:0|1795953070|1795953080|n2
2_1|CANCELLED by 0|0:15|1795953054|Unknown|None assigned
2_2|OUT_OF_MEMORY|0:125|Unknown|Unknown|n1
`)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v, %v", rows, err)
	}
	if r := rows[1]; r.Code != 3 || r.Signal != 0 || r.Node != "n2" || r.State != "FAILED" {
		t.Errorf("second attempt: %+v", r)
	}
	if r := rows[2]; r.State != "CANCELLED" || r.Signal != 15 || r.Node != "" || !r.End.IsZero() {
		t.Errorf("cancelled: %+v", r)
	}
}

func TestStates(t *testing.T) {
	for state, want := range map[slurm.State]string{
		"PENDING": "waits", "REQUEUED": "waits", "REQUEUE_HOLD": "waits", "RUNNING": "goes on", "COMPLETING": "goes on", "SUSPENDED": "goes on",
		"STAGE_OUT": "goes on", "A_WORD_OF_TOMORROW": "goes on",
		"COMPLETED": "over", "FAILED": "over", "TIMEOUT": "over", "NODE_FAIL": "over", "OUT_OF_MEMORY": "over", "DEADLINE": "over", "BOOT_FAIL": "over",
	} {
		got := "goes on"
		if state.Over() {
			got = "over"
		} else if state.Waiting() {
			got = "waits"
		}
		if got != want {
			t.Errorf("%s %s, want %s", state, got, want)
		}
	}
	if slurm.State("TIMEOUT").Cause() != "the time limit" || slurm.State("FAILED").Cause() != "" {
		t.Error("causes")
	}
}

func TestSiteSettings(t *testing.T) {
	site := slurm.ParseSite("MaxArraySize            = 5\nMaxJobCount             = 10000\n", "main*|1:00:00\nlong|7-00:00:00\nfree|infinite\n")
	want := slurm.Site{MaxArraySize: 5, Partitions: []slurm.Partition{{Name: "main", Default: true, Limit: time.Hour}, {Name: "long", Limit: 7 * 24 * time.Hour}, {Name: "free"}}}
	if !reflect.DeepEqual(site, want) {
		t.Errorf("site is %+v, want %+v", site, want)
	}
}

// stub is a client whose commands are shell scripts.
func stub(t *testing.T, scripts map[string]string) slurm.Client {
	t.Helper()
	folder := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return slurm.Client{Environ: []string{"PATH=" + folder + ":/usr/bin:/bin", "SLURM_CONF=/etc/x", "SQUEUE_USERS=other", "SBATCH_TIMELIMIT=1", "SLURM_JOB_ID=4", "SLURM_TIME_FORMAT=relative"}, Timeout: time.Minute}
}

func TestCommandsRunInACleanEnvironment(t *testing.T) {
	c := stub(t, map[string]string{"squeue": `env | grep -E '^S(LURM|QUEUE|BATCH)' | sort | tr '\n' ' ' >&2; exit 1`})
	_, err := c.Queue(context.Background(), []string{"1"})
	if err == nil || !strings.Contains(err.Error(), "squeue: SLURM_BITSTR_LEN=0 SLURM_CONF=/etc/x SLURM_TIME_FORMAT=%s") {
		t.Errorf("the environment is %v", err)
	}
}

func TestWhatCommandsSayBecomesAnError(t *testing.T) {
	for _, c := range []struct {
		said string
		want error
	}{
		{"sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", slurm.ErrUnreachable},
		{"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", slurm.ErrUnreachable},
		{"sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", slurm.ErrLimit},
	} {
		client := stub(t, map[string]string{"sbatch": "cat >&2 <<'X'\n" + c.said + "\nX\nexit 1\n"})
		if _, err := client.Submit(t.Context(), "x.sh"); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.said, err, c.want)
		}
	}
	client := stub(t, map[string]string{
		"sbatch": "echo 'sbatch: error: invalid partition specified: x' >&2; echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1",
		"sacct":  "echo 'Slurm accounting storage is disabled' >&2; exit 1",
		"squeue": "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
	})
	var refused *slurm.Refusal
	if _, err := client.Submit(t.Context(), "x.sh"); !errors.As(err, &refused) || err.Error() != "sbatch: invalid partition specified: x; Batch job submission failed: Invalid partition name specified" {
		t.Errorf("a refusal: %v", err)
	}
	if _, err := client.Accounting(t.Context(), []string{"1"}); !errors.Is(err, slurm.ErrNoAccounting) {
		t.Errorf("no accounting: %v", err)
	}
	if rows, err := client.Queue(t.Context(), []string{"1"}); err != nil || len(rows) != 0 {
		t.Errorf("a single job that is not known: %v, %v", rows, err)
	}
	nowhere := slurm.Client{Environ: []string{"PATH=" + t.TempDir()}}
	if err := nowhere.Cancel(t.Context(), "1"); !errors.Is(err, slurm.ErrNone) {
		t.Errorf("a command that is not there: %v", err)
	}
	slow := stub(t, map[string]string{"squeue": "sleep 20"})
	slow.Timeout = 100 * time.Millisecond
	if _, err := slow.Queue(t.Context(), []string{"1"}); !errors.Is(err, slurm.ErrUnreachable) {
		t.Errorf("a command that takes too long: %v", err)
	}
}

func TestAJobIsFoundByItsName(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	for what, c := range map[string]struct {
		squeue, sacct, want string
	}{
		"in the queue":          {"echo 12; echo 12", "exit 1", "12"},
		"in the accounting":     {"true", `[ "$6" = 2026-01-02T02:04:05 ] && echo 13_0`, "13"},
		"nowhere":               {"true", "true", ""},
		"without an accounting": {"true", "echo 'Slurm accounting storage is disabled' >&2; exit 1", ""},
	} {
		client := stub(t, map[string]string{"squeue": c.squeue, "sacct": c.sacct})
		if id, err := client.Find(t.Context(), "headroom-x", since); err != nil || id != c.want {
			t.Errorf("%s: %q, %v; want %q", what, id, err, c.want)
		}
	}
	client := stub(t, map[string]string{"squeue": "echo 'Unable to contact slurm controller' >&2; exit 1", "sacct": "echo 13"})
	if _, err := client.Find(t.Context(), "headroom-x", since); !errors.Is(err, slurm.ErrUnreachable) {
		t.Errorf("while the controller is away: %v", err)
	}
}

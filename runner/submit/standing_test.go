package submit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/runner/slurm"
	"headroom/runner/submit"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// attempt is a record of a task; state "" is an attempt without a recorded end.
func attempt(t *testing.T, sub submit.Submission, index, restart int, state, why string) {
	t.Helper()
	r, err := sub.Begin(submit.Record{Array: "runs0", Index: index, Restart: restart, Node: "n1", Started: start})
	if err != nil {
		t.Fatal(err)
	}
	if state != "" {
		ended, code := start.Add(time.Minute), 1
		r.State, r.Why, r.Ended, r.Exit = state, why, &ended, &code
		if err := sub.Keep(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhereATaskStands(t *testing.T) {
	type said struct{ state, why string }
	row := func(state slurm.State, change ...func(*slurm.Row)) *slurm.Row {
		r := &slurm.Row{Task: slurm.Task{Array: "102", Index: 0}, State: state, Node: "n2"}
		for _, c := range change {
			c(r)
		}
		return r
	}
	code := func(c, s int) func(*slurm.Row) { return func(r *slurm.Row) { r.Code, r.Signal = c, s } }
	because := func(why string) func(*slurm.Row) { return func(r *slurm.Row) { r.Reason, r.Node = why, "" } }
	for name, c := range map[string]struct {
		records     []said
		queue, past *slurm.Row
		silent      bool
		log         string
		want        submit.TaskState
		why         string
		died        bool
		after       time.Duration // since its submission
	}{
		"it waits, and Slurm says why":                   {queue: row("PENDING", because("QOSMaxGRESPerUser")), want: submit.Waiting, why: "QOSMaxGRESPerUser"},
		"Slurm holds it for good":                        {records: []said{{"", ""}}, queue: row("PENDING", because("launch failed requeued held")), want: submit.Ended, why: "Slurm could not start it and holds it (launch failed requeued held)", died: true},
		"a user holds it":                                {queue: row("PENDING", because("JobHeldUser")), want: submit.Waiting, why: "JobHeldUser"},
		"its own words are not the end":                  {records: []said{{"", ""}}, log: "headroom: attempt 1 of task 6_2 on n1\n", want: submit.Ended, why: "ended without a word", died: true},
		"it was queued again":                            {records: []said{{"requeued", ""}}, queue: row("PENDING", because("BeginTime")), want: submit.Waiting, why: "BeginTime"},
		"it runs":                                        {records: []said{{"", ""}}, queue: row("RUNNING"), want: submit.Working},
		"it comes to an end":                             {records: []said{{"requeued", ""}}, queue: row("COMPLETING"), want: submit.Working},
		"a word of a later Slurm is not an end":          {records: []said{{"", ""}}, queue: row("EXPEDITING"), want: submit.Working},
		"its record says done, whatever Slurm says":      {records: []said{{"done", ""}}, queue: row("PENDING"), want: submit.Ended},
		"its record says failed":                         {records: []said{{"failed", "no data"}}, queue: row("COMPLETING"), want: submit.Ended, why: "no data"},
		"the controller is away":                         {records: []said{{"", ""}}, silent: true, past: row("RUNNING"), want: submit.Unknown, why: "ask again"},
		"the controller is away and the record is ended": {records: []said{{"done", ""}}, silent: true, want: submit.Ended},
		"it reached its time limit":                      {records: []said{{"", ""}}, queue: row("TIMEOUT"), want: submit.Ended, why: "died of the time limit", died: true},
		"its node failed, and squeue has forgotten":      {records: []said{{"", ""}}, past: row("NODE_FAIL"), want: submit.Ended, why: "died of a failure of its node", died: true},
		"sacct is behind":                                {records: []said{{"", ""}}, past: row("RUNNING"), want: submit.Ended, why: "ended without a word", died: true},
		"memory, by cgroups":                             {records: []said{{"", ""}}, queue: row("OUT_OF_MEMORY"), want: submit.Ended, why: "died of memory", died: true},
		"memory, without":                                {records: []said{{"", ""}}, queue: row("FAILED"), log: "slurmstepd-n1: error: Exceeded job memory limit\nslurmstepd-n1: error: *** JOB 31 ON n1 CANCELLED AT 2026-11-29T13:20:48 ***\n", want: submit.Ended, why: "died of memory", died: true},
		"the log says the time limit, nobody else does":  {records: []said{{"", ""}}, log: "start   x\nslurmstepd: error: *** JOB 3 ON n1 CANCELLED AT 2026-01-02T03:04:05 DUE TO TIME LIMIT ***\n", want: submit.Ended, why: "died of the time limit", died: true},
		"cancelled by hand":                              {records: []said{{"", ""}}, log: "slurmstepd: error: *** JOB 3 ON n1 CANCELLED AT 2026-01-02T03:04:05 ***\n", want: submit.Ended, why: "died of being cancelled", died: true},
		"killed by a signal":                             {records: []said{{"", ""}}, past: row("FAILED", code(0, 9)), log: "start   x\n", want: submit.Ended, why: "was killed by signal 9", died: true},
		"the log's folder is not there":                  {past: row("FAILED", code(0, 53)), want: submit.Ended, why: "could not write its log on n2", died: true},
		"the node cannot run the program":                {past: row("FAILED", code(126, 0)), log: "headroom: node n2 cannot run /x: Exec format error\n", want: submit.Ended, why: "ended before its work began: node n2 cannot run /x: Exec format error", died: true},
		"it is too new to be seen":                       {after: 10 * time.Second, want: submit.Waiting},
		"it was cancelled while it waited":               {after: 2 * time.Minute, want: submit.Ended, why: "is gone and never began", died: true},
		"it was queued again and then cancelled":         {records: []said{{"requeued", ""}}, queue: row("CANCELLED"), want: submit.Ended, why: "ended by being cancelled"},
		"preempted where that cancels":                   {records: []said{{"interrupted", "TERM"}}, queue: row("PREEMPTED"), want: submit.Ended, why: "TERM"},
		"preempted where that queues again":              {records: []said{{"interrupted", "TERM"}}, queue: row("PENDING", because("BeginTime")), want: submit.Waiting, why: "BeginTime"},
	} {
		t.Run(name, func(t *testing.T) {
			sub := created(t)
			s, _ := sender(&cluster{})
			if err := s.Send(t.Context(), &sub); err != nil {
				t.Fatal(err)
			}
			for i, r := range c.records {
				attempt(t, sub, 0, i, r.state, r.why)
			}
			if c.log != "" {
				if err := os.WriteFile(sub.Log("runs0", 0), []byte(c.log), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tasks, err := submit.Tasks([]submit.Submission{sub})
			if err != nil {
				t.Fatal(err)
			}
			var answers submit.Answers
			if c.queue != nil {
				answers.Queue = []slurm.Row{*c.queue}
			}
			if c.past != nil {
				answers.Past = []slurm.Row{*c.past}
			}
			if c.silent {
				answers.Silent = errors.New("away")
			}
			if c.after == 0 {
				c.after = time.Hour
			}
			for _, got := range submit.Judge(tasks, answers, start.Add(c.after)) {
				if got.Array.Name != "runs0" || got.Index != 0 {
					continue
				}
				if got.State != c.want || got.Died != c.died || !strings.Contains(got.Why, c.why) || c.why == "" && got.Why != "" {
					t.Errorf("it is %s (%q), died %v; want %s (%q), died %v", got.State, got.Why, got.Died, c.want, c.why, c.died)
				}
				if lives := got.State != submit.Ended; got.Lives() != lives {
					t.Errorf("lives is %v", got.Lives())
				}
			}
		})
	}
}

func TestRecordsOfTwoLiveAttemptsAreApart(t *testing.T) {
	sub := created(t)
	attempt(t, sub, 1, 0, "", "")
	attempt(t, sub, 1, 1, "done", "")
	records, err := sub.Records("runs0", 1)
	if err != nil || len(records) != 2 || records[0].State != submit.Running || records[1].State != submit.Done {
		t.Fatalf("%+v, %v", records, err)
	}
	old := records[0] // the older one ends late
	old.State = submit.Failed
	if err := sub.Keep(old); err != nil {
		t.Fatal(err)
	}
	if records, err = sub.Records("runs0", 1); err != nil || records[1].State != submit.Done {
		t.Errorf("%+v, %v", records, err)
	}
	// A record that was torn is left out, and its number is not taken again.
	if err := os.WriteFile(filepath.Join(sub.Folder, "tasks", "runs0-1", "2.json"), []byte(`{"state":"failed"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	attempt(t, sub, 1, 2, "", "")
	if records, err = sub.Records("runs0", 1); err != nil || len(records) != 2 || records[1].Attempt != 3 {
		t.Errorf("%+v, %v", records, err)
	}
}

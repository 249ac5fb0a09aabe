package submit

import (
	"io"
	"os"
	"strings"
)

// tail holds the facts about a task's death at the end of its log.
type tail struct {
	there bool
	// cause is the reason that Slurm's daemon gives for killing it; "" if it gives none.
	cause string
	// said is the last line of the program or the script; "" if there is none.
	said string
	// kill is the line of Slurm's daemon about the kill.
	kill string
}

const tailBytes = 1 << 14

// logTail reads the end of a task's log. A log that cannot be read gives an empty tail.
func (s Submission) logTail(array string, index int) tail {
	file, err := os.Open(s.Log(array, index))
	if err != nil {
		return tail{}
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return tail{}
	} else if info.Size() > tailBytes {
		if _, err := file.Seek(-tailBytes, io.SeekEnd); err != nil {
			return tail{}
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, tailBytes))
	if err != nil {
		return tail{}
	}
	return readTail(string(text))
}

func readTail(text string) tail {
	t := tail{there: true}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "slurmstepd"): // "slurmstepd-n1:" on some
			t.kill += line + "\n"
			if cause := causeOf(line); cause != "" {
				t.cause = cause
			}
		case strings.HasPrefix(line, "headroom: "):
			t.said = strings.TrimPrefix(line, "headroom: ")
		}
	}
	return t
}

// causeOf reads why Slurm's daemon killed a job: "*** JOB 3 ON n1 CANCELLED AT … DUE TO TIME LIMIT ***".
func causeOf(line string) string {
	upper := strings.ToUpper(line)
	for _, c := range []struct{ mark, cause string }{
		{"DUE TO TIME LIMIT", "the time limit"},
		{"DUE TO NODE FAILURE", "a failure of its node"},
		{"DUE TO PREEMPTION", "preemption by another job"},
		{"DUE TO JOB REQUEUE", ""},
		{"CANCELLED AT", "being cancelled"},
	} {
		if strings.Contains(upper, c.mark) {
			return c.cause
		}
	}
	return ""
}

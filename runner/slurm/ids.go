package slurm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Task names one task of an array in the form of Slurm's commands: 123_4. It is never the
// raw job id, because the last task of an array has the array's own id.
type Task struct {
	Array string // the array's job id, digits
	Index int    // -1 for a job that is no array
}

func (t Task) String() string {
	if t.Index < 0 {
		return t.Array
	}
	return t.Array + "_" + strconv.Itoa(t.Index)
}

// mostIndex bounds the indices of a range; Slurm's own limit is 4,000,001.
const mostIndex = 4_000_001

// parseTasks reads a job's name in squeue and sacct: 123, 123_4, 123_[2-5%2], 123_[1,3,5].
// ranged is true for a range of tasks that have no rows of their own yet.
func parseTasks(text string) (tasks []Task, ranged, ok bool) {
	array, rest, isArray := strings.Cut(text, "_")
	if !isDigits(array) {
		return nil, false, false
	}
	if !isArray {
		return []Task{{array, -1}}, false, true
	}
	inner, ranged := strings.CutPrefix(rest, "[")
	if !ranged {
		n, err := strconv.Atoi(rest)
		return []Task{{array, n}}, false, err == nil && n >= 0 && isDigits(rest)
	}
	indices, err := ParseIndices(strings.TrimSuffix(inner, "]"))
	if err != nil {
		return nil, true, false
	}
	for _, n := range indices {
		tasks = append(tasks, Task{array, n})
	}
	return tasks, true, true
}

// isDigits reports whether a text is one or more decimal digits.
func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// ParseIndices reads a list of indices such as 1-9:2,12%3, sorted and without repetition.
func ParseIndices(text string) ([]int, error) {
	list, _, _ := strings.Cut(text, "%")
	var indices []int
	for part := range strings.SplitSeq(list, ",") {
		span, stepText, hasStep := strings.Cut(part, ":")
		firstText, lastText, hasLast := strings.Cut(span, "-")
		first, err := strconv.Atoi(firstText)
		last, step := first, 1
		if err == nil && hasLast {
			last, err = strconv.Atoi(lastText)
		}
		if err == nil && hasStep {
			step, err = strconv.Atoi(stepText)
		}
		if err != nil || first < 0 || last < first || step < 1 || last > mostIndex {
			return nil, fmt.Errorf("read array indices %q: allowed: numbers and ranges such as 1-9:2,12", text)
		}
		for n := first; n <= last; n += step {
			indices = append(indices, n)
		}
	}
	slices.Sort(indices)
	return slices.Compact(indices), nil
}

var (
	parsable  = regexp.MustCompile(`^([0-9]+)(?:;\S+)?$`)
	submitted = regexp.MustCompile(`[Ss]ubmitted batch job ([0-9]+)`)
	number    = regexp.MustCompile(`[0-9]+`)
)

// ParseSubmitted finds the job's id in the output of sbatch --parsable: "id" or "id;cluster".
// In the output of a site's wrapper around sbatch it takes the last number.
func ParseSubmitted(text string) (string, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range slices.Backward(lines) {
		if m := parsable.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			return m[1], nil
		}
	}
	if all := submitted.FindAllStringSubmatch(text, -1); len(all) > 0 {
		return all[len(all)-1][1], nil
	}
	if all := number.FindAllString(text, -1); len(all) > 0 {
		return all[len(all)-1], nil
	}
	return "", fmt.Errorf("read the answer of sbatch: no job's id in %q", text)
}

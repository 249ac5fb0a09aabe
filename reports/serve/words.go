package serve

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/metrics/record"
	"headroom/reports/compare"
	"headroom/reports/live"
)

// shortKey returns the last part of a key, if that is its usual name.
func shortKey(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// numberOf returns a setting as a number; NaN if it is none.
func numberOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// verdicts counts the verdicts of a group: "healthy", or "2 healthy, 1 empty".
func verdicts(g []*live.Run) string { return wordCounts(g, verdictOf) }

func states(g []*live.Run) string { return wordCounts(g, func(r *live.Run) string { return r.State }) }

func wordCounts(g []*live.Run, word func(*live.Run) string) string {
	var order []string
	n := map[string]int{}
	for _, r := range g {
		w := word(r)
		if n[w] == 0 {
			order = append(order, w)
		}
		n[w]++
	}
	if len(order) == 1 {
		return order[0]
	}
	slices.Sort(order)
	for i, w := range order {
		order[i] = fmt.Sprintf("%d %s", n[w], w)
	}
	return strings.Join(order, ", ")
}

func progressOf(g []*live.Run) (done, total int) {
	for _, r := range g {
		d, t := progress(r)
		done, total = done+d, total+t
	}
	return done, total
}

// progress returns the number of done steps, and of all. A run that ended early has no more
// steps.
func progress(r *live.Run) (done, total int) {
	if r.State == record.StateDone {
		return max(r.Total, r.Done), max(r.Total, r.Done)
	}
	return r.Done, r.Total
}

func eta(g []*live.Run) time.Duration {
	var longest time.Duration
	for _, r := range g {
		longest = max(longest, r.ETA)
	}
	return longest
}

func seconds(g []*live.Run) float64 {
	var sum float64
	for _, r := range g {
		sum += r.Seconds
	}
	return sum
}

func heard(g []*live.Run) time.Time {
	var last time.Time
	for _, r := range g {
		if r.Heard.After(last) {
			last = r.Heard
		}
	}
	return last
}

// figuresOf returns the values of a group's runs that did not collapse; if all collapsed,
// those of all.
func figuresOf(g []*live.Run, f live.Figure) []float64 {
	var healthy, all []float64
	for _, r := range g {
		v := r.Figure(f)
		if math.IsNaN(v) {
			continue
		}
		all = append(all, v)
		if r.Collapsed() == "" {
			healthy = append(healthy, v)
		}
	}
	if len(healthy) > 0 {
		return healthy
	}
	return all
}

func meanOf(g []*live.Run, f live.Figure) float64 {
	values := figuresOf(g, f)
	if len(values) == 0 {
		return math.NaN()
	}
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// figureText returns a figure of a run, or the mean of a group with its range and number of
// runs.
func figureText(g []*live.Run, f live.Figure) string {
	values := figuresOf(g, f)
	if len(values) == 0 {
		return "–"
	}
	text := number(f, meanOf(g, f))
	if len(g) == 1 {
		return text
	}
	return fmt.Sprintf("%s (%s–%s, n=%d)", text, number(f, slices.Min(values)), number(f, slices.Max(values)), len(values))
}

func number(f live.Figure, v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if f.Cost() {
		return compare.Quantity(v)
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// duration writes a time for people: "45 s", "12 min", "3 h 10 min"; "–" for none.
func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(math.Ceil(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(math.Round(d.Minutes())))
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// ago returns how long ago something was, in words.
func ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case then.IsZero():
		return "never"
	case d < 5*time.Second:
		return "just now"
	default:
		return duration(d) + " ago"
	}
}

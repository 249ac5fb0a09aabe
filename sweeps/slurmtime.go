package sweeps

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var slurmTime = regexp.MustCompile(`^(?:([0-9]{1,4})-)?([0-9]{1,6}(?::[0-9]{1,6}){0,2})$`)

// SlurmTime reads a time limit as sbatch does: minutes, minutes:seconds,
// hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds.
func SlurmTime(text string) (time.Duration, error) {
	parts := slurmTime.FindStringSubmatch(text)
	if parts == nil {
		return 0, errors.New("is not a time limit")
	}
	var numbers []int
	for _, part := range strings.Split(parts[2], ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, errors.New("is not a time limit")
		}
		numbers = append(numbers, n)
	}
	units := []time.Duration{time.Hour, time.Minute, time.Second}
	limit := time.Duration(0)
	if parts[1] != "" {
		days, err := strconv.Atoi(parts[1])
		if err != nil {
			return 0, errors.New("is not a time limit")
		}
		limit = time.Duration(days) * 24 * time.Hour
	} else if len(numbers) < 3 { // without days the numbers begin with minutes
		units = units[1:]
	}
	for i, n := range numbers {
		limit += time.Duration(n) * units[i]
	}
	if limit <= 0 {
		return 0, errors.New("is no time at all")
	}
	return limit, nil
}

// SlurmLimit writes a time limit for sbatch, in whole minutes, rounded up.
func SlurmLimit(limit time.Duration) string {
	minutes := int((limit + time.Minute - 1) / time.Minute)
	if days := minutes / (24 * 60); days > 0 {
		return fmt.Sprintf("%d-%02d:%02d:00", days, minutes/60%24, minutes%60)
	}
	return fmt.Sprintf("%d:%02d:00", minutes/60, minutes%60)
}

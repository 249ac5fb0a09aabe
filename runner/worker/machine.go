package worker

import (
	"os"
	"strconv"
	"strings"

	"headroom/data/loader"
	"headroom/metrics/event"
)

// memoryEvery is the number of steps per reading of the resident memory, which takes longer than all other recording.
const memoryEvery = 10

// addMachine adds the series that depend on the machine. steps is the number of the run's steps, seconds is how long this
// step took.
func addMachine(values map[string]event.Value, batch loader.Batch, step, steps int, seconds float64) {
	values[event.SecondsSeries] = event.Value(seconds)
	if seconds > 0 {
		values[event.TokensSeries] = event.Value(float64(tokensOf(batch.Queries)+tokensOf(batch.Documents)) / seconds)
	}
	if step%memoryEvery == 0 || step == steps-1 {
		if bytes := residentBytes(); bytes > 0 {
			values[event.MemorySeries] = event.Value(bytes)
		}
	}
}

func tokensOf(texts [][]int32) (n int) {
	for _, text := range texts {
		n += len(text)
	}
	return n
}

// residentBytes returns the resident size of this process, 0 if the system does not say.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	columns := strings.Fields(string(text))
	if len(columns) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(columns[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

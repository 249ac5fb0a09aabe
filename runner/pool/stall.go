package pool

import "time"

// stallTimes is after how many times the time of a step silence is a stall.
const stallTimes = 20

// StallLeast is the least silence that is called a stall where nothing else is asked for.
const StallLeast = time.Minute

// StallAfter is the silence of a training run after which it is called stalled, given the
// time that its steps take (0 where that is not known) and the least.
func StallAfter(perStep, least time.Duration) time.Duration {
	return max(least, stallTimes*perStep)
}

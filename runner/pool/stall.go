package pool

import "time"

// stallTimes is the number of step times after which silence is a stall.
const stallTimes = 20

// StallLeast is the default of the least silence that counts as a stall.
const StallLeast = time.Minute

// StallAfter is the silence after which a training run counts as stalled, given the time per
// step (0 if it is not known) and the least such silence.
func StallAfter(perStep, least time.Duration) time.Duration {
	return max(least, stallTimes*perStep)
}

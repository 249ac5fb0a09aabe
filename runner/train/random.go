package train

import (
	"math/rand/v2"

	"headroom/runner/engine"
)

// RandomState is the state of a graph's random generator. It is a pure function of
// seed, step, side (0 or 1) and the number of the side's part or micro-batch. So a
// resumed run draws the same numbers as an undisturbed one, and no two passes draw the
// same numbers.
func RandomState(e *engine.Engine, seed int64, step, side, micro int) (engine.Buffer[uint64], error) {
	b, err := engine.NewBuffer[uint64](e, 3)
	if err != nil {
		return b, err
	}
	r := rand.New(rand.NewPCG(uint64(seed), uint64(micro)<<40^(uint64(step)<<1|uint64(side))))
	for i := range b.Values {
		b.Values[i] = r.Uint64()
	}
	return b, nil
}

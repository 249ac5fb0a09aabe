package train

import (
	"math/rand/v2"

	"headroom/runner/engine"
)

// RandomState is the state of a graph's random generator: a pure function of
// seed, step, side (0 or 1) and the number of the side's part or micro-batch, so that a
// resumed run draws what an undisturbed one would, and no two passes draw alike.
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

package train

import (
	"math/rand/v2"

	"headroom/runner/engine"
)

// randomState is the state of a graph's random generator: a pure function of
// seed, step and part, so that a resumed run draws what an undisturbed one would.
func randomState(e *engine.Engine, seed int64, step, part int) (engine.Buffer[uint64], error) {
	b, err := engine.NewBuffer[uint64](e, 3)
	if err != nil {
		return b, err
	}
	r := rand.New(rand.NewPCG(uint64(seed), uint64(step)<<1|uint64(part)))
	for i := range b.Values {
		b.Values[i] = r.Uint64()
	}
	return b, nil
}

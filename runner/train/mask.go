package train

import (
	"fmt"
	"math/rand/v2"

	"headroom/sweeps"
)

// Masking chooses the tokens that a masked language model must restore.
type Masking struct {
	Rule    sweeps.RecipeMask
	Vocab   int
	Mask    int32          // id of [MASK]
	Special map[int32]bool // never chosen, never drawn as a random replacement
	Seed    int64
}

// Masked is a batch with chosen tokens replaced.
type Masked struct {
	Texts  [][]int32
	Places [][2]int32 // text and token of each chosen one, ascending
	Labels []int32    // the tokens that were replaced
}

// At masks the texts of a step; the choice is a pure function of seed and step.
// A batch in which no token can be chosen is an error.
func (m Masking) At(step int, texts [][]int32) (Masked, error) {
	r := rand.New(rand.NewPCG(uint64(m.Seed), 0x6d61736b<<32|uint64(step)))
	out := Masked{Texts: make([][]int32, len(texts))}
	var spare [][2]int32
	for i, text := range texts {
		out.Texts[i] = append([]int32(nil), text...)
		for j, id := range text {
			if m.Special[id] {
				continue
			}
			place := [2]int32{int32(i), int32(j)}
			if r.Float64() >= m.Rule.Share {
				spare = append(spare, place)
				continue
			}
			m.replace(&out, place, id, r)
		}
	}
	if len(out.Places) == 0 {
		if len(spare) == 0 {
			return out, fmt.Errorf("mask step %d: no text has a token that may be masked", step)
		}
		place := spare[r.IntN(len(spare))]
		m.replace(&out, place, texts[place[0]][place[1]], r)
	}
	return out, nil
}

func (m Masking) replace(out *Masked, place [2]int32, id int32, r *rand.Rand) {
	out.Places, out.Labels = append(out.Places, place), append(out.Labels, id)
	switch u := r.Float64(); {
	case u < m.Rule.Mask:
		out.Texts[place[0]][place[1]] = m.Mask
	case u < m.Rule.Mask+m.Rule.Random:
		for {
			if random := r.Int32N(int32(m.Vocab)); !m.Special[random] {
				out.Texts[place[0]][place[1]] = random
				return
			}
		}
	}
}

// PaddedPlaces rounds the number of chosen tokens up, so that few shapes are compiled:
// to multiples of 64, or of larger numbers if there are many. If compiling is costly,
// it rounds more coarsely.
func PaddedPlaces(n int, costly bool) int {
	parts := 16 // sizes between two powers of two
	if costly {
		parts = 8
	}
	step := 64
	for step*parts < n {
		step *= 2
	}
	return (n + step - 1) / step * step
}

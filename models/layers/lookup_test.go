package layers_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	_ "github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/layers"
)

// run builds and runs a graph on the Go backend.
func run(t *testing.T, build func(in []*Node) []*Node, in ...any) [][]float32 {
	t.Helper()
	backend, err := compute.NewWithConfig("go:")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	exec, err := NewExec(backend, build)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	var values [][]float32
	for _, o := range out {
		values = append(values, tensors.MustCopyFlatData[float32](o))
	}
	return values
}

// The table's gradient, summed by token, is what plain addition in float64 gives: for
// tokens that are frequent, rare, first, last and absent, over one look-up and two.
func TestATablesGradientIsTheSumOfItsTokens(t *testing.T) {
	const vocab, dim = 11, 3
	r := rand.New(rand.NewPCG(7, 7))
	for _, sizes := range [][]int{{1, 1}, {1, 2}, {3, 5}, {4, 64}, {2, 9, 3, 17}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			want := make([]float64, vocab*dim)
			table := make([]float32, vocab*dim)
			for i := range table {
				table[i] = float32(r.NormFloat64())
			}
			in := []any{tensors.FromFlatDataAndDimensions(table, vocab, dim)}
			var looked [][]float32
			for i := 0; i < len(sizes); i += 2 {
				n := sizes[i] * sizes[i+1]
				ids, rows := make([]int32, n), make([]float32, n*dim)
				var own []float32
				for j := range ids {
					if ids[j] = r.Int32N(vocab); r.IntN(2) == 0 {
						ids[j] = 4 // as frequent as padding
					}
					if ids[j] == 6 {
						ids[j] = 0 // absent
					}
					for k := range dim {
						x := float32(r.NormFloat64())
						rows[j*dim+k] = x
						want[int(ids[j])*dim+k] += float64(x)
						own = append(own, table[int(ids[j])*dim+k])
					}
				}
				looked = append(looked, own)
				in = append(in, tensors.FromFlatDataAndDimensions(ids, sizes[i], sizes[i+1]), tensors.FromFlatDataAndDimensions(rows, sizes[i], sizes[i+1], dim))
			}
			got := run(t, func(in []*Node) []*Node {
				var lookups []*layers.Lookup
				var out, gradients []*Node
				for i := 1; i < len(in); i += 2 {
					l := &layers.Lookup{}
					out = append(out, layers.Training(nil, dtypes.Float32, false, l).Embed(in[0], in[i]))
					lookups, gradients = append(lookups, l), append(gradients, in[i+1])
				}
				return append(out, layers.TableGradient(vocab, lookups, gradients))
			}, in...)
			for i, own := range looked {
				for j, x := range own {
					if got[i][j] != x {
						t.Fatalf("look-up %d: value %d is %g, the table's %g", i, j, got[i][j], x)
					}
				}
			}
			for i, x := range want {
				if y := float64(got[len(looked)][i]); math.Abs(x-y) > 1e-5*(1+math.Abs(x)) {
					t.Errorf("value %d of token %d's gradient is %g, want %g", i%dim, i/dim, y, x)
				}
			}
		})
	}
}

// A row that is not a number spoils its own token's gradient and no other.
func TestNotANumberStaysWithItsToken(t *testing.T) {
	nan := float32(math.NaN())
	got := run(t, func(in []*Node) []*Node {
		l := &layers.Lookup{}
		layers.Training(nil, dtypes.Float32, false, l).Embed(in[0], in[1])
		return []*Node{layers.TableGradient(3, []*layers.Lookup{l}, []*Node{in[2]})}
	}, tensors.FromFlatDataAndDimensions(make([]float32, 3), 3, 1), tensors.FromFlatDataAndDimensions([]int32{0, 1, 2, 1, 0}, 1, 5),
		tensors.FromFlatDataAndDimensions([]float32{1, 2, 4, nan, 8}, 1, 5, 1))[0]
	if got[0] != 9 || got[1] == got[1] || got[2] != 4 {
		t.Errorf("got %v, want 9, not a number, 4", got)
	}
}

// Without a Lookup the gradient is autodiff's.
func TestAPlainLookUpIsDifferentiated(t *testing.T) {
	got := run(t, func(in []*Node) []*Node {
		rows := layers.Mode{}.Embed(in[0], in[1])
		return Gradient(ReduceAllSum(rows), in[0])
	}, tensors.FromFlatDataAndDimensions(make([]float32, 3), 3, 1), tensors.FromFlatDataAndDimensions([]int32{2, 0, 2}, 1, 3))[0]
	if got[0] != 1 || got[1] != 0 || got[2] != 2 {
		t.Errorf("got %v, want 1, 0, 2", got)
	}
}

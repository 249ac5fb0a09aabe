package vectors_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/internal/seal"
	"headroom/runner/search"
	"headroom/runner/vectors"
)

// drawn are vectors of all kinds: without terms, with the first and the last term id there is, and some between.
func drawn(seed uint64) []search.Vector {
	r := rand.New(rand.NewPCG(seed, 1))
	block := []search.Vector{{}, {Terms: []uint32{0, 1, 1<<32 - 1}, Weights: []float32{1e-38, 3.4e38, 0.1}}}
	for range 50 {
		var v search.Vector
		for term := r.Uint32N(300); len(v.Terms) < 40; term += 1 + r.Uint32N(1<<uint(r.IntN(16))) {
			v.Terms, v.Weights = append(v.Terms, term), append(v.Weights, r.Float32()+1e-9)
		}
		block = append(block, v)
	}
	return append(block, search.Vector{})
}

func same(a, b []search.Vector) bool {
	return slices.EqualFunc(a, b, func(x, y search.Vector) bool {
		return slices.Equal(x.Terms, y.Terms) && slices.Equal(x.Weights, y.Weights)
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// names are the files of a folder by the ends of their names.
func names(t *testing.T, folder string) map[string]int {
	t.Helper()
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	check(t, err)
	ends := map[string]int{}
	for _, e := range list {
		ends[filepath.Ext(e.Name())]++
	}
	return ends
}

func TestABlockReadsBackBitForBitInLittleSpace(t *testing.T) {
	folder, block := t.TempDir(), drawn(1)
	key := vectors.KeyOf("m", []string{"a"}, 16)
	s := vectors.Open(folder, true)
	check(t, s.Write(key, block))
	got, err := vectors.Open(folder, false).Read(key)
	if err != nil || !same(got, block) {
		t.Fatalf("%v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(folder, key.String()+".vectors"))
	check(t, err)
	terms := 0
	for _, v := range block {
		terms += len(v.Terms)
	}
	if most := int64(7*terms + len(block) + 200); info.Size() > most { // 4 bytes of a weight, at most 3 of these terms
		t.Errorf("%d bytes for %d terms", info.Size(), terms)
	}
}

func TestTheKeyHoldsAllThatDecidesVectors(t *testing.T) {
	keys := map[vectors.Key]string{}
	for _, c := range []struct {
		of    string
		texts []string
		most  int
	}{
		{"m", []string{"a", "b"}, 16}, {"m", []string{"a", "b"}, 17}, {"m", []string{"b", "a"}, 16}, {"n", []string{"a", "b"}, 16},
		{"m", []string{"ab"}, 16}, {"m", []string{"a", "b", ""}, 16}, {"m", nil, 16}, {"ma", []string{"b"}, 16},
	} {
		key := vectors.KeyOf(c.of, c.texts, c.most)
		if other, taken := keys[key]; taken {
			t.Errorf("%+v has the key of %s", c, other)
		}
		keys[key] = fmt.Sprintf("%+v", c)
	}
}

func TestEveryFlippedBitAndEveryCutIsDamage(t *testing.T) {
	folder, block := t.TempDir(), drawn(2)[:9]
	key := vectors.KeyOf("m", nil, 2)
	s := vectors.Open(folder, true)
	check(t, s.Write(key, block))
	path := filepath.Join(folder, key.String()+".vectors")
	whole, err := os.ReadFile(path)
	check(t, err)
	damaged := func(text []byte, how string) {
		check(t, os.WriteFile(path, text, 0o644))
		if _, err := s.Read(key); !seal.IsDamage(err) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", how, err)
		}
	}
	for at := range whole {
		text := slices.Clone(whole)
		text[at] ^= 1 << (at % 8)
		damaged(text, fmt.Sprint("a flipped bit in byte ", at))
		damaged(whole[:at], fmt.Sprint("cut at byte ", at))
	}
	damaged(append(slices.Clone(whole), 0), "a byte more")
	other := vectors.KeyOf("m", nil, 3)
	check(t, os.WriteFile(filepath.Join(folder, other.String()+".vectors"), whole, 0o644))
	if _, err := s.Read(other); !seal.IsDamage(err) {
		t.Errorf("another block under its name: %v", err)
	}
	// Written again it stays, whether it was to be kept or not.
	check(t, os.WriteFile(path, whole[:20], 0o644))
	lent := vectors.Open(folder, false)
	if _, err := lent.Read(key); !seal.IsDamage(err) {
		t.Fatal(err)
	}
	check(t, lent.Write(key, block))
	check(t, lent.Done())
	if got, err := s.Read(key); err != nil || !same(got, block) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBlocksStayOrGoAsTheyWereMeant(t *testing.T) {
	folder, block := filepath.Join(t.TempDir(), "run", "vectors"), drawn(3)
	a, b, c := vectors.KeyOf("a", nil, 2), vectors.KeyOf("b", nil, 2), vectors.KeyOf("c", nil, 2)
	lent := vectors.Open(folder, false)
	if _, err := lent.Read(a); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	check(t, lent.Write(a, block))
	check(t, lent.Write(b, block))
	if lent.Stays(a) || !reflect.DeepEqual(names(t, folder), map[string]int{".part": 2}) {
		t.Errorf("lent: %v", names(t, folder))
	}
	// The process was killed; the next one has other blocks to make and one of these to keep.
	keeping := vectors.Open(folder, true)
	got, err := keeping.Read(a)
	if err != nil || !same(got, block) || !keeping.Stays(a) {
		t.Errorf("%v", err)
	}
	check(t, keeping.Write(c, block))
	check(t, keeping.Done())
	if got := names(t, folder); !reflect.DeepEqual(got, map[string]int{".part": 1, ".vectors": 2}) {
		t.Errorf("one kept out of two lent, and one made: %v", got)
	}
	last := vectors.Open(folder, false)
	for _, key := range []vectors.Key{a, b, c} {
		if _, err := last.Read(key); err != nil {
			t.Error(err)
		}
	}
	check(t, last.Done())
	if got := names(t, folder); !reflect.DeepEqual(got, map[string]int{".vectors": 2}) {
		t.Errorf("at the end: %v", got)
	}
	// Of a folder beside it a block is read, and copied if blocks stay.
	for keep, want := range map[bool]map[string]int{false: nil, true: {".vectors": 1}} {
		beside := filepath.Join(t.TempDir(), "other")
		s := vectors.Open(beside, keep)
		s.Also = []string{filepath.Join(beside, "none"), folder}
		got, err := s.Read(a)
		if err != nil || !same(got, block) || !reflect.DeepEqual(names(t, beside), want) {
			t.Errorf("beside, keep %v: %v, %v", keep, err, names(t, beside))
		}
	}
}

// Whatever call fails, and wherever the process is killed or power is lost: a block is there whole, or not at all.
func TestABlockIsThereWholeOrNotAtAllWhateverFails(t *testing.T) {
	key, block := vectors.KeyOf("m", nil, 2), drawn(4)
	for _, keep := range []bool{false, true} {
		faults.Test(t, faults.Case{
			Write: func(disk atomic.Disk, dir string) error {
				return vectors.OpenOn(disk, filepath.Join(dir, "vectors"), keep).Write(key, block)
			},
			Read: func(dir string) (string, error) {
				got, err := vectors.Open(filepath.Join(dir, "vectors"), false).Read(key)
				if errors.Is(err, fs.ErrNotExist) {
					return "none", nil
				}
				return fmt.Sprint(same(got, block)), err
			},
		})
	}
}

func TestAListLeadsToItsBlocks(t *testing.T) {
	root, block := t.TempDir(), drawn(5)
	key := vectors.KeyOf("m", nil, 2)
	check(t, vectors.Open(vectors.Folder(filepath.Join(root, "run")), true).Write(key, block))
	folder := filepath.Join(root, "run", "evaluations", "e")
	check(t, os.MkdirAll(folder, 0o755))
	path := filepath.Join(folder, "vectors.json")
	list := vectors.List{Folder: "../../vectors", Documents: len(block), Blocks: []string{key.String(), hex.EncodeToString([]byte("short")), vectors.KeyOf("n", nil, 2).String()}}
	check(t, atomic.WriteFile(path, list.Write))
	got, err := vectors.ReadList(path)
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Fatalf("%+v, %v", got, err)
	}
	if read, err := got.Block(folder, 0); err != nil || !same(read, block) {
		t.Error(err)
	}
	if _, err := got.Block(folder, 1); err == nil || !strings.Contains(err.Error(), "block 1") {
		t.Error(err)
	}
	if _, err := got.Block(folder, 2); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	check(t, os.WriteFile(path, []byte(`{"blocks":[]}`), 0o644))
	if _, err := vectors.ReadList(path); err == nil {
		t.Error("a list without a seal passes")
	}
}

// The card of a model names paths and decides nothing; every other file is part of the model.
func TestAModelIsItsFilesWithoutTheCard(t *testing.T) {
	modelOf := func(weights, card string) string {
		folder := t.TempDir()
		check(t, os.WriteFile(filepath.Join(folder, "model.safetensors"), []byte(weights), 0o644))
		check(t, os.WriteFile(filepath.Join(folder, "README.md"), []byte(card), 0o644))
		text, err := seal.Manifest(folder)
		check(t, err)
		check(t, os.WriteFile(filepath.Join(folder, seal.ManifestFile), text, 0o644))
		model, err := vectors.ModelOf(folder)
		check(t, err)
		return model
	}
	if a, b, c := modelOf("w", "here"), modelOf("w", "there"), modelOf("v", "here"); a != b || a == c {
		t.Error(a, b, c)
	}
	if _, err := vectors.ModelOf(t.TempDir()); !errors.Is(err, seal.ErrNone) {
		t.Error(err)
	}
}

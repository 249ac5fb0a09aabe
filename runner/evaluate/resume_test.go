package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"headroom/data/collection"
	"headroom/internal/atomic"
	"headroom/metrics/record"
	"headroom/models/splade"
	"headroom/runner/evaluate"
	"headroom/runner/vectors"
)

// resumed is an evaluation of many blocks, whose documents' vectors lie in a folder.
type resumed struct {
	t       *testing.T
	enc     *evaluate.Encoder
	on      *collection.Collection
	root    string
	notices []string
	disk    atomic.Disk
	terms   int // kept in memory
}

const resumedBlock = 16 // documents, of 120

func newResumed(t *testing.T) (*resumed, func()) {
	m, tokenizer, texts := small(t, 1)
	silence := func() {
		for v := range m.DecoderBias().Values {
			m.DecoderBias().Values[v] = -1e6
		}
	}
	return &resumed{t: t, enc: evaluate.FromModel(m, tokenizer, splade.Form{}, evaluate.EncoderOptions{}), on: twoSplits(t, texts[:120]), root: t.TempDir()}, silence
}

func (r *resumed) folder() string { return filepath.Join(r.root, "vectors") }

// evaluate measures a split, kept in its own folder, until stop texts are encoded; -1 is no stop.
func (r *resumed) evaluate(split string, keep bool, stop int) (evaluate.Summary, error) {
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	documents := evaluate.NewDocuments(r.terms).InBlocksOf(resumedBlock)
	documents.KeepIn(vectors.OpenOn(r.disk, r.folder(), keep), "w", func(text string) { r.notices = append(r.notices, text) })
	s, err := evaluate.OnCollection(ctx, r.enc, r.on, evaluate.CollectionOptions{
		Dataset: "x", Split: split, MaxQuery: 16, MaxDocument: 24, Threads: 1, Documents: documents, OutDir: filepath.Join(r.root, "evaluations", split),
		Cuts: evaluate.Cuts{Document: []int{3}},
		Progress: func(done, _ int) {
			if stop >= 0 && done >= stop {
				cancel()
			}
		},
	})
	if err == nil {
		err = documents.Done()
	}
	return s, err
}

// blocks counts the files of a kind.
func (r *resumed) blocks(end string) int {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(r.folder(), "*"+end))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(names)
}

// figures is all of a summary and of the ranking that does not tell time.
func figures(t *testing.T, s evaluate.Summary) string {
	t.Helper()
	return fmt.Sprint(s.Measures, *s.ActiveDocument, *s.ActiveQuery, *s.Flops, s.Curve, s.Run())
}

func (r *resumed) want() string {
	r.t.Helper()
	s, err := evaluate.OnCollection(r.t.Context(), r.enc, r.on, evaluate.CollectionOptions{Dataset: "x", MaxQuery: 16, MaxDocument: 24, Threads: 1,
		Cuts: evaluate.Cuts{Document: []int{3}}, Documents: evaluate.NewDocuments(0).InBlocksOf(resumedBlock)})
	if err != nil {
		r.t.Fatal(err)
	}
	return figures(r.t, s)
}

// An encoding that is cut short, again and again at random places, resumes after its last whole block, and gives the
// same figures and ranking bit for bit. Nothing is left of it then.
func TestAnEncodingThatIsCutShortGoesOnAndEndsTheSame(t *testing.T) {
	for seed := range uint64(3) {
		r, _ := newResumed(t)
		want, random := r.want(), rand.New(rand.NewPCG(seed, 7))
		stopped, before := 0, 0
		for range 4 {
			stop := random.IntN(120)
			if _, err := r.evaluate("test", false, stop); !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped at %d texts: %v", stop, err)
			}
			now := r.blocks(".part")
			if now < before || now < stop/resumedBlock {
				t.Fatalf("seed %d, stopped at %d texts: %d blocks, before %d", seed, stop, now, before)
			}
			stopped, before = stopped+1, now
		}
		s, err := r.evaluate("test", false, -1)
		if err != nil {
			t.Fatal(err)
		}
		if got := figures(t, s); got != want {
			t.Errorf("seed %d: %s\nwant %s", seed, got, want)
		}
		if _, err := os.Stat(r.folder()); !errors.Is(err, fs.ErrNotExist) || len(r.notices) > 0 || s.KeepsVectors() {
			t.Errorf("left: %v; said: %v; kept: %v", err, r.notices, s.KeepsVectors())
		}
	}
}

// What is kept is not encoded again: not for another split, and not by a model that would now encode nothing.
func TestKeptVectorsAreUsedAgain(t *testing.T) {
	r, silence := newResumed(t)
	if _, err := r.evaluate("test", true, 50); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	first, err := r.evaluate("test", true, -1)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.blocks(".vectors"); n != 8 || r.blocks(".part") != 0 || !first.KeepsVectors() {
		t.Fatalf("%d blocks, %v", n, first.Files)
	}
	silence()
	for _, split := range []string{"test", "dev"} { // as a later process does that need not keep them
		s, err := r.evaluate(split, false, -1)
		if err != nil || *s.ActiveDocument != *first.ActiveDocument || *s.ActiveQuery != 0 {
			t.Errorf("%s: %v, %g terms per document, want %g, %g per query", split, err, *s.ActiveDocument, *first.ActiveDocument, *s.ActiveQuery)
		}
		folder := filepath.Join(r.root, "evaluations", split)
		e, err := record.CheckEvaluation(folder, nil)
		if err != nil || !e.KeepsVectors() {
			t.Errorf("%s: %v, %v", split, err, e.Files)
		}
		list, err := vectors.ReadList(filepath.Join(folder, record.VectorsFile))
		if err != nil || list.Documents != 120 || len(list.Blocks) != 8 || list.Folder != "../../vectors" {
			t.Errorf("%s: %+v, %v", split, list, err)
		}
		for i := range list.Blocks {
			if _, err := list.Block(folder, i); err != nil {
				t.Error(err)
			}
		}
	}
	if n := r.blocks(".vectors"); n != 8 || len(r.notices) > 0 {
		t.Errorf("%d blocks, said %v", n, r.notices)
	}
}

func TestADamagedBlockIsNamedAndEncodedAgain(t *testing.T) {
	r, _ := newResumed(t)
	want := r.want()
	if _, err := r.evaluate("test", true, -1); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(r.folder(), "*.vectors"))
	if err != nil || len(names) != 8 {
		t.Fatal(names, err)
	}
	random := rand.New(rand.NewPCG(1, 3))
	for i, name := range names[:3] {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		flipped := []byte(string(whole))
		flipped[random.IntN(len(flipped))] ^= 1 << i
		if err := os.WriteFile(name, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		r.notices = nil
		s, err := r.evaluate("test", false, -1)
		if err != nil || figures(t, s) != want {
			t.Errorf("%v, %s", err, figures(t, s))
		}
		if len(r.notices) != 1 || !strings.Contains(r.notices[0], name+" is damaged: ") {
			t.Errorf("said %q of %s", r.notices, name)
		}
		if again, err := os.ReadFile(name); err != nil || !reflect.DeepEqual(again, whole) || !s.KeepsVectors() {
			t.Errorf("%s is not made good: %v", name, err)
		}
	}
}

// full is a disk that has no room from its nth file on.
type full struct {
	atomic.OS
	files *int
}

type noRoom struct{ atomic.File }

func (noRoom) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func (f full) OpenFile(name string, flag int, mode fs.FileMode) (atomic.File, error) {
	file, err := f.OS.OpenFile(name, flag, mode)
	if flag&os.O_CREATE == 0 || err != nil {
		return file, err
	}
	if *f.files--; *f.files < 0 {
		return noRoom{file}, nil
	}
	return file, nil
}

// Without room for blocks on the disk, an evaluation that need not keep them only cannot be resumed; one that must
// keep them fails with the reason, and resumes once there is room.
func TestAFullDiskHarmsNoEvaluation(t *testing.T) {
	r, _ := newResumed(t)
	want, files := r.want(), 3
	r.disk = atomic.DiskOn(full{files: &files})
	s, err := r.evaluate("test", false, -1)
	if err != nil || figures(t, s) != want {
		t.Errorf("%v", err)
	}
	if len(r.notices) != 1 || !strings.Contains(r.notices[0], "no space left on device") || r.blocks(".part") != 0 {
		t.Errorf("said %q, %d blocks left", r.notices, r.blocks(".part"))
	}
	files, r.notices = 3, nil
	if _, err = r.evaluate("dev", true, -1); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "keep vectors: write "+r.folder()) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.folder(), ".new-*")); len(left) > 0 || r.blocks(".vectors") != 3 {
		t.Errorf("left %v and %d blocks", left, r.blocks(".vectors"))
	}
	if _, err := os.Stat(filepath.Join(r.root, "evaluations", "dev")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half an evaluation: %v", err)
	}
	r.disk = atomic.Disk{}
	if s, err = r.evaluate("dev", true, -1); err != nil || figures(t, s) != want || !s.KeepsVectors() {
		t.Errorf("%v, kept %v", err, s.KeepsVectors())
	}
}

// Weights, form and what is put before texts each make other vectors.
func TestNothingIsTakenFromAnotherEncoder(t *testing.T) {
	m, tokenizer, texts := small(t, 1)
	c, root := twoSplits(t, texts[:20]), t.TempDir()
	prompt := "a b "
	count := func(weights string, form splade.Form, o evaluate.EncoderOptions) int {
		documents := evaluate.NewDocuments(0)
		documents.KeepIn(vectors.Open(root, true), weights, func(text string) { t.Error(text) })
		if _, err := evaluate.OnCollection(t.Context(), evaluate.FromModel(m, tokenizer, form, o), c, evaluate.CollectionOptions{Dataset: "x", MaxQuery: 16, MaxDocument: 16, Threads: 1, Documents: documents}); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(root, "*.vectors"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	for i, made := range []int{
		count("w", splade.Form{}, evaluate.EncoderOptions{}), count("v", splade.Form{}, evaluate.EncoderOptions{}),
		count("w", splade.Form{Twice: true}, evaluate.EncoderOptions{}), count("w", splade.Form{Sum: true}, evaluate.EncoderOptions{}),
		count("w", splade.Form{TopK: 2}, evaluate.EncoderOptions{}), count("w", splade.Form{TokenTopM: 2}, evaluate.EncoderOptions{}),
		count("w", splade.Form{}, evaluate.EncoderOptions{DocumentPrompt: &prompt}),
		count("w", splade.Form{}, evaluate.EncoderOptions{KeepNonFinite: true}),
	} {
		if made != i+1 {
			t.Errorf("the %d. encoder: %d blocks", i+1, made)
		}
	}
	if n := count("w", splade.Form{}, evaluate.EncoderOptions{QueryPrompt: &prompt}); n != 8 {
		t.Errorf("another prompt before queries: %d blocks", n)
	}
}

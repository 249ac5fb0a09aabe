package tokenize_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"headroom/data/tokenize"
)

var update = flag.Bool("update", false, "write testdata/reference/trained.json again; run testdata/reference.py afterwards")

// generator makes the texts of the reference values, as testdata/reference.py does.
type generator struct {
	Count        int
	VariantCount int `json:"variant_count"`
	Limits       []int
	Fragments    []string
	Separators   []string
	Ranges       [][2]rune
	Marks        [][2]rune
	Check        string
}

func referenceFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "reference", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func newGenerator(t testing.TB) *generator {
	t.Helper()
	var g generator
	if err := json.Unmarshal(referenceFile(t, "generator.json"), &g); err != nil {
		t.Fatal(err)
	}
	return &g
}

// splitMix is SplitMix64.
type splitMix uint64

func (s *splitMix) below(n int) int {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return int((z ^ z>>31) % uint64(n))
}

// text returns text number seed; some are not well-formed UTF-8.
func (g *generator) text(seed int) string {
	rng := splitMix(seed)
	var out strings.Builder
	character := func(span [2]rune) {
		out.WriteRune(span[0] + rune(rng.below(int(span[1]-span[0])+1))) // a surrogate is written as U+FFFD
	}
	pick := func(list []string) string { return list[rng.below(len(list))] }
	switch rng.below(16) {
	case 15:
		for range rng.below(40) {
			if rng.below(3) == 0 {
				out.WriteByte(byte(97 + rng.below(26)))
			} else {
				out.WriteByte(byte(rng.below(256)))
			}
		}
	case 14:
		fragment := pick(g.Fragments)
		out.WriteString(strings.Repeat(fragment, 2+rng.below(120)))
		out.WriteString(pick(g.Fragments))
	case 13:
		character(g.Ranges[rng.below(len(g.Ranges))])
		for range rng.below(80) {
			character(g.Marks[rng.below(len(g.Marks))])
		}
	default:
		for range 1 + rng.below(12) {
			if rng.below(3) == 0 {
				span := g.Ranges[rng.below(len(g.Ranges))]
				for range 1 + rng.below(6) {
					character(span)
				}
			} else {
				out.WriteString(pick(g.Fragments))
			}
			out.WriteString(pick(g.Separators))
		}
	}
	return out.String()
}

// compare encodes count texts and counts those whose ids do not have the reference's digest.
func (g *generator) compare(t *testing.T, tokenizer *tokenize.Tokenizer, digests []byte) {
	t.Helper()
	if len(digests)%3 != 0 {
		t.Fatalf("%d bytes of digests", len(digests))
	}
	wrong := 0
	for i := range len(digests) / 3 {
		text, limit := g.text(i), g.Limits[i%len(g.Limits)]
		ids := tokenizer.Encode(text, limit)
		var packed []byte
		for _, id := range ids {
			packed = binary.LittleEndian.AppendUint32(packed, uint32(id))
		}
		sum := sha256.Sum256(packed)
		if !bytes.Equal(sum[:3], digests[3*i:3*i+3]) {
			if wrong++; wrong <= 5 {
				t.Errorf("text %d, limit %d: %+q\ngives %q", i, limit, text, tokenizer.Tokens(ids))
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d texts differ from the reference", wrong, len(digests)/3)
	}
}

func TestTheTextsAreThoseOfTheReference(t *testing.T) {
	g := newGenerator(t)
	hash := sha256.New()
	illFormed := 0
	for i := range g.Count {
		if i > 0 {
			hash.Write([]byte("\n"))
		}
		text := g.text(i)
		hash.Write([]byte(text))
		if !utf8.ValidString(text) {
			illFormed++
		}
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != g.Check {
		t.Errorf("the texts' digest is %s, want %s", got, g.Check)
	}
	if g.Count < 10_000 || illFormed < 500 {
		t.Errorf("%d texts, %d of them ill-formed: want 10,000 and 500 at least", g.Count, illFormed)
	}
}

func TestGeneratedTextsAgreeWithTheReference(t *testing.T) {
	g := newGenerator(t)
	for _, name := range []string{"wordpiece", "bpe", "trained"} {
		t.Run(name, func(t *testing.T) {
			tokenizer := load(t, filepath.Join("testdata", "reference", name+".json"))
			digests := referenceFile(t, name+".digests")
			if len(digests) != 3*g.Count {
				t.Fatalf("%d digests, want %d", len(digests)/3, g.Count)
			}
			g.compare(t, tokenizer, digests)
		})
	}
	for _, name := range []string{"bert-base-uncased", "modernbert"} {
		t.Run(name, func(t *testing.T) {
			tokenizer := load(t, dataFile(t, "tokenizers", name, "tokenizer.json"))
			g.compare(t, tokenizer, referenceFile(t, name+".digests"))
		})
	}
}

// variant is a change of single members of one of the two small files.
type variant struct {
	Name    string
	Base    string
	Changes map[string]json.RawMessage
}

// apply returns the changed file. A path has one or two names.
func (v variant) apply(t testing.TB) []byte {
	t.Helper()
	var file map[string]json.RawMessage
	if err := json.Unmarshal(referenceFile(t, v.Base+".json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, path := range slices.Sorted(maps.Keys(v.Changes)) {
		first, second, nested := strings.Cut(path, ".")
		if !nested {
			file[first] = v.Changes[path]
			continue
		}
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(file[first], &inner); err != nil {
			t.Fatal(err)
		}
		inner[second] = v.Changes[path]
		file[first] = marshal(t, inner)
	}
	return marshal(t, file)
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVariantsAgreeWithTheReference(t *testing.T) {
	g := newGenerator(t)
	var variants []variant
	if err := json.Unmarshal(referenceFile(t, "variants.json"), &variants); err != nil {
		t.Fatal(err)
	}
	digests := referenceFile(t, "variants.digests")
	if len(digests) != 3*g.VariantCount*len(variants) || len(variants) < 30 {
		t.Fatalf("%d digests for %d variants of %d texts", len(digests)/3, len(variants), g.VariantCount)
	}
	for i, v := range variants {
		t.Run(v.Name, func(t *testing.T) {
			tokenizer, err := tokenize.Parse(v.Name, v.apply(t))
			if err != nil {
				t.Fatal(err)
			}
			g.compare(t, tokenizer, digests[3*g.VariantCount*i:3*g.VariantCount*(i+1)])
		})
	}
}

// trainedTokenizer trains on some of the generated texts.
func trainedTokenizer(t testing.TB, order func(i int) int) *tokenize.Tokenizer {
	t.Helper()
	g := newGenerator(t)
	const texts = 3000
	tokenizer, err := tokenize.TrainWordPiece(func(yield func(string) bool) {
		for i := range texts {
			text := g.text(order(i))
			if order(i)%2 == 0 {
				text = fmt.Sprint("the heart attack ", i%10, " of a hypertension")
			}
			if !yield(text) {
				return
			}
		}
	}, tokenize.TrainOptions{VocabSize: 800, MinFrequency: 2, Lowercase: true, Alphabet: 250})
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func TestTrainedFileIsTheOneThatTheReferenceRead(t *testing.T) {
	got := trainedTokenizer(t, func(i int) int { return i }).Bytes()
	path := filepath.Join("testdata", "reference", "trained.json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, referenceFile(t, "trained.json")) {
		t.Errorf("training gives other bytes than %s; if that is meant, use -update and then testdata/reference.py", path)
	}
}

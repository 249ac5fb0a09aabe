package tokenize_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/data/tokenize"
)

func small(t testing.TB, name string) *tokenize.Tokenizer {
	t.Helper()
	return load(t, filepath.Join("testdata", "reference", name+".json"))
}

func TestTheFastPathGivesWhatTheGeneralPathGives(t *testing.T) {
	g := newGenerator(t)
	for _, rules := range []string{
		`{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}`,
		`{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":true,"strip_accents":true,"lowercase":false}`,
		`{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true}`,
	} {
		parse := func(normalizer string) *tokenize.Tokenizer {
			v := variant{Base: "wordpiece", Changes: map[string]json.RawMessage{"normalizer": json.RawMessage(normalizer)}}
			tokenizer, err := tokenize.Parse(normalizer, v.apply(t))
			if err != nil {
				t.Fatal(err)
			}
			return tokenizer
		}
		fast := parse(rules)
		// A second normalizer, though it does nothing, leaves only the general path.
		general := parse(`{"type":"Sequence","normalizers":[` + rules + `,{"type":"Strip","strip_left":false,"strip_right":false}]}`)
		for i := range g.Count {
			text := g.text(1_000_000 + i)
			if a, b := fast.Encode(text, 0), general.Encode(text, 0); !slices.Equal(a, b) {
				t.Fatalf("%+q\nfast    %q\ngeneral %q", text, fast.Tokens(a), general.Tokens(b))
			}
		}
	}
}

func TestIDsByHand(t *testing.T) {
	tokenizer, err := tokenize.Parse("by hand", []byte(`{
		"added_tokens": [{"id": 4, "content": "[MASK]", "lstrip": true, "special": true}],
		"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true},
		"pre_tokenizer": {"type": "BertPreTokenizer"},
		"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
		"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 8,
			"vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "un": 5, "##aff": 6, "##able": 7, "cafe": 8, ",": 9, "中": 10, "##a": 11, "a": 12}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int32{
		"":                    {2, 3},
		" \t\u3000 ":          {2, 3},
		"Unaffable":           {2, 1, 3}, // nine characters
		"unaffaa":             {2, 5, 6, 11, 11, 3},
		"unaffb":              {2, 1, 3},
		"CAFÉ,cafe\u0301":     {2, 8, 9, 8, 3},
		"ca\u00adfe\u0000":    {2, 8, 3},
		"a中a":                 {2, 12, 10, 12, 3},
		"a  [MASK] a":         {2, 12, 4, 12, 3},
		"a[mask]":             {2, 12, 1, 1, 1, 3},
		"aaaaaaaa":            {2, 12, 11, 11, 11, 11, 11, 11, 11, 3},
		"a\xffa \xf0\x9f\x98": {2, 12, 11, 3}, // U+FFFD is cleaned away
	} {
		if got := tokenizer.Encode(text, 0); !slices.Equal(got, want) {
			t.Errorf("%q gives %v, want %v", text, got, want)
		}
	}
	if got, want := tokenizer.Special(), (tokenize.Special{CLS: 2, SEP: 3, PAD: 0, MASK: 4, UNK: 1}); got != want {
		t.Errorf("special tokens are %+v, want %+v", got, want)
	}
	if got := tokenizer.VocabSize(); got != 13 {
		t.Errorf("vocabulary size is %d, want 13", got)
	}
	if got := tokenizer.Tokens([]int32{6, -1, 13, 4}); !slices.Equal(got, []string{"##aff", "", "", "[MASK]"}) {
		t.Errorf("tokens are %q", got)
	}
	if id, ok := tokenizer.ID("##able"); id != 7 || !ok {
		t.Errorf("##able has id %d, %t", id, ok)
	}
	if _, ok := tokenizer.ID("able"); ok {
		t.Error("able has an id")
	}
}

func TestTruncationKeepsTheSpecialTokens(t *testing.T) {
	for _, name := range []string{"wordpiece", "bpe"} {
		tokenizer := small(t, name)
		text := strings.Repeat("the heart attack of hypertension ", 20)
		whole := tokenizer.Encode(text, 0)
		for limit := 2; limit < len(whole)+3; limit++ {
			want := whole
			if limit < len(whole) {
				want = append(slices.Clone(whole[:limit-1]), whole[len(whole)-1])
			}
			if got := tokenizer.Encode(text, limit); !slices.Equal(got, want) {
				t.Fatalf("%s: %d ids at most: got %v, want %v", name, limit, got, want)
			}
		}
		if got := tokenizer.Encode(text, 1); !slices.Equal(got, whole[:1]) {
			t.Errorf("%s: one id at most: got %v, want %v", name, got, whole[:1])
		}
	}
}

func TestIllFormedBytesCountAsTheReplacementCharacter(t *testing.T) {
	tokenizer := small(t, "bpe")
	for text, want := range map[string]string{
		"a\xff\xfeb":           "a\ufffd\ufffdb",
		"\xe2\x82":             "\ufffd",
		"\xe2\x82\xe2\x82\xac": "\ufffd€",
		"\xf0\x9f\x98x":        "\ufffdx",
		"\xed\xa0\x80":         "\ufffd\ufffd\ufffd", // a surrogate
		"\xc0\xaf":             "\ufffd\ufffd",
		"\xf4\x90\x80\x80":     "\ufffd\ufffd\ufffd\ufffd",
		"\xf0\x80":             "\ufffd\ufffd",
	} {
		if got, want := tokenizer.Encode(text, 0), tokenizer.Encode(want, 0); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", text, tokenizer.Tokens(got), tokenizer.Tokens(want))
		}
	}
}

func TestConcurrentEncodingGivesTheSame(t *testing.T) {
	g := newGenerator(t)
	for _, name := range []string{"wordpiece", "bpe"} {
		tokenizer := small(t, name)
		texts := make([]string, 1000)
		want := make([][]int32, len(texts))
		alone := tokenizer
		for i := range texts {
			if i%100 == 0 { // what a cache holds must not matter
				alone = small(t, name)
			}
			texts[i] = g.text(i)
			want[i] = alone.Encode(texts[i], 16)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for i, text := range texts {
					if got := tokenizer.Encode(text, 16); !slices.Equal(got, want[i]) {
						t.Errorf("%s: text %d gives %v, want %v", name, i, got, want[i])
					}
				}
			})
		}
		group.Wait()
		for _, threads := range []int{0, 1, 3, 100} {
			if got := tokenizer.EncodeBatch(texts, 16, threads); !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s: a batch on %d threads differs", name, threads)
			}
		}
	}
	if got := small(t, "bpe").EncodeBatch(nil, 0, 0); len(got) != 0 {
		t.Errorf("an empty batch gives %v", got)
	}
}

func TestTimeIsLinearInTheLengthOfOneWord(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	for _, name := range []string{"wordpiece", "bpe", "no pre-tokenizer", "no pattern", "stripping spaces"} {
		tokenizer := linearSubject(t, name)
		for what, unit := range map[string]string{
			"letters": "hypertensionabc", "marks": "e\u0301\u0323\u0300", "spaces": "   \t", "Chinese": "中文", "marks only": "\u0301\u0323",
			"quotes": "''s", "stray bytes": "\xff\xe2\x82", "syllables": "각", "added": "[MASK] [MAS",
		} {
			time1 := processorTime(tokenizer, strings.Repeat(unit, 1+(64<<10)/len(unit)))
			time8 := processorTime(tokenizer, strings.Repeat(unit, 1+(512<<10)/len(unit)))
			// Eight times the text: eight times the work, up to three times more for memory. A quadratic step would
			// take 64 times, and many seconds. Processor time, so that a busy machine changes nothing.
			if time8 > 24*time1 && time8 > time.Second {
				t.Errorf("%s, %s: 64 kB take %v of a processor, 512 kB %v", name, what, time1, time8)
			}
		}
	}
}

func linearSubject(t *testing.T, name string) *tokenize.Tokenizer {
	t.Helper()
	v := variant{Base: "bpe", Changes: map[string]json.RawMessage{}}
	switch name {
	case "wordpiece", "bpe":
		v.Base = name
	case "no pre-tokenizer":
		v.Base, v.Changes["pre_tokenizer"] = "wordpiece", json.RawMessage("null")
	case "stripping spaces":
		v.Changes["added_tokens"] = json.RawMessage(`[{"id":5000,"content":" \t","lstrip":true,"rstrip":true},{"id":5001,"content":"   ","rstrip":true}]`)
		v.Changes["post_processor"] = json.RawMessage("null")
	case "no pattern":
		v.Changes["pre_tokenizer"] = json.RawMessage(`{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}`)
	}
	tokenizer, err := tokenize.Parse(name, v.apply(t))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// processorTime is what one encoding costs, whatever else the machine does; the least of three.
func processorTime(t *tokenize.Tokenizer, text string) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 3 {
		start := used()
		t.Encode(text, 0)
		best = min(best, used()-start)
	}
	return best
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestEncodingAllocatesTheResultOnly(t *testing.T) {
	for _, name := range []string{"wordpiece", "bpe"} {
		tokenizer := small(t, name)
		text := "The heart attack of hypertension, again: don't! 3.14159"
		tokenizer.Encode(text, 0)
		if n := testing.AllocsPerRun(100, func() { tokenizer.Encode(text, 64) }); n > 1.5 {
			t.Errorf("%s: %.1f allocations for a text seen before, want 1", name, n)
		}
	}
}

func TestDigestAndBytesAreTheFiles(t *testing.T) {
	data := referenceFile(t, "bpe.json")
	tokenizer := small(t, "bpe")
	if got := tokenizer.Bytes(); string(got) != string(data) {
		t.Error("Bytes differ from the file")
	}
	tokenizer.Bytes()[0] = 'x'
	if tokenizer.Bytes()[0] == 'x' {
		t.Error("Bytes can be changed from outside")
	}
	if again, err := tokenize.Parse("again", tokenizer.Bytes()); err != nil || again.Digest() != tokenizer.Digest() {
		t.Errorf("the digest changes on the way: %v", err)
	}
	if got := tokenizer.Digest(); len(got) != 71 || !strings.HasPrefix(got, "sha256:") {
		t.Errorf("digest is %q", got)
	}
}

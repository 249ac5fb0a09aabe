package tokenize_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

// dataFile names a file of the real data, or skips the test if that is not there.
func dataFile(t testing.TB, parts ...string) string {
	t.Helper()
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real tokenizers and texts are not there")
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

func load(t testing.TB, path string) *tokenize.Tokenizer {
	t.Helper()
	tokenizer, err := tokenize.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// body strips the special tokens of a template [CLS] A [SEP].
func body(ids []int32) []int32 { return ids[1 : len(ids)-1] }

func TestRealQueriesBecomeTheExpectedWordPieces(t *testing.T) {
	tokenizer := load(t, dataFile(t, "tokenizers", "bert-base-uncased", "tokenizer.json"))
	file, err := os.Open(dataFile(t, "tokenizers", "bert-base-uncased", "expected_wordpieces.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	lines.Buffer(nil, 1<<20)
	count, wrong := 0, 0
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 4 {
			t.Fatalf("line %d has %d columns", count+1, len(fields))
		}
		got := strings.Join(tokenizer.Tokens(body(tokenizer.Encode(fields[2], 0))), " ")
		if got != strings.TrimSpace(fields[3]) {
			if wrong++; wrong <= 10 {
				t.Errorf("%q\n got %s\nwant %s", fields[2], got, fields[3])
			}
		}
		count++
	}
	if count != 10956 || wrong > 0 {
		t.Errorf("%d of %d queries differ; want 0 of 10956", wrong, count)
	}
}

func TestTextsBecomeTheIDsThatOtherProgramsGive(t *testing.T) {
	for _, test := range []struct {
		folder, file string
		count        int
	}{
		{"bert-base-uncased", "expected_llamacpp.json", 47},
		{"modernbert", "expected_kevala.json", 91},
	} {
		t.Run(test.folder, func(t *testing.T) {
			tokenizer := load(t, dataFile(t, "tokenizers", test.folder, "tokenizer.json"))
			data, err := os.ReadFile(dataFile(t, "tokenizers", test.folder, test.file))
			if err != nil {
				t.Fatal(err)
			}
			var cases []struct {
				Text string
				IDs  []int32
			}
			if err := json.Unmarshal(data, &cases); err != nil {
				t.Fatal(err)
			}
			if len(cases) != test.count {
				t.Fatalf("the file has %d cases, want %d", len(cases), test.count)
			}
			for _, c := range cases {
				if got := body(tokenizer.Encode(c.Text, 0)); !slices.Equal(got, c.IDs) {
					t.Errorf("%q\n got %v\nwant %v", c.Text, got, c.IDs)
				}
			}
		})
	}
}

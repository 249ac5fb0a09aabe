package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// judged is what claims --json prints.
type judged struct {
	Schema int `json:"schema"`
	Claims []struct {
		ID, Text, Source, Verdict, Why string
		Observed                       []float64
	} `json:"claims"`
}

// published writes a folder of published figures below a data root.
func (p *place) published(rows ...string) (root string) {
	p.t.Helper()
	root = filepath.Join(p.dir, "data")
	p.extra = append(p.extra, "HEADROOM_DATA="+root)
	p.write("data/published/corpus.jsonl", `{"_id":"d1","text":"wolf"}`+"\n"+`{"_id":"d0","text":"wolf wolf bear"}`+"\n")
	p.write("data/published/queries.jsonl", `{"_id":"q","text":"wolf"}`+"\n")
	p.write("data/published/similarities.tsv", "model\tarchitecture\td0\td1\n"+strings.Join(rows, "\n")+"\n")
	return root
}

func claimOf(names ...string) string {
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "[[claim]]\nid = %q\ntext = \"t\"\nsource = \"s\"\nkind = \"vectors\"\npoints = \"model.backbone=%s\"\non = \"data:published\"\ntolerance = 1e-4\n", name, name)
	}
	return text.String()
}

func TestClaimsAboutAModelAreJudged(t *testing.T) {
	p := newPlace(t)
	folder := filepath.Join(p.dir, "mine")
	if err := fakeModel(folder); err != nil {
		t.Fatal(err)
	}
	file := p.write("c.toml", claimOf("owner/mine", "owner/other", "owner/absent"))
	p.published("owner/mine\tbert\t1\t2", "owner/other\tbert\t1\t2")
	first := decode[judged](t, p.ok("claims", "--model", folder, "--claims", file, "--backend", "go", "--json"))
	if first.Schema != 1 || len(first.Claims) != 3 {
		t.Fatalf("%+v", first)
	}
	mine, other, absent := first.Claims[0], first.Claims[1], first.Claims[2]
	if mine.Verdict != "FAIL" || len(mine.Observed) != 2 || other.Verdict != "not run" || absent.Verdict != "unknown" {
		t.Fatalf("%+v", first)
	}
	// The figures it gives, published: by its name, and under another name by the figures alone.
	p.published(fmt.Sprintf("owner/mine\tbert\t%v\t%v", mine.Observed[0], mine.Observed[1]), "owner/other\tbert\t1\t2")
	if got := decode[judged](t, p.ok("claims", "--model", folder, "--claims", file, "--backend", "go", "--json")); got.Claims[0].Verdict != "OK" {
		t.Errorf("%+v", got.Claims[0])
	}
	elsewhere := filepath.Join(p.dir, "renamed")
	if err := os.Rename(folder, elsewhere); err != nil {
		t.Fatal(err)
	}
	got := decode[judged](t, p.ok("claims", "--model", elsewhere, "--claims", file, "--backend", "go", "--json"))
	if got.Claims[0].Verdict != "OK" || got.Claims[1].Verdict != "not run" {
		t.Errorf("%+v", got.Claims)
	}
	table := p.ok("claims", "--model", elsewhere, "--claims", file, "--backend", "go")
	if !strings.Contains(table, "owner/mine") || !strings.Contains(table, "OK") {
		t.Error(table)
	}
}

func TestClaimsThatCannotBeJudgedAreSaidOrRefused(t *testing.T) {
	p := newPlace(t)
	folder := filepath.Join(p.dir, "mine")
	if err := fakeModel(folder); err != nil {
		t.Fatal(err)
	}
	// No data at hand: unknown, and the exit code is 0.
	got := decode[judged](t, p.ok("claims", "--model", folder, "--backend", "go", "--json"))
	if len(got.Claims) != 16 || got.Claims[0].Verdict != "unknown" || !strings.Contains(got.Claims[0].Why, "HEADROOM_DATA") {
		t.Errorf("%+v", got.Claims[:1])
	}
	better := p.write("b.toml", "[[claim]]\nid = \"a\"\ntext = \"t\"\nsource = \"s\"\nkind = \"collapses\"\npoints = \"model.rescale=1\"\nshare = 0.5\n")
	if got := decode[judged](t, p.ok("claims", "--model", folder, "--claims", better, "--json")); got.Claims[0].Verdict != "not run" {
		t.Errorf("%+v", got)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"claims"}, "SWEEP or --model MODEL is missing"},
		{[]string{"claims", "demo", "--model", folder}, "SWEEP and --model are both given"},
		{[]string{"claims", "demo", "--threads", "1"}, "--threads is for --model"},
		{[]string{"claims", "--model", folder, "--claims", p.write("x.toml", "[[claim]]\nid = \"a\"\nodd = 1\n")}, "claim.odd: unknown key"},
		{[]string{"claims", "--model", folder, "--claims", filepath.Join(p.dir, "none.toml")}, "none.toml"},
		{[]string{"claims", "--model", filepath.Join(p.dir, "none")}, "none"},
	} {
		if r := p.run(test.args...); r.code != 2 || !strings.Contains(r.stderr, test.want) {
			t.Errorf("%v: exit code %d, %s", test.args, r.code, r.stderr)
		}
	}
}

// TestPublishedVectorsOfARealModel: the figures that sentence-transformers' own test states.
func TestPublishedVectorsOfARealModel(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no published figures to hold a model against")
	}
	p := newPlace(t)
	p.extra = append(p.extra, "HEADROOM_DATA="+root)
	var got judged
	text := p.ok("claims", "--model", filepath.Join(root, "checkpoints", "splade-tiny"), "--backend", "go", "--json")
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Claims {
		want := "not run"
		if c.ID == "splade-tiny" {
			want = "OK"
		}
		if c.Verdict != want {
			t.Errorf("%s is %s, want %s: %s", c.ID, c.Verdict, want, c.Why)
		}
	}
	for i, want := range []float64{4.99237, 18.62739, 12.62022, 13.89826} {
		if got := got.Claims[0].Observed[i]; got < want-1e-4 || got > want+1e-4 {
			t.Errorf("document %d: %v, published %v", i, got, want)
		}
	}
}

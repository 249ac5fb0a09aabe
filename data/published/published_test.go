package published_test

import (
	"strings"
	"testing"

	"headroom/data/groups"
	"headroom/data/published"
)

func TestTheTableIsWhole(t *testing.T) {
	table, err := published.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range groups.Names() {
		for _, member := range groups.Members(group) {
			if _, ok := table.Collection(member); !ok {
				t.Errorf("%s of %s is not in the table", member, group)
			}
		}
	}
	for _, p := range table.Packages {
		if p.Licence == "" || p.Cite == "" || p.Home == "" {
			t.Errorf("%s has no licence, citation or home", p.Name)
		}
		for _, f := range p.Files {
			// Files without a published digest are compared with the hub's.
			if f.Digest() == "" && f.Hub == "" {
				t.Errorf("%s: %s has no digest", p.Name, f.Name())
			}
			if f.URL != "" && f.Size == 0 {
				t.Errorf("%s: %s has no size", p.Name, f.Name())
			}
		}
	}
	for _, c := range table.Collections {
		if c.Counts.Documents == 0 || c.Counts.Queries == 0 || c.Counts.Judgements == 0 || c.Title == "" {
			t.Errorf("%s lacks a count or a title", c.Name)
		}
	}
	// By hand, from BEIR's own page and the collection itself.
	scifact, _ := table.Package("beir/scifact")
	if f := scifact.Files[0]; f.MD5 != "5f7d1de60b170fc8027bb7898e2efca1" || f.Size != 2816079 || scifact.Rows["corpus.jsonl"] != 5183 || scifact.Rows["qrels/test.tsv"] != 339 {
		t.Errorf("scifact: %+v", scifact)
	}
	if got := table.PackagesOf("trec-dl:20"); strings.Join(got, " ") != "msmarco/passages trec-dl/20" {
		t.Errorf("trec-dl:20 needs %q", got)
	}
	if got := table.PackagesOf("msmarco:hard-negatives"); strings.Join(got, " ") != "msmarco/hard-negatives msmarco/passages" {
		t.Errorf("msmarco:hard-negatives needs %q", got)
	}
	if got := table.Nearest("beir:scifakt"); got != "beir:scifact" {
		t.Errorf("nearest to beir:scifakt is %q", got)
	}
}

func TestAFaultyTableIsRefused(t *testing.T) {
	const good = "[[package]]\nname = \"a/b\"\nfiles = [{ url = \"https://x/y.zip\" }]\n[[collection]]\nname = \"a:b\"\npackage = \"a/b\"\n"
	if _, err := published.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for text, say := range map[string]string{
		strings.Replace(good, "name = \"a/b\"", "nmae = \"a/b\"", 1):                    "unknown key package.nmae",
		strings.Replace(good, "package = \"a/b\"", "package = \"a/c\"", 1):              "which is not there",
		strings.Replace(good, "url = \"https://x/y.zip\"", "", 1):                       "a url or a hub",
		strings.Replace(good, "y.zip\"", "y.zip\", md5 = \"12\"", 1):                    "is no digest",
		good + "[[collection]]\nname = \"a:b\"\npackage = \"a/b\"\n":                    "of its own is allowed",
		good + "[[package]]\nname = \"a/b\"\nfiles = [{ url = \"https://x/y.zip\" }]\n": "is there twice",
	} {
		if _, err := published.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%v; want %q", err, say)
		}
	}
}

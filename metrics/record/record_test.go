package record_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/seal"
	"headroom/metrics/record"
)

func TestASummaryOfAnOlderProgram(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(folder, record.SummaryFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"schema":1,"id":"a","dataset":"/c","split":"test","measures":{"nDCG@10":0.5},"qrels_digest":"sha256:1","tie_share":0.25}`)
	e, err := record.ReadEvaluation(folder)
	if err != nil || e.Collection != "sha256:1" || e.MeasuresVersion != 1 || e.Encoder != "" || *e.TieShare != 0.25 || e.TieMass != nil {
		t.Errorf("%+v, %v", e, err)
	}
	e.MeasuresVersion, e.Collection = 7, "sha256:2"
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	write(string(text))
	if again, err := record.ReadEvaluation(folder); err != nil || again.MeasuresVersion != 7 || again.Collection != "sha256:2" {
		t.Errorf("%+v, %v", again, err)
	}
	for text, says := range map[string]string{"{": "summary.json", `{"schema":2}`: "schema is 2: want 1"} {
		write(text)
		if _, err := record.ReadEvaluation(folder); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestDamagedCollectionsAreKnown(t *testing.T) {
	folder := t.TempDir()
	if c, err := record.ReadCollections(folder); err != nil || len(c.References) != 0 {
		t.Errorf("no file: %+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(folder, record.CollectionsFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := record.ReadCollections(folder); !seal.IsDamage(err) || !strings.Contains(err.Error(), "read collections: "+folder) {
		t.Errorf("%v", err)
	}
}

func TestACollectionsNameIsShort(t *testing.T) {
	for reference, want := range map[string]string{
		"/a/b/c": "c", "./c": "c", "builtin:demo": "builtin:demo", "beir:scifact": "beir:scifact", "data:x/c": "data:x/c",
	} {
		if got := record.CollectionName(reference); got != want {
			t.Errorf("%s is called %s, want %s", reference, got, want)
		}
	}
	if got := record.WithDigest("c", "sha256:0123456789abcdef"); got != "c@01234567" {
		t.Error(got)
	}
}

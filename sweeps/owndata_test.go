package sweeps_test

import (
	"path/filepath"
	"strings"
	"testing"

	"headroom/sweeps"
)

func TestASiteNamesCollectionsOfItsOwn(t *testing.T) {
	site, err := sweeps.ParseSite("/site/headroom.toml", []byte(`
[[collection]]
name = "lab:patents"
folder = "patents"
layout = "msmarco"
[[collection]]
name = "beir:scifact"
url = "https://host.example/scifact.zip"
sha256 = "`+strings.Repeat("a", 64)+`"
[[collection]]
name = "lab:hub"
hub = "owner/set@v1.0"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []sweeps.OwnCollection{
		{Name: "lab:patents", Folder: filepath.FromSlash("/site/patents"), Layout: "msmarco"},
		{Name: "beir:scifact", URL: "https://host.example/scifact.zip", SHA256: strings.Repeat("a", 64)},
		{Name: "lab:hub", Hub: "owner/set@v1.0"},
	}
	if len(site.Collections) != 3 || site.Collections[2] != want[2] || site.Collections[0] != want[0] || site.Collections[1] != want[1] {
		t.Errorf("%+v", site.Collections)
	}
}

func TestFaultsOfCollectionsAreNamed(t *testing.T) {
	const good = "name = \"a:b\"\nfolder = \"c\"\n"
	for text, says := range map[string]string{
		"folder = \"c\"\n":                                      "name: is missing",
		"name = \"a:b\"\n":                                      "folder, hub, url: one of them says where",
		good + "url = \"https://x/y.zip\"\n":                    "folder, hub, url: one of them says where",
		good + "sha256 = \"" + strings.Repeat("a", 64) + "\"\n": "sha256: is of what url names",
		good + "foldre = \"c\"\n":                               `did you mean "folder"`,
		good + "layout = \"csv\"\n":                             `"beir", "msmarco", "trec", "hub"`,
		good + "\n[[collection]]\n" + good:                      "is there twice",
		"name = \"data:b\"\nfolder = \"c\"\n":                   `a name such as "lab:patents"`,
		"name = \"a/b\"\nfolder = \"c\"\n":                      `a name such as "lab:patents"`,
		"name = \"a:b\"\nurl = \"ftp://x/y.zip\"\n":             "of a .zip or .tar.gz",
		"name = \"a:b\"\nurl = \"https://x/y.csv\"\n":           "of a .zip or .tar.gz",
		"name = \"a:b\"\nhub = \"nobody\"\n":                    "as owner/name or owner/name@revision",
		"name = \"beir:13\"\nfolder = \"c\"\n":                  "stands for a group of collections",
		"name = 3\nfolder = \"c\"\n":                            "name = 3",
	} {
		_, err := sweeps.ParseSite("headroom.toml", []byte("[[collection]]\n"+text))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "headroom.toml: [[collection]] ") {
			t.Errorf("%q: %v; want %q", text, err, says)
		}
	}
	if _, err := sweeps.ParseSite("headroom.toml", []byte("[collection]\nname = \"a:b\"\n")); err == nil || !strings.Contains(err.Error(), "[[collection]] with lines below it") {
		t.Errorf("a table: %v", err)
	}
}

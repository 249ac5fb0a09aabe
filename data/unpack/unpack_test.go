package unpack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/unpack"
)

type member struct {
	name, text string
	link       bool
}

func file(t *testing.T, kind unpack.Kind, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch kind {
	case unpack.Zip:
		w := zip.NewWriter(&b)
		for _, m := range members {
			h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
			h.SetMode(0o644)
			if m.link {
				h.SetMode(fs.ModeSymlink | 0o777)
			}
			f, err := w.CreateHeader(h)
			check(err)
			io.WriteString(f, m.text)
		}
		check(w.Close())
	case unpack.TarGz:
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, m := range members {
			h := &tar.Header{Name: m.name, Size: int64(len(m.text)), Mode: 0o644, Typeflag: tar.TypeReg}
			if m.link {
				h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, m.text, 0
			}
			check(w.WriteHeader(h))
			if !m.link {
				io.WriteString(w, m.text)
			}
		}
		check(w.Close())
		check(z.Close())
	case unpack.Gz:
		z := gzip.NewWriter(&b)
		io.WriteString(z, members[0].text)
		check(z.Close())
	}
	path := filepath.Join(t.TempDir(), "archive")
	check(os.WriteFile(path, b.Bytes(), 0o644))
	return path
}

func open(path string, kind unpack.Kind, o unpack.Options) (map[string]string, error) {
	got := map[string]string{}
	if o.Most == 0 {
		o.Most = 1 << 20
	}
	err := unpack.Archive(context.Background(), path, kind, o, func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		err := write(&b)
		got[name] = b.String()
		return err
	})
	return got, err
}

func TestMembersComeOut(t *testing.T) {
	for _, kind := range []unpack.Kind{unpack.Zip, unpack.TarGz} {
		path := file(t, kind, member{name: "./a/one.txt", text: "1"}, member{name: "two.txt", text: "22"}, member{name: "left.out", text: "3"})
		got, err := open(path, kind, unpack.Options{Want: func(name string) bool { return name != "left.out" }})
		if want := map[string]string{"a/one.txt": "1", "two.txt": "22"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", kind, got, err)
		}
	}
	got, err := open(file(t, unpack.Gz, member{text: "all of it"}), unpack.Gz, unpack.Options{As: "x.tsv"})
	if err != nil || got["x.tsv"] != "all of it" {
		t.Errorf("gz: %v, %v", got, err)
	}
}

func TestHostileArchivesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		members []member
		most    int64
		say     string
	}{
		"above":     {[]member{{name: "../evil", text: "x"}}, 0, "leads outside"},
		"deep":      {[]member{{name: "a/../../evil", text: "x"}}, 0, "leads outside"},
		"absolute":  {[]member{{name: "/etc/evil", text: "x"}}, 0, "leads outside"},
		"windows":   {[]member{{name: `..\evil`, text: "x"}}, 0, "no name may have"},
		"link":      {[]member{{name: "a", text: "/etc/passwd", link: true}}, 0, "is a link"},
		"twice":     {[]member{{name: "a", text: "x"}, {name: "./a", text: "y"}}, 0, "is there twice"},
		"bomb":      {[]member{{name: "a", text: strings.Repeat("0", 100_000)}}, 1000, "more comes out of it"},
		"two bombs": {[]member{{name: "a", text: strings.Repeat("0", 600)}, {name: "b", text: strings.Repeat("0", 600)}}, 1000, "more comes out of it"},
	} {
		for _, kind := range []unpack.Kind{unpack.Zip, unpack.TarGz} {
			got, err := open(file(t, kind, c.members...), kind, unpack.Options{Most: c.most})
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%s, %s: %v, %v; want %q", name, kind, got, err, c.say)
			}
			for name := range got {
				if strings.Contains(name, "evil") {
					t.Errorf("%s, %s: %q came out", name, kind, name)
				}
			}
		}
	}
	if _, err := open(file(t, unpack.Gz, member{text: strings.Repeat("0", 5000)}), unpack.Gz, unpack.Options{Most: 100, As: "a"}); !errors.Is(err, unpack.ErrTooLarge) {
		t.Errorf("gz bomb: %v", err)
	}
}

func TestDamageIsAnError(t *testing.T) {
	for _, kind := range []unpack.Kind{unpack.Zip, unpack.TarGz, unpack.Gz} {
		path := file(t, kind, member{name: "a", text: strings.Repeat("some text of no length ", 2000)})
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(path, text[:len(text)*2/3], 0o644)
		if _, err := open(path, kind, unpack.Options{As: "a"}); err == nil || !strings.Contains(err.Error(), "unpack archive") {
			t.Errorf("%s: cut short: %v", kind, err)
		}
	}
}

func TestUnpackingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	path := file(t, unpack.Zip, member{name: "a", text: "x"})
	err := unpack.Archive(ctx, path, unpack.Zip, unpack.Options{Most: 10}, func(_ string, write func(io.Writer) error) error { return write(io.Discard) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

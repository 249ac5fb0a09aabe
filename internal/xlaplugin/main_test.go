package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheWheelIsFoundOnAnIndexPage(t *testing.T) {
	base, err := url.Parse("https://mirror.example/simple/lammps-jax-pjrt-cpu/")
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{
		"../../packages/ab/" + wheel + "#sha256=12":       "https://mirror.example/packages/ab/" + wheel,
		"https://files.example/" + wheel + "?a=1&amp;b=2": "https://files.example/" + wheel + "?a=1&b=2",
	} {
		got, err := find(`<a href="other.whl">x</a><a class="c" href="`+link+`" rel="i">y</a>`, base)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", link, got, err)
		}
	}
	if _, err := find("<html></html>", base); err == nil {
		t.Error("a page without the wheel is no error")
	}
}

func TestAWheelOfAnotherDigestIsNotTaken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".whl") {
			_, _ = w.Write([]byte("no wheel"))
			return
		}
		_, _ = w.Write([]byte(`<a href="` + wheel + `">w</a>`))
	}))
	defer server.Close()
	folder := t.TempDir()
	if _, err := fetch(folder, server.URL); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a wrong wheel was taken: %v", err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Errorf("it left %v (%v)", files, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "pjrt_c_api_cpu_plugin.so"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(folder, "http://127.0.0.1:1"); err != nil {
		t.Errorf("a plugin that is there was fetched again: %v", err)
	}
}

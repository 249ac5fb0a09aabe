// Command xlaplugin fetches XLA's CPU client as a PJRT plugin, with which tests run the code
// for GPUs on machines without one. It takes the wheel lammps-jax-pjrt-cpu from the index
// in PIP_INDEX_URL or, if that is not set, by pip, and checks its digest. The plugin
// needs no Python.
//
//	xlaplugin DIR    writes DIR/pjrt_c_api_cpu_plugin.so and prints its path
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"headroom/internal/atomic"
)

const (
	project = "lammps-jax-pjrt-cpu"
	wheel   = "lammps_jax_pjrt_cpu-0.11.2-py3-none-manylinux_2_27_x86_64.whl"
	digest  = "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1"
	member  = "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"
	version = "0.11.2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: xlaplugin DIR")
		os.Exit(2)
	}
	path, err := fetch(os.Args[1], os.Getenv("PIP_INDEX_URL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "xlaplugin:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

// fetch returns the plugin's path; a plugin that is there already is not fetched again.
func fetch(folder, from string) (string, error) {
	path := filepath.Join(folder, filepath.Base(member))
	if _, err := os.Stat(path); err == nil {
		return filepath.Abs(path)
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("fetch %s: there is a wheel for linux/amd64 only, this is %s/%s", project, runtime.GOOS, runtime.GOARCH)
	}
	get := fromPip
	if from != "" {
		get = func() ([]byte, error) { return fromIndex(from) }
	}
	text, err := get()
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != digest {
		return "", fmt.Errorf("fetch %s: its SHA-256 is %x, not %s", wheel, sum, digest)
	}
	if err := extract(text, path); err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// fromIndex reads the wheel from an index of packages (PEP 503).
func fromIndex(index string) ([]byte, error) {
	page, base, err := get(strings.TrimSuffix(index, "/") + "/" + project + "/")
	if err != nil {
		return nil, err
	}
	link, err := find(string(page), base)
	if err != nil {
		return nil, err
	}
	text, _, err := get(link)
	return text, err
}

// fromPip reads the wheel that pip downloads; pip knows its own index and proxies.
func fromPip() ([]byte, error) {
	folder, err := os.MkdirTemp("", "xlaplugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	pip := exec.Command("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, project+"=="+version)
	if out, err := pip.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("fetch %s: PIP_INDEX_URL is not set, and %s: %w: %s", project, pip, err, bytes.TrimSpace(out))
	}
	return os.ReadFile(filepath.Join(folder, wheel))
}

var anchor = regexp.MustCompile(`href="([^"]*` + regexp.QuoteMeta(wheel) + `[^"]*)"`)

// find returns the wheel's address from an index page (PEP 503).
func find(page string, base *url.URL) (string, error) {
	match := anchor.FindStringSubmatch(page)
	if match == nil {
		return "", fmt.Errorf("fetch %s: %s does not list %s", project, base, wheel)
	}
	link, err := base.Parse(html.UnescapeString(match[1]))
	if err != nil {
		return "", fmt.Errorf("fetch %s: %s: %w", project, base, err)
	}
	link.Fragment = ""
	return link.String(), nil
}

func get(address string) ([]byte, *url.URL, error) {
	client := http.Client{Timeout: 5 * time.Minute}
	answer, err := client.Get(address)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("fetch %s: %s", address, answer.Status)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch %s: %w", address, err)
	}
	return text, answer.Request.URL, nil
}

// extract writes the plugin from the wheel to path, whole or not at all.
func extract(text []byte, path string) error {
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return fmt.Errorf("open %s: %w", wheel, err)
	}
	source, err := archive.Open(member)
	if err != nil {
		return fmt.Errorf("open %s: %w", wheel, err)
	}
	defer source.Close()
	if err := atomic.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return atomic.WriteFile(path, func(w io.Writer) error { _, err := io.Copy(w, source); return err })
}

package serve

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"headroom/reports/html"
)

// uPlot (assets/uplot.js, uplot.css) is by Leon Sorokin, under assets/uplot.LICENSE.
//
//go:embed assets
var assetFiles embed.FS

// asset is a file that pages need.
type asset struct {
	kind, tag    string
	text, packed []byte
}

func readAssets() (map[string]asset, error) {
	all := map[string]asset{}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		text, err := assetFiles.ReadFile(path.Join("assets", entry.Name()))
		if err != nil {
			return nil, err
		}
		kind := map[string]string{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}[path.Ext(entry.Name())]
		if kind == "" {
			kind = "text/plain"
		}
		all[entry.Name()] = newAsset(kind, text)
	}
	style, err := html.Style() // the style of reports
	if err != nil {
		return nil, err
	}
	all["base.css"] = newAsset("text/css", style)
	return all, nil
}

func newAsset(kind string, text []byte) asset {
	sum := sha256.Sum256(text)
	return asset{kind + "; charset=utf-8", `"` + hex.EncodeToString(sum[:8]) + `"`, text, packedOf(text)}
}

func packedOf(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is allowed
	w.Write(text)                                         // a write to a buffer cannot fail
	w.Close()
	return b.Bytes()
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := s.assets[r.PathValue("name")]
	if !ok {
		refuse(w, http.StatusNotFound, "no such file")
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache") // the browser asks again with the tag, and gets a short answer
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := a.text
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text = a.packed
	}
	h.Set("Content-Length", fmt.Sprint(len(text)))
	w.Write(text)
}

func acceptsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

// answer writes a text, gzipped if the browser accepts that.
func answer(w http.ResponseWriter, r *http.Request, code int, kind string, text []byte) {
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Vary", "Accept-Encoding")
	if len(text) > 1<<10 && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		var b bytes.Buffer
		g, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		g.Write(text)
		g.Close()
		text = b.Bytes()
	}
	h.Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(code)
	w.Write(text)
}

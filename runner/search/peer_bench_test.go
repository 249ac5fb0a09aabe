package search_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"headroom/internal/alternate"
	"headroom/runner/search"
)

const cutoff = 1000

// BenchmarkSearchAgainstPeers searches the same postings in processes that take turns, on one thread each:
// this package; the plain loop with a heap, and that loop alone ("plain-sums"); if PYTHON has numba, numba's loop
// with numpy's argpartition, and that loop alone ("numba-sums"). The scores found must have the same bits in the same
// order. HEADROOM_BENCH_ROUNDS is how many turns count (9).
func BenchmarkSearchAgainstPeers(b *testing.B) {
	python, script := os.Getenv("PYTHON"), "../../bench/numba_peer.py"
	why := "PYTHON is not set: an interpreter with numba is needed"
	if python != "" {
		out, err := exec.Command(python, script, "check").CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if why = ""; err != nil {
			why = fmt.Sprintf("%s cannot run %s: %v: %s", python, script, err, lines[len(lines)-1])
		} else {
			b.Log(lines[len(lines)-1])
		}
	}
	for _, documents := range sizes() {
		b.Run(fmt.Sprintf("documents=%d", documents), func(b *testing.B) {
			folder, file, postings := saved(b, documents)
			var peers []*alternate.Peer
			start := func(name string, command *exec.Cmd) {
				command.Env = append(os.Environ(), peerVariable+"="+name, "GOMAXPROCS=1")
				p, err := alternate.Start(name, command)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() {
					if err := p.Close(); err != nil {
						b.Error(err)
					}
				})
				peers = append(peers, p)
			}
			for _, name := range []string{"ours", "plain", "plain-sums"} {
				start(name, exec.Command(os.Args[0], folder, file))
			}
			if why == "" {
				start("numba", exec.Command(python, script, "search", folder, file, strconv.Itoa(cutoff)))
				start("numba-sums", exec.Command(python, script, "sums", folder, file, strconv.Itoa(cutoff)))
			} else {
				b.Log(why)
			}
			for b.Loop() {
				results, err := alternate.Run(rounds(b), peers...)
				if err != nil {
					b.Fatal(err)
				}
				for i, r := range results {
					name := peers[i].Name
					b.ReportMetric(r.CPU*1e9/float64(postings), name+"-CPU-ns/posting")
					b.ReportMetric(r.LeastCPU*1e9/float64(postings), name+"-least")
					b.ReportMetric(float64(r.Peak>>20), name+"-peak-MB")
					if i > 0 {
						b.ReportMetric(r.CPU/results[0].CPU, "times-faster-than-"+name)
					}
					if !strings.HasSuffix(name, "-sums") && r.Losses[0] != results[0].Losses[0] {
						b.Errorf("%s found other scores", name)
					}
				}
			}
			b.ReportMetric(0, "ns/op") // of the whole comparison: says nothing
		})
	}
}

// saved are the folder of an index, the file of its queries, and how many postings these touch.
func saved(b *testing.B, documents int) (folder, file string, postings int) {
	b.Helper()
	folder, file = filepath.Join(b.TempDir(), "index"), filepath.Join(b.TempDir(), "queries.json")
	index, queries := generated(b, documents)
	if err := index.Save(folder); err != nil {
		b.Fatal(err)
	}
	if err := saveLists(index, folder); err != nil { // beside the index, for the peer
		b.Fatal(err)
	}
	text, err := json.Marshal(queries)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		b.Fatal(err)
	}
	return folder, file, touched(index, queries)
}

// saveLists writes the postings of an index as arrays of little-endian numbers.
func saveLists(index *search.Index, folder string) error {
	offsets, docs, weights := search.Lists(index)
	for name, numbers := range map[string]any{"offsets": offsets, "documents": docs, "weights": weights} {
		data, err := binary.Append(nil, binary.LittleEndian, numbers)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, "peer-"+name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func rounds(b *testing.B) int {
	b.Helper()
	text := os.Getenv("HEADROOM_BENCH_ROUNDS")
	if text == "" {
		return 9
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("HEADROOM_BENCH_ROUNDS=%q: allowed is an integer of at least 1", text)
	}
	return n
}

const peerVariable = "HEADROOM_SEARCH_PEER"

// TestMain lets the test binary be a benchmark's peer.
func TestMain(m *testing.M) {
	name := os.Getenv(peerVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	serve := servePeer
	if os.Getenv(documentsVariable) != "" {
		serve = serveFullSize
	}
	if err := serve(name, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func servePeer(name, folder, file string) error {
	queries, err := readVectors(file)
	if err != nil {
		return err
	}
	index, err := search.Load(folder)
	if err != nil {
		return err
	}
	var plain *search.Plain
	if name != "ours" {
		plain = search.NewPlain(index)
	}
	return alternate.Serve(os.Stdin, os.Stdout, func() (float64, error) {
		all := make([][]search.Hit, len(queries))
		switch name {
		case "ours":
			var err error
			if all, err = index.SearchAll(context.Background(), queries, cutoff, 1); err != nil {
				return 0, err
			}
		case "plain":
			for i, query := range queries {
				all[i] = plain.Search(query, cutoff)
			}
		case "plain-sums":
			for _, query := range queries {
				plain.Sum(query)
			}
		}
		return weighed(all), nil
	})
}

// weighed is a sum over the bits of scores that their order changes.
func weighed(all [][]search.Hit) float64 {
	total := 0.0
	for _, hits := range all {
		var sum int64
		for i, hit := range hits {
			sum += int64(math.Float32bits(hit.Score)) * int64(i+1)
		}
		total += float64(sum % (1 << 40))
	}
	return total
}

package search_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"headroom/data/trec"
	"headroom/runner/search"
)

func TestWordsAreWhatPythonFinds(t *testing.T) {
	for text, want := range map[string][]string{
		"":                               nil,
		"a b c":                          nil,
		"Hello, World! I'm 42.":          {"hello", "world", "42"},
		"snake_case __init__ x_":         {"snake_case", "__init__", "x_"},
		"IL-2 beta2-microglobulin":       {"il", "beta2", "microglobulin"},
		"naïve Ünïcode ΑΣΑΣ Σ":           {"naïve", "ünïcode", "ασας"},
		"ὈΔΥΣΣΕΎΣ.":                      {"ὀδυσσεύς"},
		"İstanbul":                       {"stanbul"}, // the dot that remains is a mark and parts the word
		"µm ½l ²³ Ⅷa १२":                 {"µm", "½l", "²³", "ⅷa", "१२"},
		"東京 都":                           {"東京"},
		"e\u0301a cafe\u0301":            {"cafe"}, // combining marks are no word characters
		"\u00a0nb\u00a0sp\u200bzw":       {"nb", "sp", "zw"},
		"tail ends":                      {"tail", "ends"},
		"ends with one a":                {"ends", "with", "one"},
		"\ufb01ne \u1e9e\u1e9e ǅǅ ſſ KK": {"\ufb01ne", "ßß", "ǆǆ", "ſſ", "kk"},
	} {
		if got := search.Words(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestBM25WorkedByHand(t *testing.T) {
	texts := []string{"red fish, blue fish", "red blue", "", "green"}
	bm25, err := search.NewBM25([]string{"a", "b", "c", "d"}, texts, search.DefaultBM25())
	if err != nil {
		t.Fatal(err)
	}
	hits, err := bm25.SearchAll(context.Background(), []string{"FISH fish red unknown"}, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	idf := func(df float64) float64 { return math.Log(1 + (4-df+0.5)/(df+0.5)) }
	const average = 7.0 / 4
	tf := func(n, length float64) float64 { return n / (n + 0.9*(0.6+0.4*length/average)) }
	a := 2*idf(1)*tf(2, 4) + idf(2)*tf(1, 4)
	b := idf(2) * tf(1, 2)
	got := hits[0]
	if len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Fatalf("got %v", got)
	}
	for i, want := range []float64{a, b} {
		if math.Abs(float64(got[i].Score)-want) > 1e-6 { // float32
			t.Errorf("%s: score %v, want %v", got[i].ID, got[i].Score, want)
		}
	}
}

func TestBM25RefusesBadParameters(t *testing.T) {
	for _, options := range []search.BM25Options{{K1: -1}, {K1: math.NaN()}, {K1: math.Inf(1)}, {B: 1.1}, {B: math.NaN()}} {
		if _, err := search.NewBM25([]string{"a"}, []string{"x"}, options); err == nil {
			t.Errorf("%+v was taken", options)
		}
	}
	if _, err := search.NewBM25([]string{"a"}, nil, search.DefaultBM25()); err == nil {
		t.Error("an id without a text was taken")
	}
	none, err := search.NewBM25(nil, nil, search.DefaultBM25())
	if err != nil {
		t.Fatal(err)
	}
	if hits, err := none.SearchAll(context.Background(), []string{"red"}, 1, 1); err != nil || len(hits[0]) != 0 {
		t.Errorf("no documents: %v, %v", hits, err)
	}
}

// The known values are those of bm25s 0.3.16 measured by trec_eval over all judged queries.
func TestBM25ReachesItsKnownFiguresOnRealCollections(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: real collections are not there")
	}
	for name, want := range map[string]figures{
		"scifact":   {"0.6550", "0.6263", "0.9650"},
		"medquad":   {"0.5364", "0.4692", "0.9143"},
		"cranfield": {"0.4673", "0.7598", "0.9609"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "medquad" {
				t.Skip("short: MedQuAD takes seconds")
			}
			folder := filepath.Join(root, "beir", name)
			qrels, err := trec.OpenQrels(filepath.Join(folder, "qrels", "test.tsv"))
			if err != nil {
				t.Fatal(err)
			}
			ids, texts := readBEIR(t, filepath.Join(folder, "corpus.jsonl"))
			bm25, err := search.NewBM25(ids, texts, search.DefaultBM25())
			if err != nil {
				t.Fatal(err)
			}
			var judged, queries []string
			all, queryTexts := readBEIR(t, filepath.Join(folder, "queries.jsonl"))
			for i, id := range all {
				if qrels[id] != nil {
					judged, queries = append(judged, id), append(queries, queryTexts[i])
				}
			}
			hits, err := bm25.SearchAll(context.Background(), queries, 1000, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := measure(qrels, search.ToRun(judged, hits)); got != want {
				t.Errorf("nDCG@10, RR, R@1000: got %v, known %v", got, want)
			}
		})
	}
}

type figures [3]string

// measure is a second, short implementation of nDCG@10, RR and R@1000; metrics/ir cannot be imported here.
func measure(qrels trec.Qrels, run trec.Run) figures {
	var ndcg, rr, recall float64
	for query, grades := range qrels {
		var ideal []trec.Scored
		relevant := 0
		for doc, grade := range grades {
			ideal = append(ideal, trec.Scored{Doc: doc, Score: float64(grade)})
			if grade > 0 {
				relevant++
			}
		}
		trec.Rank(ideal)
		ranked := append([]trec.Scored(nil), run[query]...)
		trec.Rank(ranked)
		gain := func(list []trec.Scored) (sum float64) {
			for i, hit := range list[:min(10, len(list))] {
				sum += float64(max(0, grades[hit.Doc])) / math.Log2(float64(i+2))
			}
			return sum
		}
		ndcg += gain(ranked) / gain(ideal)
		found := 0
		for i, hit := range ranked[:min(1000, len(ranked))] {
			if grades[hit.Doc] > 0 {
				if found == 0 {
					rr += 1 / float64(i+1)
				}
				found++
			}
		}
		recall += float64(found) / float64(relevant)
	}
	n := float64(len(qrels))
	return figures{fmt.Sprintf("%.4f", ndcg/n), fmt.Sprintf("%.4f", rr/n), fmt.Sprintf("%.4f", recall/n)}
}

func readBEIR(t *testing.T, path string) (ids, texts []string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var row struct {
			ID    string `json:"_id"`
			Title string `json:"title"`
			Text  string `json:"text"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		text := row.Text
		if row.Title != "" {
			text = row.Title + " " + row.Text
		}
		ids, texts = append(ids, row.ID), append(texts, text)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return ids, texts
}

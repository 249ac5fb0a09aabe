// Command calibration makes the training data of the calibration's runs: a collection, the same
// one with wrong labels, files with a teacher's scores, right, wrong and one too large to be
// squared, and a backbone with a NaN.
//
// Usage: go run ./experiments/calibration [-from FOLDER -train N -dev N] [-model FOLDER -position N] OUT
//
// Without -from the collection is the one that is built in. Everything is a function of the arguments.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/collection"
	"headroom/data/synthetic"
	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/models/safetensors"
)

const (
	negatives = 3
	halfWrong = .5
	// The teacher's margin of a positive above a negative: mean and standard deviation.
	marginMean, marginSD = 7, 1
	// tooLarge is a teacher's score whose square float32 does not hold, in so many rows.
	tooLarge     = 1e30
	tooLargeRows = 6
)

func main() {
	var o options
	flag.StringVar(&o.from, "from", "", "`FOLDER` of a collection in BEIR's layout; none is the built-in one")
	flag.IntVar(&o.train, "train", 0, "training queries that are kept; 0 is all")
	flag.IntVar(&o.dev, "dev", 0, "dev queries that are kept; 0 is all")
	flag.StringVar(&o.model, "model", "", "`FOLDER` of a BERT backbone of which one with a NaN is made")
	flag.IntVar(&o.position, "position", 0, "position whose embedding is NaN")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	// The folder is there whole or not at all; a killed process's remains are made again.
	partial := flag.Arg(0) + ".partial"
	err := os.RemoveAll(partial)
	if err == nil {
		err = prepare(o, partial)
	}
	if err == nil {
		err = os.Rename(partial, flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	from       string
	train, dev int
	model      string
	position   int
}

func prepare(o options, out string) error {
	if o.model != "" {
		return poison(o.model, o.position, out)
	}
	w, err := open(o)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 0))
	for name, share := range map[string]float64{"right": 0, "wrong": 1, "half-wrong": halfWrong} {
		splits := map[string]trec.Qrels{"train": withWrongLabels(w.train, share), "dev": w.dev}
		if err := collection.Write(filepath.Join(out, name), w.documents, w.queries, splits); err != nil {
			return err
		}
	}
	rows := w.rows(random)
	for name, change := range map[string]func(i int, r *row){
		"scored": func(int, *row) {},
		"scored-wrong": func(_ int, r *row) { // the first negative has the positive's score
			r.Scores[0], r.Scores[1] = r.Scores[1], r.Scores[0]
		},
		"scored-too-large": func(i int, r *row) {
			if part := len(rows) / tooLargeRows; i%part == part/2 {
				r.Scores[0] = tooLarge
			}
		},
	} {
		if err := write(filepath.Join(out, name+".jsonl"), rows, change); err != nil {
			return err
		}
	}
	return nil
}

// world is the part of a collection that is kept.
type world struct {
	documents  []collection.Document
	queries    []collection.Query
	train, dev trec.Qrels
}

func open(o options) (w world, err error) {
	if o.from == "" {
		made, err := synthetic.New(synthetic.DemoSeed, synthetic.DemoSize())
		if err != nil {
			return w, err
		}
		return world{made.Documents, made.Queries, made.Qrels["train"], made.Qrels["dev"]}, nil
	}
	c, err := collection.Open(o.from)
	if err != nil {
		return w, err
	}
	train, err1 := c.Qrels("train")
	dev, err2 := c.Qrels("dev")
	documents, err3 := c.Documents()
	queries, err4 := c.Queries()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return w, err
	}
	w.train, w.dev = sampleQueries(train, o.train), sampleQueries(dev, o.dev)
	kept := map[string]bool{}
	for _, split := range []trec.Qrels{w.train, w.dev} {
		for _, documents := range split {
			for id := range documents {
				kept[id] = true
			}
		}
	}
	for _, d := range documents {
		if kept[d.ID] {
			w.documents = append(w.documents, d)
		}
	}
	for _, q := range queries {
		if w.train[q.ID] != nil || w.dev[q.ID] != nil {
			w.queries = append(w.queries, q)
		}
	}
	return w, nil
}

// sampleQueries are n queries of a split, chosen at random; all if n is 0.
func sampleQueries(split trec.Qrels, n int) trec.Qrels {
	names := split.Queries()
	if n == 0 || n >= len(names) {
		return split
	}
	rand.New(rand.NewPCG(2, 0)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	kept := trec.Qrels{}
	for _, name := range names[:n] {
		kept[name] = split[name]
	}
	return kept
}

// withWrongLabels gives a share of the queries the documents of another one.
func withWrongLabels(split trec.Qrels, share float64) trec.Qrels {
	names := split.Queries()
	rand.New(rand.NewPCG(3, 0)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	wrong := int(share * float64(len(names)))
	labels := trec.Qrels{}
	for i, name := range names {
		labels[name] = split[name]
		if i < wrong {
			labels[name] = split[names[(i+1)%wrong]]
		}
	}
	return labels
}

// row is an example with hard negatives and a teacher's scores, the positive's first.
type row struct {
	Query     string    `json:"query"`
	Positive  string    `json:"positive"`
	Negatives []string  `json:"negatives"`
	Scores    []float64 `json:"scores"`
}

// rows are the training queries with those documents that are not relevant and share the
// rarest words with them, and a teacher that knows which is which.
func (w world) rows(random *rand.Rand) (list []row) {
	texts, has := map[string]string{}, map[string][]string{}
	for _, d := range w.documents {
		texts[d.ID] = d.Content()
		seen := map[string]bool{}
		for _, word := range strings.Fields(strings.ToLower(d.Content())) {
			if !seen[word] {
				seen[word] = true
				has[word] = append(has[word], d.ID)
			}
		}
	}
	for _, q := range w.queries {
		relevant := w.train[q.ID]
		if relevant == nil {
			continue
		}
		weight := map[string]float64{}
		for _, word := range strings.Fields(strings.ToLower(q.Text)) {
			for _, id := range has[word] {
				weight[id] += math.Log(1 + float64(len(w.documents))/float64(len(has[word])))
			}
		}
		var ids []string
		for id := range weight {
			if relevant[id] <= 0 {
				ids = append(ids, id)
			}
		}
		slices.SortFunc(ids, func(a, b string) int {
			if weight[a] != weight[b] {
				if weight[a] > weight[b] {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
		for id := range relevant {
			r := row{Query: q.Text, Positive: texts[id], Scores: []float64{10}}
			for _, other := range ids[:min(negatives, len(ids))] {
				r.Negatives = append(r.Negatives, texts[other])
				r.Scores = append(r.Scores, 10-marginMean-marginSD*random.NormFloat64())
			}
			if len(r.Negatives) == negatives {
				list = append(list, r)
			}
			break // one example per query
		}
	}
	return list
}

func write(path string, rows []row, change func(int, *row)) error {
	return atomic.WriteFile(path, func(to io.Writer) error {
		e := json.NewEncoder(to)
		for i, r := range rows {
			r.Scores = slices.Clone(r.Scores)
			change(i, &r)
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// poison copies a backbone and puts a NaN into the embedding of one position, which the first text of that length
// uses.
func poison(from string, position int, out string) error {
	if err := os.CopyFS(out, os.DirFS(from)); err != nil {
		return err
	}
	f, err := safetensors.Open(filepath.Join(from, "model.safetensors"))
	if err != nil {
		return err
	}
	defer f.Close()
	var tensors []safetensors.Tensor
	found := false
	for _, name := range f.Names() {
		_, shape, _ := f.Info(name)
		data, err := f.Float32(name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, "position_embeddings.weight") && position < shape[0] {
			data[position*shape[1]] = float32(math.NaN())
			found = true
		}
		tensors = append(tensors, safetensors.Tensor{Name: name, Shape: shape, Data: data})
	}
	if !found {
		return fmt.Errorf("put a NaN into %q: there is no position embedding of %d positions", from, position+1)
	}
	return errors.Join(os.Remove(filepath.Join(out, "MANIFEST")), safetensors.Write(filepath.Join(out, "model.safetensors"), tensors, f.Metadata()))
}

package search_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"headroom/runner/search"
)

func TestVectorsAreWrittenAsTheContractSays(t *testing.T) {
	var out bytes.Buffer
	w := search.NewVectorWriter(&out)
	for id, v := range map[string]search.Vector{
		"d \"1\"": {Terms: []uint32{0, 17, 30521}, Weights: []float32{0.1, 1, 1.5e-7}},
	} {
		if err := w.Write(id, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write("empty", search.Vector{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"d \"1\"","vector":{"0":0.1,"17":1,"30521":1.5e-07}}` + "\n" + `{"id":"empty","vector":{}}` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if err := w.Write("x", search.Vector{Terms: []uint32{1}, Weights: []float32{float32(math.NaN())}}); err == nil {
		t.Error("NaN was written")
	}
}

func TestEveryFloat32SurvivesAFile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var out bytes.Buffer
	w := search.NewVectorWriter(&out)
	want := search.Vector{Terms: []uint32{0, 1, 2}, Weights: []float32{math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126}}
	for term := uint32(3); term < 20_000; term++ {
		weight := math.Float32frombits(random.Uint32() & 0x7fffffff)
		if weight > 0 && !math.IsInf(float64(weight), 0) {
			want.Terms, want.Weights = append(want.Terms, term), append(want.Weights, weight)
		}
	}
	if err := w.Write("x", want); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	_, got := readOne(t, out.String())
	if !reflect.DeepEqual(got, want) {
		t.Error("a weight changed on its way through a file")
	}
}

func readOne(t *testing.T, text string) (string, search.Vector) {
	t.Helper()
	r, err := search.NewVectorReader(strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	id, v, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the row: %v", err)
	}
	return id, v
}

func TestVectorsAreReadInEveryForm(t *testing.T) {
	want := search.Vector{Terms: []uint32{2, 10}, Weights: []float32{0.5, 3}}
	for name, text := range map[string]string{
		"plain":           `{"id":"7","vector":{"2":0.5,"10":3}}`,
		"integer id":      `{"id":7,"vector":{"2":0.5,"10":3}}`,
		"any order":       `{"vector":{"10":3.0,"2":5e-1},"id":"7"}`,
		"white space":     "\n \n { \"id\" : \"7\" , \"vector\" : { \"2\" : 0.5 , \"10\" : 3 } } \r\n\n",
		"zero is dropped": `{"id":"7","vector":{"2":0.5,"5":0,"6":-0.0,"7":1e-60,"10":3}}`,
		"other members":   `{"content":"x {\"y\"} \n","nested":{"vector":{"3":1},"a":[1,{}]},"id":"7","vector":{"2":0.5,"10":3}}`,
		"escapes":         `{"id":"7","vector":{"\u0032":0.5,"10":3}}`,
		"byte order mark": "\ufeff" + `{"id":"7","vector":{"2":0.5,"10":3}}`,
	} {
		t.Run(name, func(t *testing.T) {
			id, got := readOne(t, text)
			if id != "7" || !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, %v", id, got)
			}
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			if _, err := io.WriteString(z, text); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if id, got := readOne(t, zipped.String()); id != "7" || !reflect.DeepEqual(got, want) {
				t.Errorf("gzipped: got %q, %v", id, got)
			}
		})
	}
}

// badRows are refused wherever vectors are read.
func badRows() map[string]struct{ row, want string } {
	return map[string]struct{ row, want string }{
		"no JSON":           {`id 7`, "jsontext"},
		"cut off":           {`{"id":"7","vector":{"2":0.5`, "unexpected EOF"},
		"an array":          {`["7"]`, "not a JSON object"},
		"two objects":       {`{"id":"7","vector":{}} {"id":"8","vector":{}}`, "more follows"},
		"no id":             {`{"vector":{"2":1}}`, "id or vector is missing"},
		"no vector":         {`{"id":"7"}`, "id or vector is missing"},
		"empty id":          {`{"id":"","vector":{}}`, `id ""`},
		"space in id":       {`{"id":"a b","vector":{}}`, `id "a b"`},
		"fraction as id":    {`{"id":1.5,"vector":{}}`, "id 1.5"},
		"null id":           {`{"id":null,"vector":{}}`, "id null"},
		"vector is a list":  {`{"id":"7","vector":[1]}`, "vector is not an object"},
		"negative":          {`{"id":"7","vector":{"2":-0.5}}`, `term "2" has weight -0.5`},
		"NaN":               {`{"id":"7","vector":{"2":NaN}}`, "jsontext"},
		"string weight":     {`{"id":"7","vector":{"2":"0.5"}}`, `term "2" has weight "0.5"`},
		"null weight":       {`{"id":"7","vector":{"2":null}}`, `term "2" has weight null`},
		"beyond float32":    {`{"id":"7","vector":{"2":1e39}}`, `term "2" has weight 1e39`},
		"term twice":        {`{"id":"7","vector":{"2":1,"2":1}}`, "duplicate"},
		"term twice hidden": {`{"id":"7","vector":{"2":1,"\u0032":1}}`, "duplicate"},
		"vector twice":      {`{"id":"7","vector":{},"vector":{}}`, "duplicate"},
		"not UTF-8":         {"{\"id\":\"\xff\",\"vector\":{}}", "UTF-8"},
	}
}

func TestBadRowsNameFileAndLine(t *testing.T) {
	bad := badRows()
	bad["word as term"] = struct{ row, want string }{`{"id":"7","vector":{"cat":1}}`, `term "cat": a token id is allowed`}
	bad["leading zero"] = struct{ row, want string }{`{"id":"7","vector":{"02":1}}`, `term "02"`}
	bad["huge token id"] = struct{ row, want string }{`{"id":"7","vector":{"4294967298":1}}`, `term "4294967298"`}
	for name, c := range bad {
		t.Run(name, func(t *testing.T) {
			r, err := search.NewVectorReader(strings.NewReader(`{"id":"1","vector":{}}`+"\n\n"+c.row+"\n"), "f.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			_, _, err = r.Next()
			if err == nil || !strings.Contains(err.Error(), "f.jsonl:3: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if r.Line() != 3 {
				t.Errorf("line %d", r.Line())
			}
		})
	}
}

func FuzzVectorReader(f *testing.F) {
	f.Add([]byte(`{"id":"7","vector":{"2":0.5,"10":3}}`))
	f.Add([]byte("{\"id\":7,\"x\":[{}],\"vector\":{\"2\":1e-50}}\n\n{\"vector\":{},\"id\":\"\\u00e9\"}"))
	for _, c := range badRows() {
		f.Add([]byte(c.row))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := search.NewVectorReader(bytes.NewReader(text), "f")
		if err != nil {
			return
		}
		for {
			id, v, err := r.Next()
			if err != nil {
				return
			}
			var out bytes.Buffer
			w := search.NewVectorWriter(&out)
			if err := w.Write(id, v); err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			againID, again := readOne(t, out.String())
			if againID != id || len(again.Terms) != len(v.Terms) || (len(v.Terms) > 0 && !reflect.DeepEqual(again, v)) {
				t.Fatalf("%q %v became %q %v", id, v, againID, again)
			}
		}
	})
}

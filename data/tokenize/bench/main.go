// Command bench is headroom's side of tokenize_ratio.py: for each line "THREADS" on standard input it encodes the
// whole corpus and prints the seconds and the number of ids.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"headroom/data/tokenize"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: bench TOKENIZER.json CORPUS.jsonl")
	}
	tokenizer, err := tokenize.Load(args[0])
	if err != nil {
		return err
	}
	texts, err := readTexts(args[1])
	if err != nil {
		return err
	}
	requests := bufio.NewScanner(in)
	for requests.Scan() {
		threads, err := strconv.Atoi(requests.Text())
		if err != nil {
			return fmt.Errorf("read request %q: %w", requests.Text(), err)
		}
		start := time.Now()
		ids := 0
		for _, list := range tokenizer.EncodeBatch(texts, 0, threads) {
			ids += len(list)
		}
		fmt.Fprintln(out, time.Since(start).Seconds(), ids)
	}
	return requests.Err()
}

func readTexts(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var texts []string
	for decoder := json.NewDecoder(file); ; {
		var document struct{ Title, Text string }
		if err := decoder.Decode(&document); err == io.EOF {
			return texts, nil
		} else if err != nil {
			return nil, fmt.Errorf("read corpus %q: %w", path, err)
		}
		texts = append(texts, document.Title+" "+document.Text)
	}
}

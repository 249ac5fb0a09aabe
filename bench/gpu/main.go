// Command gpubench is headroom's side of bench/gpu.sh: random-weight folders and batches
// that sentence-transformers is given too, and what XLA makes of them.
//
//	gpubench make DIR [tiny]                    folders, batches and a small sweep in DIR
//	gpubench measure DIR SHAPE BACKEND PRECISION [check]
//	                                            one JSON document; check: losses and digest only
//	gpubench table DIR                          Markdown from DIR's JSON documents
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gpubench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "make":
		return makeAll(args[1], len(args) > 2)
	case len(args) >= 5 && args[0] == "measure":
		r, err := measure(args[1], args[2], args[3], args[4], len(args) > 5)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	case len(args) == 2 && args[0] == "table":
		return table(os.Stdout, args[1])
	}
	return errors.New("usage: gpubench make DIR [tiny] | measure DIR SHAPE BACKEND PRECISION [check] | table DIR")
}

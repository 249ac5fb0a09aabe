// Package house checks the rules for the repository's own files that need no compiler: their lengths, their English,
// and that the paths in documents exist. It has tests only; `make lint` and `make test` run them.
package house

// Package house checks the repository's own files if no compiler is needed: their
// lengths, their English, and that the paths in documents exist. It has tests only;
// `make lint` and `make test` run them.
package house

// Package house holds the checks of the repository's own files that need no
// compiler: how long they are, and that what the documents name is there. It has
// tests only; `make lint` and `make test` run them.
package house

// Package crash tries the built program against kills, full disks and damage, on a
// sweep of the smallest size (internal/sample), and counts what came of it. All of it
// is tests: `make crash KILLS=… FLIPS=… DISKS=… SEED=…` runs a longer set than
// `make test` does.
package crash

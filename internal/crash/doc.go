// Package crash tests the built program under kills, full disks and damaged files, on a
// sweep of the smallest size (internal/sample), and counts the outcomes. It has tests
// only; `make crash KILLS=… FLIPS=… DISKS=… SEED=…` runs a longer set than `make test`.
package crash

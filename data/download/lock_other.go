//go:build !unix

package download

import "os"

// tryLock takes no lock on this system: each process fetches into a file of its own.
func tryLock(*os.File) (locked, possible bool) { return false, false }

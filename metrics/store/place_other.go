//go:build !linux

package store

import "os"

// writable tries it.
func writable(folder string) bool {
	file, err := os.CreateTemp(folder, ".writable-*")
	if err != nil {
		return false
	}
	file.Close()
	os.Remove(file.Name())
	return true
}

// network is not known here.
func network(string) bool { return false }

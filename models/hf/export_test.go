package hf

import "headroom/internal/atomic"

// SaveOn is Save on another disk.
func SaveOn(disk atomic.Disk, folder string, m SaveModel) error { return save(disk, folder, m) }

package kept

import "headroom/internal/atomic"

// On is a store that writes to another disk.
func On(disk atomic.Disk, dir string) Store { return Store{Dir: dir, disk: disk} }

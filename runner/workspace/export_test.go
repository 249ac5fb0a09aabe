package workspace

import "headroom/internal/atomic"

// On is a workspace that writes to another disk.
func (w Workspace) On(disk atomic.Disk) Workspace {
	w.disk = disk
	return w
}

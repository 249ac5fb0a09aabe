package lease

import "time"

// PublishWithoutLink makes a generation as on a file system without hard links.
func PublishWithoutLink(dir string, generation int, now time.Time) error {
	self, err := thisProcess()
	if err != nil {
		return err
	}
	return publishWithoutLink(dir, generation, content{process: self, Acquired: now, Heartbeat: now})
}

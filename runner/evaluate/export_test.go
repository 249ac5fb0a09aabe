package evaluate

import (
	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/metrics/ir"
)

// KeepOn writes an evaluation's files to another disk.
func KeepOn(disk atomic.Disk, s Summary, run trec.Run, report ir.Report, dir string) error {
	s.run, s.report = run, report
	_, err := s.keep(disk, dir)
	return err
}

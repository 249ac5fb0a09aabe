//go:build !unix

package worker_test

import "errors"

func limitFiles(uint64) error { return canLimitFiles() }

func canLimitFiles() error {
	return errors.New("this system has no limit on the size of files, which stands for a full disk here")
}

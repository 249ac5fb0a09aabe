//go:build !linux

package pool_test

const hasParentDeathSignal = false

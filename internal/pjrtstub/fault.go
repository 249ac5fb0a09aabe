package pjrtstub

import (
	_ "embed"
	"strconv"
)

//go:embed plugin/fault.c
var faulty []byte

// Fault describes how the plugin of BuildFaulty fails. The zero value is a plugin that never fails.
type Fault struct {
	// Call is the function that fails: Compiles, Uploads, Executes or Downloads.
	Call string
	// From is the number of the first call that fails, counted from 1. Counting begins when
	// the device is opened, and again when Call or From changes.
	From int
	// Message and Code belong to the error; the defaults are those of an illegal address.
	Message string
	Code    int
	// Late: the call succeeds, and the work that it began fails afterwards.
	Late bool
	// Lost: the device is lost with that call, and every later call fails.
	Lost bool
	// Dies: that call ends the process, as XLA's own checks do.
	Dies bool
	// Room is the largest number of texts in one program; with more the device's memory is
	// full. 0 allows any number.
	Room int
}

// The functions that may fail.
const (
	Compiles  = "compile"
	Uploads   = "upload"
	Executes  = "execute"
	Downloads = "download"
)

// Full is the error code for full memory.
const Full = 8

// Environment returns the environment variables that describe the fault to the plugin, which
// reads them at every call. A variable that does not apply has the value "".
func (f Fault) Environment() map[string]string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	flag := func(set bool) string {
		if set {
			return "1"
		}
		return ""
	}
	return map[string]string{
		"FAULT_CALL": f.Call, "FAULT_FROM": number(f.From), "FAULT_MESSAGE": f.Message, "FAULT_CODE": number(f.Code),
		"FAULT_LATE": flag(f.Late), "FAULT_LOST": flag(f.Lost), "FAULT_DIES": flag(f.Dies), "FAULT_ROOM": number(f.Room),
	}
}

// RealPlugin is the variable that names the plugin with which the faulty plugin computes. The
// faulty plugin reads it when it is opened.
const RealPlugin = "FAULT_PLUGIN"

// BuildFaulty compiles the plugin that fails on request into folder and returns its path. Like
// Build, it needs a C compiler and the go command.
func BuildFaulty(folder string) (string, error) {
	return build(folder, "pjrt_c_api_faulty_plugin.so", faulty)
}

package pjrtstub

import (
	_ "embed"
	"strconv"
)

//go:embed plugin/fault.c
var faulty []byte

// Fault is how the plugin of BuildFaulty fails. The zero value never does.
type Fault struct {
	// Call is the function that fails: Compiles, Uploads, Executes or Downloads.
	Call string
	// From is its first call that fails, from 1, counted since the device was opened and
	// since Call or From changed.
	From int
	// Message and Code are the error's; where not set, those of an illegal address.
	Message string
	Code    int
	// Late: the call succeeds, and then the work that it began fails.
	Late bool
	// Lost: the device is lost with that call, and every further one fails.
	Lost bool
	// Dies: that call ends the process, as XLA's own checks do.
	Dies bool
	// Room is how many texts of token ids a program may have side by side, 0 any number:
	// with more the device's memory is full.
	Room int
}

// The functions that may fail.
const (
	Compiles  = "compile"
	Uploads   = "upload"
	Executes  = "execute"
	Downloads = "download"
)

// Full is the code of an error that says that memory is full.
const Full = 8

// Environment are the variables that say so to the plugin, which reads them at every call
// anew: each with a value, "" where it does not apply.
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

// RealPlugin is the variable that names the plugin which the faulty one computes with. It is
// read when the faulty one is opened.
const RealPlugin = "FAULT_PLUGIN"

// BuildFaulty compiles the plugin that fails when it is told to into folder and returns its
// path. It needs what Build needs.
func BuildFaulty(folder string) (string, error) {
	return build(folder, "pjrt_c_api_faulty_plugin.so", faulty)
}

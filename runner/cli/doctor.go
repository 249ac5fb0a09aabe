package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"headroom/runner/engine"
	"headroom/runner/workspace"
)

// checkStatus is the result of a check of doctor.
type checkStatus string

const (
	checkOK   checkStatus = "ok"
	checkWarn checkStatus = "warn" // works, with restrictions
	checkFail checkStatus = "fail" // something does not work that runs need
)

type doctorCheck struct {
	Name   string      `json:"name"`
	Status checkStatus `json:"status"`
	Detail string      `json:"detail"`
}

// errUnwell is returned when a check of doctor fails.
var errUnwell = errors.New("doctor: something that runs need does not work")

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "check this machine and this binary: backend, GPU, SIMD, disk, data",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			checks := a.diagnose()
			unwell := false
			for _, c := range checks {
				unwell = unwell || c.Status == checkFail
			}
			var err error
			if a.global.json {
				err = a.printJSON(struct {
					Schema int           `json:"schema"`
					Checks []doctorCheck `json:"checks"`
				}{schema, checks})
			} else {
				var rows [][]string
				for _, c := range checks {
					rows = append(rows, []string{string(c.Status), c.Name, c.Detail})
				}
				err = a.table(rows)
			}
			if err == nil && unwell {
				err = errUnwell
			}
			return failedError(err)
		},
	}
}

func (a *app) diagnose() []doctorCheck {
	checks := []doctorCheck{checkProgram(), checkGoBackend(), a.checkXLA(), a.checkGPU(), a.checkWorkspace(), a.checkData()}
	resolver, err := a.resolver("")
	if err != nil {
		return append(checks, doctorCheck{"cache", checkFail, err.Error()})
	}
	return append(checks,
		checkFolder("cache", resolver.CacheDir, "made when it is needed"),
		checkFolder("hub cache", resolver.HubCache, "models of the hub are looked for there"))
}

func checkProgram() doctorCheck {
	info := readBuildInfo()
	detail := fmt.Sprintf("%s, %s %s, %d processors", commitOf(info.Commit, info.Dirty), info.Go, info.System, runtime.NumCPU())
	if !info.SIMD {
		return doctorCheck{"program", checkWarn, detail + "; built without GOEXPERIMENT=simd: the Go backend is several times slower (make build sets it)"}
	}
	return doctorCheck{"program", checkOK, detail + ", simd"}
}

func checkGoBackend() doctorCheck {
	backend, err := engine.Open("go", 0)
	if err != nil {
		return doctorCheck{"backend go", checkFail, err.Error()}
	}
	backend.Close()
	return doctorCheck{"backend go", checkOK, "opens"}
}

// checkXLA opens the device for compute.backend = "xla". Without a GPU and without a
// plugin there is nothing to open, and no run needs it.
func (a *app) checkXLA() doctorCheck {
	const name = "backend xla"
	if !xlaLinked {
		return doctorCheck{name, checkWarn, "not linked into this binary: make build-xla"}
	}
	backend, err := engine.Open("xla", 0)
	switch {
	case errors.Is(err, engine.ErrNoPlugin) && len(visibleGPUs(a.env.Environ)) == 0:
		return doctorCheck{name, checkWarn, err.Error()}
	case err != nil:
		return doctorCheck{name, checkFail, err.Error()}
	}
	defer backend.Close()
	return doctorCheck{name, checkOK, "opens: " + backend.Device()}
}

func (a *app) checkGPU() doctorCheck {
	gpus := visibleGPUs(a.env.Environ)
	if len(gpus) == 0 {
		return doctorCheck{"gpu", checkOK, "none visible: compute.backend = \"auto\" is the Go backend"}
	}
	detail := fmt.Sprintf("visible: %s, driver %s", strings.Join(gpus, ", "), orUnknownDriver(gpuDriver()))
	if !xlaLinked {
		return doctorCheck{"gpu", checkWarn, detail + "; this binary cannot use it: make build-xla, or set compute.backend = \"go\""}
	}
	return doctorCheck{"gpu", checkOK, detail}
}

func orUnknownDriver(version string) string {
	return cmp.Or(version, "unknown")
}

func (a *app) checkWorkspace() doctorCheck {
	const name = "workspace"
	root, err := filepath.Abs(a.workspaceRoot())
	if err != nil {
		return doctorCheck{name, checkFail, err.Error()}
	}
	space := "free space unknown"
	if free, ok := freeBytes(root); ok {
		space = fmt.Sprintf("%.1f GB free", float64(free)/1e9)
		if free < 2e9 {
			return doctorCheck{name, checkWarn, root + ": only " + space}
		}
	}
	w, err := workspace.Open(root)
	switch {
	case errors.Is(err, workspace.ErrNone):
		return doctorCheck{name, checkOK, root + ": not made yet, " + space}
	case err != nil:
		return doctorCheck{name, checkFail, err.Error()}
	}
	return doctorCheck{name, checkOK, fmt.Sprintf("%s: id %s, %s", root, w.ID, space)}
}

// freeBytes is the number of bytes that an ordinary user may still write on the disk where a folder is or will be.
func freeBytes(folder string) (uint64, bool) {
	for {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return 0, false
		}
		folder = parent
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}

func (a *app) checkData() doctorCheck {
	const name = "data"
	resolver, err := a.resolver(".")
	if err != nil {
		return doctorCheck{name, checkFail, err.Error()}
	}
	brought := "no collection in the cache " + resolver.Packages().Folder
	if packages := folders(resolver.Packages().Folder, 2); len(packages) > 0 {
		brought = fmt.Sprintf("in the cache %s: %s", resolver.Packages().Folder, strings.Join(packages, ", "))
	}
	if resolver.Mirror != "" {
		brought += "; HEADROOM_MIRROR=" + resolver.Mirror
	}
	if resolver.Offline {
		brought += "; nothing is downloaded (offline)"
	}
	root := a.env.Getenv("HEADROOM_DATA")
	if root == "" {
		return doctorCheck{name, checkOK, "HEADROOM_DATA is not set; " + brought}
	}
	if _, err := os.ReadDir(root); err != nil {
		return doctorCheck{name, checkFail, "HEADROOM_DATA: " + err.Error()}
	}
	return doctorCheck{name, checkOK, fmt.Sprintf("HEADROOM_DATA=%s: %s; %s", root, strings.Join(folders(root, 1), ", "), brought)}
}

// folders lists the folders at a depth below a folder, by their relative paths.
func folders(root string, depth int) []string {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var list []string
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if depth == 1 {
			list = append(list, entry.Name())
			continue
		}
		for _, inner := range folders(filepath.Join(root, entry.Name()), depth-1) {
			list = append(list, entry.Name()+"/"+inner)
		}
	}
	return list
}

func checkFolder(name, path, purpose string) doctorCheck {
	if path == "" {
		return doctorCheck{name, checkWarn, "no place for it: neither HOME nor a variable says where"}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return doctorCheck{name, checkOK, path + ": not there; " + purpose}
	case err != nil:
		return doctorCheck{name, checkFail, err.Error()}
	case !info.IsDir():
		return doctorCheck{name, checkFail, path + " is no folder"}
	}
	return doctorCheck{name, checkOK, path}
}

package submit

import (
	"fmt"
	"strings"
	"time"

	"headroom/sweeps"
)

// CheckPath refuses a folder whose name sbatch cannot read in a script.
func CheckPath(path string) error {
	if strings.ContainsAny(path, "\"\\\n\r\x00") {
		return fmt.Errorf("submit from %q: its path has a quote, a backslash or the end of a line, which sbatch does not read; move the workspace", path)
	}
	return nil
}

// Script is the script of an array for sbatch. It holds every option but the jobs to wait
// for, whose ids are known only when it is submitted.
func Script(folder, workspace string, m Manifest, a Array, s sweeps.Slurm) string {
	var b strings.Builder
	option := func(name, value string) {
		if value == "" {
			return
		}
		if strings.ContainsAny(value, " \t'#;&|*()<>$`") {
			value = `"` + value + `"`
		}
		fmt.Fprintf(&b, "#SBATCH --%s=%s\n", name, value)
	}
	b.WriteString("#!/bin/bash\n")
	option("job-name", a.JobName)
	array := fmt.Sprintf("0-%d", len(a.Tasks)-1)
	if s.Throttle > 0 {
		array += fmt.Sprintf("%%%d", s.Throttle)
	}
	option("array", array)
	option("partition", s.Partition)
	option("account", s.Account)
	option("qos", s.QOS)
	if a.Minutes > 0 {
		option("time", sweeps.SlurmLimit(time.Duration(a.Minutes)*time.Minute))
	}
	if a.Kind != Report { // a report computes nothing
		option("gres", s.Gres)
	}
	if s.CPUs > 0 {
		option("cpus-per-task", fmt.Sprint(s.CPUs))
	}
	option("mem", s.Mem)
	option("signal", fmt.Sprintf("B:%s@%d", s.Signal, s.Lead))
	if s.Requeue > 0 {
		b.WriteString("#SBATCH --requeue\n")
	} else {
		b.WriteString("#SBATCH --no-requeue\n")
	}
	option("open-mode", "append") // a task that begins again keeps its earlier output
	percent := strings.NewReplacer("%", "%%")
	option("output", percent.Replace(folder)+"/logs/"+a.Name+"-%a.log")
	option("chdir", workspace)
	for _, extra := range s.Extra {
		name, value, has := strings.Cut(strings.TrimPrefix(extra, "--"), "=")
		if has {
			option(name, value)
		} else {
			fmt.Fprintf(&b, "#SBATCH --%s\n", name)
		}
	}
	fmt.Fprintf(&b, `
trap '' %s TERM # until the program listens to them
`, s.Signal)
	for _, line := range s.Prelude {
		b.WriteString(line + "\n")
	}
	for _, entry := range m.Environment {
		name, value, _ := strings.Cut(entry, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quoteShell(value))
	}
	fmt.Fprintf(&b, `program=%s
said=$("$program" --version 2>&1) || {
  echo "headroom: node ${SLURMD_NODENAME:-$(hostname)} cannot run $program: ${said##*: }"
  exit 126
}
exec "$program" task --workspace %s --submission %s --array %s
`, quoteShell(m.Program), quoteShell(workspace), quoteShell(m.Sweep+"/"+m.Submission), a.Name)
	return b.String()
}

// quoteShell quotes a word so that the shell reads it unchanged.
func quoteShell(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Package slurmtest runs a real Slurm on this machine for tests: a controller and virtual
// nodes on the loopback interface, without system services, with all state in one folder.
// Its tests submit sweeps to the cluster and break it: `make test-slurm`.
package slurmtest

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options of a cluster.
type Options struct {
	Nodes, CPUs int // 0: 2 nodes of 4 CPUs each; may be more than the machine has
	// MinJobAge is how many seconds a finished job is remembered; 0 is 300.
	MinJobAge int
	// MaxArraySize is one more than the largest index; 0 is 1001.
	MaxArraySize int
	// Preempt is the fate of jobs in the partition low when main needs their CPUs:
	// "REQUEUE" or "CANCEL". "" is REQUEUE.
	Preempt string
	// NodeTimeout is the number of silent seconds after which a node is down; 0 is 20.
	NodeTimeout int
}

// Lab is a running cluster.
type Lab struct {
	Dir     string
	options Options
	port    int
	wrap    []string // a command that gives a daemon a host name of the loopback interface
	daemons map[string]*exec.Cmd
}

// MissingPrograms names the programs that a cluster needs and this machine lacks.
func MissingPrograms() []string {
	var missing []string
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo"} {
		if _, err := find(name); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// find looks for a program in PATH and in the usual folders of daemons.
func find(name string) (string, error) {
	for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin", "/usr/local/sbin") {
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

// Start starts a cluster in a new folder. Its path is short: a socket's has 95 characters.
func Start(o Options) (*Lab, error) {
	o.Nodes, o.CPUs = orInt(o.Nodes, 2), orInt(o.CPUs, 4)
	o.MinJobAge, o.MaxArraySize, o.NodeTimeout = orInt(o.MinJobAge, 300), orInt(o.MaxArraySize, 1001), orInt(o.NodeTimeout, 20)
	o.Preempt = cmp.Or(o.Preempt, "REQUEUE")
	dir, err := os.MkdirTemp("", "headroom-slurm-")
	if err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir, options: o, daemons: map[string]*exec.Cmd{}}
	if err := l.start(); err != nil {
		l.Stop()
		return nil, err
	}
	return l, nil
}

func orInt(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func (l *Lab) start() error {
	if err := os.Chmod(l.Dir, 0o755); err != nil {
		return err
	}
	for _, sub := range []string{"munge", "state", "log", "spool"} {
		if err := os.MkdirAll(filepath.Join(l.Dir, sub), 0o755); err != nil {
			return err
		}
	}
	var err error
	if l.port, err = freePorts(l.options.Nodes + 1); err != nil {
		return err
	}
	host, err := l.host()
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.path("slurm.conf"), []byte(l.configuration(host)), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(l.path("cgroup.conf"), []byte("CgroupPlugin=disabled\n"), 0o644); err != nil || version() < 2311 {
		os.Remove(l.path("cgroup.conf")) // older versions do not know the setting
	}
	if err := l.munge(); err != nil {
		return err
	}
	if err := l.StartController(); err != nil {
		return err
	}
	for n := 1; n <= l.options.Nodes; n++ {
		if err := l.StartNode(n); err != nil {
			return err
		}
	}
	return l.await(60*time.Second, "its nodes are idle", func() bool {
		out, err := l.Command("sinfo", "-h", "-N", "-p", "main", "-o", "%T").Output()
		return err == nil && strings.Count(string(out), "idle") == l.options.Nodes
	})
}

func (l *Lab) path(name string) string { return filepath.Join(l.Dir, name) }

// host returns a name of this machine that resolves to the loopback address, because daemons
// listen on the address of their own host name.
func (l *Lab) host() (string, error) {
	name, err := os.Hostname()
	if err != nil {
		return "", err
	}
	name, _, _ = strings.Cut(name, ".")
	if addresses, err := net.LookupHost(name); err == nil && len(addresses) > 0 && addresses[0] == "127.0.0.1" {
		return name, nil
	}
	wrap := []string{"unshare", "--uts", "--", "sh", "-c", `hostname localhost && exec "$@"`, "sh"}
	if err := exec.Command(wrap[0], append(wrap[1:], "true")...).Run(); err != nil {
		return "", fmt.Errorf("the host name %q is not 127.0.0.1, and a process cannot be given another: %w", name, err)
	}
	l.wrap = wrap
	return "localhost", nil
}

// freePorts finds n free ports in a row and returns the first.
func freePorts(n int) (int, error) {
	for first := 27000 + os.Getpid()%5000*4; first < 60000; first += n {
		free := true
		for port := first; port < first+n && free; port++ {
			listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if free = err == nil; free {
				listener.Close()
			}
		}
		if free {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row", n)
}

// version of the installed Slurm, 2205 for 22.05; 0 if it does not say.
func version() int {
	path, err := find("slurmd")
	if err != nil {
		return 0
	}
	out, err := exec.Command(path, "-V").Output()
	if err != nil {
		return 0
	}
	words := strings.Fields(string(out))
	parts := strings.Split(words[len(words)-1], ".")
	if len(parts) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(parts[0] + parts[1])
	return n
}

func (l *Lab) configuration(host string) string {
	user := "root"
	if name := os.Getenv("USER"); name != "" && os.Getuid() != 0 {
		user = name
	}
	var b strings.Builder
	set := func(lines ...string) { b.WriteString(strings.Join(lines, "\n") + "\n") }
	set("ClusterName=headroom", "SlurmctldHost="+host+"(127.0.0.1)", "SlurmctldPort="+strconv.Itoa(l.port),
		"SlurmUser="+user, "SlurmdUser="+user, "AuthType=auth/munge", "CredType=cred/munge",
		"AuthInfo=socket="+l.path("munge/socket")+",cred_expire=5", // a job that is queued again waits for this long
		"CommunicationParameters=NoCtldInAddrAny,NoInAddrAny",
		"StateSaveLocation="+l.path("state"), "SlurmdSpoolDir="+l.path("spool")+"/%n",
		"SlurmctldPidFile="+l.path("slurmctld.pid"), "SlurmdPidFile="+l.path("slurmd-%n.pid"),
		"SlurmctldLogFile="+l.path("log/slurmctld.log"), "SlurmdLogFile="+l.path("log/slurmd-%n.log"),
		"ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "SwitchType=switch/none", "MpiDefault=none", "MailProg=/bin/true",
		"SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU_Memory", "SlurmdParameters=config_overrides",
		"SchedulerType=sched/backfill", "SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2",
		"PreemptType=preempt/partition_prio", "PreemptMode="+l.options.Preempt, "SlurmctldParameters=preempt_send_user_signal",
		"JobRequeue=1", "KillWait=10", "ReturnToService=2", "PropagateResourceLimits=NONE",
		"SlurmdTimeout="+strconv.Itoa(l.options.NodeTimeout), "SlurmctldTimeout=30",
		"MinJobAge="+strconv.Itoa(l.options.MinJobAge), "MaxArraySize="+strconv.Itoa(l.options.MaxArraySize),
		"AccountingStorageType=accounting_storage/none", "JobCompType=jobcomp/filetxt", "JobCompLoc="+l.path("log/ends.txt"))
	for n := 1; n <= l.options.Nodes; n++ {
		set(fmt.Sprintf("NodeName=n%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=%d RealMemory=4000 State=UNKNOWN", n, host, l.port+n, l.options.CPUs))
	}
	set("PartitionName=main Nodes=ALL Default=YES DefMemPerCPU=500 DefaultTime=10 MaxTime=60 PriorityTier=10 State=UP",
		"PartitionName=low Nodes=ALL DefMemPerCPU=500 DefaultTime=10 MaxTime=60 PriorityTier=1 State=UP GraceTime=5 PreemptMode="+l.options.Preempt)
	return b.String()
}

// munge starts the daemon that authenticates processes.
func (l *Lab) munge() error {
	key := make([]byte, 128)
	file, err := os.Open("/dev/urandom")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Read(key); err != nil {
		return err
	}
	if err := os.WriteFile(l.path("munge/key"), key, 0o600); err != nil {
		return err
	}
	if err := os.Chmod(l.path("munge"), 0o711); err != nil {
		return err
	}
	err = l.launch("munged", nil, "munged", "--foreground", "--force", "--key-file="+l.path("munge/key"), "--socket="+l.path("munge/socket"),
		"--pid-file="+l.path("munge/pid"), "--seed-file="+l.path("munge/seed"), "--log-file="+l.path("log/munged.log"))
	if err != nil {
		return err
	}
	return l.await(20*time.Second, "munged answers", func() bool {
		return l.Command("munge", "-S", l.path("munge/socket"), "-n").Run() == nil
	})
}

// StartController starts the controller and waits until it answers.
func (l *Lab) StartController() error {
	if err := l.launch("slurmctld", l.wrap, "slurmctld", "-D"); err != nil {
		return err
	}
	return l.await(40*time.Second, "the controller answers", func() bool {
		out, err := l.Command("scontrol", "ping").Output()
		return err == nil && strings.Contains(string(out), "UP")
	})
}

// KillController ends the controller as a crash would.
func (l *Lab) KillController() { l.kill("slurmctld") }

// StartNode starts a node's daemon.
func (l *Lab) StartNode(n int) error {
	name := fmt.Sprintf("n%d", n)
	return l.launch(name, l.wrap, "slurmd", "-D", "-N", name)
}

// ReviveNode starts a node's daemon again, and lets it have tasks: Slurm drains a node on
// which a task could not be started.
func (l *Lab) ReviveNode(n int) error {
	if err := l.StartNode(n); err != nil {
		return err
	}
	return l.Command("scontrol", "update", fmt.Sprintf("NodeName=n%d", n), "State=RESUME").Run()
}

// KillNode ends a node's daemon as a crash would. Its tasks run on.
func (l *Lab) KillNode(n int) { l.kill(fmt.Sprintf("n%d", n)) }

// launch starts a daemon in a session of its own.
func (l *Lab) launch(name string, wrap []string, program string, args ...string) error {
	path, err := find(program)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(l.path("log/"+name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	line := append(append(append([]string{}, wrap...), path), args...)
	command := exec.Command(line[0], line[1:]...)
	command.Env, command.Stdout, command.Stderr = l.Env(), out, out
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	l.daemons[name] = command
	return nil
}

func (l *Lab) kill(name string) {
	if command := l.daemons[name]; command != nil {
		delete(l.daemons, name)
		_ = command.Process.Kill() // it may be gone already
		_ = command.Wait()
	}
}

// await polls until is returns true. what says in the error what it waited for.
func (l *Lab) await(patience time.Duration, what string, is func() bool) error {
	for end := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("waited %v in vain until %s; see %s", patience, what, l.path("log"))
		}
	}
	return nil
}

// Env is the environment for Slurm's commands, without the variables of a surrounding job.
func (l *Lab) Env() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "SLURM_") && !strings.HasPrefix(entry, "SBATCH_") && !strings.HasPrefix(entry, "PATH=") {
			env = append(env, entry)
		}
	}
	return append(env, "SLURM_CONF="+l.path("slurm.conf"), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

// Command returns a command that talks to this cluster.
func (l *Lab) Command(name string, args ...string) *exec.Cmd {
	command := exec.Command(name, args...)
	command.Env = l.Env()
	return command
}

// Stop cancels all jobs, ends all daemons and removes the folder.
func (l *Lab) Stop() {
	if l.daemons["slurmctld"] != nil {
		if out, err := l.Command("squeue", "-h", "-o", "%A").Output(); err == nil && len(out) > 0 {
			_ = l.Command("scancel", strings.Fields(string(out))...).Run()
			_ = l.await(20*time.Second, "all is cancelled", func() bool {
				left, err := l.Command("squeue", "-h", "-o", "%A").Output()
				return err != nil || len(left) == 0
			})
		}
	}
	for name := range l.daemons {
		l.kill(name)
	}
	_ = os.RemoveAll(l.Dir)
}

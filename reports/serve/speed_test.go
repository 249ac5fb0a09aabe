//go:build page

package serve_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"headroom/metrics/event"
)

var (
	benchRuns  = flag.Int("runs", 500, "runs of the sweep of BenchmarkLivePage")
	benchSteps = flag.Int("steps", 10_000, "steps of each")
)

// program is the built one, as people use it.
func program(b *testing.B) string {
	b.Helper()
	path := os.Getenv("HEADROOM_PROGRAM")
	if path == "" {
		b.Skip("HEADROOM_PROGRAM names the program: make bench-page")
	}
	return path
}

// grown writes two sweeps: "long", with the given numbers of runs and of steps per run and five series, and "wide",
// with 1,000 runs of 20 steps. It returns the logs of four runs of the first, to add to. HEADROOM_BENCH_PAGE=DIR
// keeps the workspace there, and takes the one that is there.
func grown(b *testing.B, runs, steps int) (*site, []*event.Log) {
	b.Helper()
	s := newSite(b)
	if folder := os.Getenv("HEADROOM_BENCH_PAGE"); folder != "" {
		s.Root = filepath.Join(folder, fmt.Sprintf("%d-%d", runs, steps))
	}
	var open []*event.Log
	if _, err := os.Stat(filepath.Join(s.Root, "complete")); err == nil {
		for i := range 4 { // further attempts, which resume from the same step
			open = append(open, s.attempt(fmt.Sprintf("%x%04x", 'l', i), steps, steps+1000))
		}
		return s, open
	}
	s.Write("workspace.json", `{"id":"0123456789abcdef0123456789abcdef","format":1}`)
	for _, sweep := range []struct {
		name        string
		runs, steps int
	}{{"long", runs, steps}, {"wide", 1000, 20}} {
		var members []member
		for i := range sweep.runs {
			name := fmt.Sprintf("%x%04x", sweep.name[0], i)
			members = append(members, member{name, fmt.Sprintf("%s-%d", sweep.name, i), math.Exp2(float64(i / 5 % 6)), int64(i%5 + 1), .001 * float64(1+i/30)})
		}
		s.sweep(sweep.name, "How fast is the page?", members...)
		for i, m := range members {
			l := s.attempt(m.name, 0, sweep.steps+1000)
			for step := range sweep.steps {
				if err := l.Append(stepOf(i, step)); err != nil {
					b.Fatal(err)
				}
			}
			if len(open) < 4 {
				s.Add(l)
				open = append(open, l)
				continue
			}
			s.Add(l, event.Judged{Verdict: "healthy", Chain: []string{}}, event.Ended{State: event.StateDone, Step: sweep.steps, Seconds: 10, Weights: "w"})
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	s.Write("complete", "")
	return s, open
}

func stepOf(run, step int) event.Step {
	x := float64(step)
	noise := math.Sin(x*12.9898+float64(run)) / 10
	return event.Step{Step: step, Values: map[string]event.Value{
		"loss": event.Value(4/(1+x/200) + noise), "active/query": event.Value(30 + 100/(1+x/100) + noise), "active/document": event.Value(120 + 900/(1+x/100) + noise),
		"grad_norm": event.Value(1 + noise), "seconds": event.Value(.1 + noise/100)}}
}

// served starts `headroom serve` on a workspace and returns its address and process.
func served(b *testing.B, root string) (address string, process *os.Process) {
	b.Helper()
	command := exec.Command(program(b), "serve", "-w", root)
	command.Env = append(os.Environ(), "HEADROOM_CACHE="+b.TempDir())
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		b.Fatalf("serve said %q, %v", line, err)
	}
	return strings.TrimSuffix(address, "/"), command.Process
}

// cpu is the processor time that a process has used.
func cpu(b *testing.B, p *os.Process) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // of 100 per second
}

// peak is the most memory that a process has had, in MB.
func peak(b *testing.B, p *os.Process) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1e3
		}
	}
	b.Fatal("no VmHWM")
	return 0
}

// timed lets the page keep how long its script works on each event of news.
const timed = `{
	window.spent = [];
	const listen = EventSource.prototype.addEventListener;
	EventSource.prototype.addEventListener = function (name, handle) {
		listen.call(this, name, name !== "news" ? handle : e => { const t = performance.now(); handle(e); window.spent.push(performance.now() - t); });
	};
}`

// BenchmarkLivePage measures the page of a large sweep as people see it: the program's
// processor time, what travels, what Chromium says of itself, and how much memory it takes.
func BenchmarkLivePage(b *testing.B) {
	bin := program(b)
	s, open := grown(b, *benchRuns, *benchSteps)
	began := time.Now()
	fold := exec.Command(bin, "status", "-w", s.Root, "--json")
	fold.Env = append(os.Environ(), "HEADROOM_CACHE="+b.TempDir())
	if out, err := fold.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.ReportMetric(fold.ProcessState.UserTime().Seconds()+fold.ProcessState.SystemTime().Seconds(), "fold-CPU-s")
	b.ReportMetric(float64(fold.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1e3, "fold-MB")
	b.Logf("folded in %v", time.Since(began))

	address, process := served(b, s.Root)
	ready(b, address)
	b.Logf("ready: %v of processor time, %.0f MB at most", cpu(b, process), peak(b, process))
	for _, path := range []string{"/", "/sweeps/long", "/sweeps/wide"} {
		before := cpu(b, process)
		const times = 10
		for range times {
			fetch(b, address+path)
		}
		b.ReportMetric((cpu(b, process)-before).Seconds()*1e3/times, "CPU-ms:"+path)
	}
	ctx := browser(b)
	run(b, ctx, "without a cache", network.SetCacheDisabled(true)) // as on a first visit
	for _, path := range []string{"/", "/sweeps/long"} {
		// The quickest of five visits counts: other work of the machine makes visits slower, and nothing makes them
		// quicker. The program keeps curves, so the first visit is printed as well.
		var paints, draws []float64
		var bytes float64
		for range 5 {
			var paint, drawn float64
			before := cpu(b, process)
			run(b, ctx, path, chromedp.Navigate("about:blank"), chromedp.Navigate(address+path), until(`performance.getEntriesByName("first-contentful-paint").length > 0`),
				until(`!document.getElementById("curves") || document.querySelectorAll("#plots canvas").length > 0`),
				chromedp.Evaluate(`performance.now()`, &drawn),
				chromedp.Evaluate(`performance.getEntriesByName("first-contentful-paint")[0].startTime`, &paint),
				chromedp.Evaluate(`performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource")).reduce((n, e) => n + e.transferSize, 0)`, &bytes))
			paints, draws = append(paints, paint), append(draws, drawn)
			b.Logf("%s: painted after %.0f ms, drawn after %.0f, %.0f kB; the program used %v", path, paint, drawn, bytes/1e3, cpu(b, process)-before)
		}
		b.ReportMetric(slices.Min(paints), "paint-ms:"+path)
		b.ReportMetric(slices.Min(draws), "drawn-ms:"+path)
		b.ReportMetric(draws[0], "drawn-first-ms:"+path)
		b.ReportMetric(bytes/1e3, "kB:"+path)
	}
	updates(b, ctx, address, process, open, *benchSteps)
	table(b, ctx, address)
	b.ReportMetric(peak(b, process), "peak-MB")
	b.ReportMetric(0, "ns/op")
}

// updates adds steps to four runs, again and again, while the page of their sweep is open.
func updates(b *testing.B, ctx context.Context, address string, process *os.Process, open []*event.Log, from int) {
	b.Helper()
	run(b, ctx, "timing", chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(timed).Do(ctx)
		return err
	}), chromedp.Navigate(address+"/sweeps/long"), until(`document.querySelectorAll("#plots canvas").length > 0`), until(`document.getElementById("connection").textContent.startsWith("live")`))
	time.Sleep(2 * time.Second)
	before, began := cpu(b, process), time.Now()
	time.Sleep(3 * time.Second)
	idle := (cpu(b, process) - before).Seconds() / time.Since(began).Seconds()
	before, began = cpu(b, process), time.Now()
	const rounds = 20
	for i := range rounds {
		for j, l := range open {
			for step := from + i*5; step < from+i*5+5; step++ {
				if err := l.Append(stepOf(j, step)); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Flush(); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(time.Second)
	}
	var spent []float64
	run(b, ctx, "updates", chromedp.Evaluate(`window.spent`, &spent))
	used := (cpu(b, process) - before).Seconds() // with the looks at all that stands still
	var worst, sum float64
	for _, ms := range spent {
		worst, sum = max(worst, ms), sum+ms
	}
	if len(spent) < rounds/2 {
		b.Fatalf("the page had %d of %d updates", len(spent), rounds)
	}
	b.ReportMetric(used*1e3/float64(len(spent)), "update-CPU-ms")
	b.ReportMetric(sum/float64(len(spent)), "update-script-ms")
	b.ReportMetric(worst, "update-script-worst-ms")
	b.ReportMetric(idle*1e3, "idle-CPU-ms/s")
}

// table goes through a table of 1,000 runs with the keys, and filters it.
func table(b *testing.B, ctx context.Context, address string) {
	b.Helper()
	var keys, sorted float64
	run(b, ctx, "table", chromedp.Navigate(address+"/sweeps/wide?all=1"), until(`document.querySelectorAll("table.runs tbody tr").length === 1000`),
		chromedp.Evaluate(`(() => { const t = performance.now(); for (let i = 0; i < 100; i++) { document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true })); document.body.offsetHeight; } if (!document.querySelector("tr.at")) throw "no row is chosen"; return (performance.now() - t) / 100; })()`, &keys),
		chromedp.Evaluate(`window.began = performance.now(); document.querySelector("table.runs thead a").click()`, nil),
		until(`location.search.includes("sort=") && document.querySelectorAll("table.runs tbody tr").length === 1000`), chromedp.Evaluate(`performance.now() - window.began`, &sorted))
	b.ReportMetric(keys, "key-ms")
	b.ReportMetric(sorted, "sort-ms")
}

// ready waits until the workspace has been read.
func ready(b *testing.B, address string) {
	b.Helper()
	for late := time.Now().Add(5 * time.Minute); ; {
		if strings.Contains(fetch(b, address+"/"), "/sweeps/wide") {
			return
		}
		if time.Now().After(late) {
			b.Fatal("the workspace is not read")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func fetch(b *testing.B, address string) string {
	b.Helper()
	answer, err := http.Get(address)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d %v", address, answer.StatusCode, err)
	}
	return string(text)
}

//go:build page

package serve_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"headroom/metrics/event"
)

// browser opens a tab of Chromium, or skips if there is none. Of whatever the pages'
// scripts complain, the test fails.
func browser(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-gpu", true))
	if path := os.Getenv("HEADROOM_CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("a script failed: %v", e.ExceptionDetails)
		case *log.EventEntryAdded:
			// What a test takes away is not there, and what it stops does not answer.
			if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
				t.Errorf("the browser complains at %s: %s", e.Entry.URL, e.Entry.Text)
			}
		}
	})
	if err := chromedp.Run(ctx, log.Enable(), runtime.Enable(), chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Skipf("no Chromium that runs (HEADROOM_CHROMIUM names one): %v", err)
	}
	return ctx
}

func run(t testing.TB, ctx context.Context, what string, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var seen string
		// If the page does not answer any more, the test reports the error itself.
		_ = chromedp.Run(ctx, chromedp.Evaluate(`location.href + " " + document.title + " " + (document.getElementById("only") || {}).value + " " + document.querySelectorAll("table.runs tbody tr").length + " rows, " + document.getElementById("connection").textContent`, &seen))
		t.Fatalf("%s: %v at %s", what, err, seen)
	}
}

// until waits for an expression of the page's script to be true, also while another page
// takes the place of this one.
func until(expression string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		late := time.Now().Add(30 * time.Second)
		for {
			holds := false
			err := chromedp.Evaluate("!!("+expression+")", &holds).Do(ctx)
			if err == nil && holds {
				return nil
			}
			if time.Now().After(late) || ctx.Err() != nil {
				return fmt.Errorf("never true: %s: %w", expression, errors.Join(err, ctx.Err()))
			}
			time.Sleep(30 * time.Millisecond)
		}
	})
}

const points = `headroomCurves.points()[0].reduce((a, b) => a + b, 0)`

func TestThePageInABrowser(t *testing.T) {
	s := four(t)
	d := s.attempt("d", 0, 100)
	s.steps(d, 0, 10)
	s.open().watch()
	ctx := browser(t)
	var before int
	run(t, ctx, "curves are drawn", chromedp.Navigate(s.server.URL+"/sweeps/demo?band=0"), until(`document.querySelectorAll("#plots canvas").length === 2`),
		until(`document.getElementById("connection").textContent.startsWith("live")`), chromedp.Evaluate(points, &before))

	s.steps(d, 10, 25)
	s.Add(d, collapse("identical", 20, 24, true))
	run(t, ctx, "news arrive", until(fmt.Sprintf("%s === %d", points, before+15)), until(`document.getElementById("r-`+id("d")+`").textContent.includes("25 / 100")`),
		until(`document.getElementById("alerts").textContent.includes("identical since step 20")`))

	var values string
	run(t, ctx, "values under the pointer stay when news come", chromedp.ScrollIntoView("#plots"), chromedp.ActionFunc(func(ctx context.Context) error {
		var at struct{ X, Y float64 }
		if err := chromedp.Evaluate(`(() => { const r = document.querySelector(".u-over").getBoundingClientRect(); return {X: r.x + r.width / 4, Y: r.y + r.height / 2}; })()`, &at).Do(ctx); err != nil {
			return err
		}
		return chromedp.MouseEvent(input.MouseMoved, at.X, at.Y).Do(ctx)
	}), until(`document.querySelector("#plots .values").textContent.startsWith("step ")`), chromedp.Evaluate(points, &before))
	s.steps(d, 25, 30)
	run(t, ctx, "news under the pointer", until(fmt.Sprintf("%s === %d", points, before+5)), chromedp.Evaluate(`document.querySelector("#plots .values").textContent`, &values))
	if !strings.HasPrefix(values, "step ") {
		t.Errorf("under the pointer is %q once news came", values)
	}

	run(t, ctx, "to the filter", chromedp.KeyEvent("/"), until(`document.activeElement.id === "only"`), chromedp.Evaluate(`document.getElementById("only").value = ""`, nil))
	run(t, ctx, "a filter", chromedp.SendKeys("#only", "seed=1\r"), until(`location.search.includes("seed")`), until(`document.querySelectorAll("table.runs tbody tr").length === 2`))
	run(t, ctx, "back", chromedp.Evaluate(`history.back()`, nil), until(`document.querySelectorAll("table.runs tbody tr").length === 4`))
	run(t, ctx, "a cell of the map", chromedp.Click("table.map td a"), until(`document.querySelectorAll("table.runs tbody tr").length === 2`),
		chromedp.Click("#unfilter"), until(`document.querySelectorAll("table.runs tbody tr").length === 4`))
}

// key presses one key outside of any field.
func key(text string) chromedp.Action { return chromedp.KeyEvent(text) }

func TestKeysInABrowser(t *testing.T) {
	s := four(t).open().watch()
	ctx := browser(t)
	at := func(label string) chromedp.Action {
		return until(`(document.querySelector("tr.at a.open") || {}).textContent === "` + label + `"`)
	}
	run(t, ctx, "the sweep", chromedp.Navigate(s.server.URL+"/sweeps/demo"), until(`document.getElementById("connection").textContent.startsWith("live")`), until(`document.title === "demo · headroom"`))
	run(t, ctx, "j and k", key("j"), at("tiny-k1-s1"), key("j"), key("j"), at("tiny-k8-s1"), key("k"), at("tiny-k1-s2"))
	run(t, ctx, "x chooses", key("x"), until(`document.querySelectorAll("input[name=run]:checked").length === 1`), key("k"), key("x"), until(`document.querySelectorAll("input[name=run]:checked").length === 2`))
	run(t, ctx, "c compares", key("c"), until(`location.pathname === "/compare" && document.querySelector("h1").textContent === "2 runs side by side"`), until(`document.title === "comparison · headroom"`),
		until(`document.body.textContent.includes("-0.5000 to -0.3000")`))
	run(t, ctx, "back", chromedp.Evaluate(`history.back()`, nil), until(`location.pathname === "/sweeps/demo" && document.querySelectorAll("table.runs tbody tr").length === 4`))
	run(t, ctx, "? shows the keys", key("?"), until(`document.getElementById("keys").open`), chromedp.KeyEvent("\u001b"), until(`!document.getElementById("keys").open`))
	run(t, ctx, "Enter opens", key("j"), key("j"), at("tiny-k1-s2"), key("\r"), until(`location.pathname.startsWith("/runs/")`), until(`document.title === "tiny-k1-s2 · headroom"`))
	run(t, ctx, "u goes up", until(`document.getElementById("connection").textContent.startsWith("live")`), key("u"), until(`location.pathname === "/sweeps/demo"`))
	run(t, ctx, "u goes up again", until(`document.getElementById("connection").textContent.startsWith("live")`), key("u"), until(`location.pathname === "/"`), until(`document.title === "headroom"`))
	run(t, ctx, "a key within a field is a letter", chromedp.Navigate(s.server.URL+"/sweeps/demo"), chromedp.WaitReady("#only"), chromedp.SendKeys("#only", "jk?"), until(`document.getElementById("only").value === "jk?" && !document.getElementById("keys").open`))
}

// A stretch that is dragged over is read as it is, its address can be reloaded, and 0 and
// the back button end it.
func TestDraggingOverACurveZoomsInABrowser(t *testing.T) {
	s := newSite(t)
	s.sweep("demo", "", member{"a", "one", 1, 1, 0})
	s.steps(s.attempt("a", 0, 4000), 0, 4000)
	s.open().watch()
	ctx := browser(t)
	var box struct{ X, Y, W, H float64 }
	run(t, ctx, "the run", chromedp.Navigate(s.server.URL+"/runs/"+id("a")+"?series=loss"), until(`document.querySelectorAll("#plots canvas").length === 1`), chromedp.ScrollIntoView("#plots"),
		chromedp.Evaluate(`(() => { const r = document.querySelector(".u-over").getBoundingClientRect(); return {X: r.x, Y: r.y, W: r.width, H: r.height}; })()`, &box))
	y := box.Y + box.H/2
	mouse := func(kind input.MouseType, share float64) chromedp.Action {
		return chromedp.MouseEvent(kind, box.X+box.W*share, y, chromedp.ButtonLeft)
	}
	run(t, ctx, "drag", mouse(input.MouseMoved, .5), mouse(input.MousePressed, .5), mouse(input.MouseMoved, .52), mouse(input.MouseMoved, .525), mouse(input.MouseReleased, .525),
		until(`location.search.includes("from=") && document.querySelectorAll("#plots canvas").length === 1`), until(`document.getElementById("zoom-end")`))
	var span [2]int
	run(t, ctx, "what is drawn", until(points+` > 0 && headroomCurves.points()[0].length === 1`),
		chromedp.Evaluate(`["from", "to"].map(n => Number(new URL(location.href).searchParams.get(n)))`, &span), until(fmt.Sprintf("%s === new URL(location.href).searchParams.get('to') - new URL(location.href).searchParams.get('from')", points)))
	if span[0] < 1900 || span[1] > 2250 || span[1]-span[0] > 200 {
		t.Errorf("half of the curve and 2.5 %% more are steps %v", span)
	}
	run(t, ctx, "reload", chromedp.Reload(), until(`document.querySelectorAll("#plots canvas").length === 1 && document.getElementById("zoom-end")`))
	run(t, ctx, "0 ends it", key("0"), until(`!location.search.includes("from=") && !document.getElementById("zoom-end") && document.querySelectorAll("#plots canvas").length === 1`))
	run(t, ctx, "back to it", chromedp.Evaluate(`history.back()`, nil), until(`location.search.includes("from=") && document.getElementById("zoom-end")`))
}

func TestAPageWhoseWorkspaceGoesAndComesInABrowser(t *testing.T) {
	s := four(t).open().watch()
	ctx := browser(t)
	run(t, ctx, "the sweep", chromedp.Navigate(s.server.URL+"/sweeps/demo"), until(`document.getElementById("connection").textContent.startsWith("live")`), until(`document.getElementById("fault").hidden`))
	if err := os.Rename(s.Root, s.Root+"-away"); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, "it is gone", until(`!document.getElementById("fault").hidden && document.getElementById("fault").textContent.includes("what is shown may be old")`), until(`document.querySelectorAll("table.runs tbody tr").length === 4`))
	if err := os.Rename(s.Root+"-away", s.Root); err != nil {
		t.Fatal(err)
	}
	run(t, ctx, "it is back", until(`document.getElementById("fault").hidden`))
	s.server.CloseClientConnections()
	s.server.Listener.Close()
	run(t, ctx, "the program is gone", until(`document.getElementById("connection").textContent.startsWith("disconnected")`))
}

func TestNamesWithMarkupDoNothing(t *testing.T) {
	s := newSite(t)
	hostile := `</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">`
	s.sweep("demo", hostile, member{"a", hostile, 1, 1, 0}, member{"b", "b" + hostile, 2, 1, 0})
	l := s.attempt("a", 0, 100)
	s.steps(l, 0, 5)
	e := collapse("empty", 1, 4, true)
	e.Evidence.Rule = hostile
	s.Add(l, e)
	s.open().watch()
	ctx := browser(t)
	for _, page := range []string{"/", "/sweeps/demo", "/runs/" + id("a")} {
		run(t, ctx, page, chromedp.Navigate(s.server.URL+page), until(`document.getElementById("connection").textContent.startsWith("live")`))
		s.Add(l, event.Notice{Message: hostile})
		run(t, ctx, page+" has news", until(`document.getElementById("connection").textContent.includes("last news")`), until(`window.hacked === undefined`))
	}
}

// TestPagesFitEveryWindow looks at three widths in both themes that nothing is wider than
// the window. With HEADROOM_SHOTS=DIR it keeps pictures there.
func TestPagesFitEveryWindow(t *testing.T) {
	s := four(t).open().watch()
	ctx := browser(t)
	for _, width := range []int64{360, 1280, 3840} {
		for _, theme := range []string{"light", "dark"} {
			for name, page := range map[string]string{"overview": "/", "sweep": "/sweeps/demo", "run": "/runs/" + id("b"), "compare": "/compare?run=" + id("a") + "," + id("b")} {
				var wide bool
				var picture []byte
				run(t, ctx, name, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
					chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.server.URL+page), chromedp.WaitReady("#main"),
					until(`!document.getElementById("curves") || document.querySelectorAll("#plots canvas").length > 0`),
					chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide), chromedp.FullScreenshot(&picture, 100))
				if wide {
					t.Errorf("%s is wider than a window of %d", name, width)
				}
				if folder := os.Getenv("HEADROOM_SHOTS"); folder != "" {
					file := filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, theme))
					if err := os.WriteFile(file, picture, 0o666); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	if strings.Contains(s.page("/"), "panic") {
		t.Error("a page panicked")
	}
}

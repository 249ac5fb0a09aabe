//go:build page

package serve_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"headroom/metrics/event"
)

// browser opens a tab of Chromium, or skips where there is none. Of whatever the pages'
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
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Skipf("no Chromium that runs (HEADROOM_CHROMIUM names one): %v", err)
	}
	return ctx
}

func run(t testing.TB, ctx context.Context, what string, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var seen string
		// Where the page says nothing any more, the error itself is told.
		_ = chromedp.Run(ctx, chromedp.Evaluate(`location.href + " " + document.title + " " + (document.getElementById("only") || {}).value + " " + document.querySelectorAll("table.runs tbody tr").length + " rows, " + document.getElementById("connection").textContent`, &seen))
		t.Fatalf("%s: %v at %s", what, err, seen)
	}
}

// until waits for an expression of the page's script to be true.
func until(expression string) chromedp.Action {
	return chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(30*time.Second), chromedp.WithPollingInterval(50*time.Millisecond))
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
	s.add(d, collapse("identical", 20, 24, true))
	run(t, ctx, "news arrive", until(fmt.Sprintf("%s === %d", points, before+15)), until(`document.getElementById("r-`+id("d")+`").textContent.includes("25 / 100")`),
		until(`document.getElementById("alerts").textContent.includes("identical since step 20")`))

	run(t, ctx, "to the filter", chromedp.KeyEvent("/"), until(`document.activeElement.id === "only"`), chromedp.Evaluate(`document.getElementById("only").value = ""`, nil))
	run(t, ctx, "a filter", chromedp.SendKeys("#only", "seed=1\r"), until(`location.search.includes("seed")`), until(`document.querySelectorAll("table.runs tbody tr").length === 2`))
	run(t, ctx, "back", chromedp.Evaluate(`history.back()`, nil), until(`document.querySelectorAll("table.runs tbody tr").length === 4`))
	run(t, ctx, "a cell of the map", chromedp.Click("table.map td a"), until(`document.querySelectorAll("table.runs tbody tr").length === 2`),
		chromedp.Click("#unfilter"), until(`document.querySelectorAll("table.runs tbody tr").length === 4`))
}

func TestNamesWithMarkupDoNothing(t *testing.T) {
	s := newSite(t)
	hostile := `</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">`
	s.sweep("demo", hostile, member{"a", hostile, 1, 1, 0}, member{"b", "b" + hostile, 2, 1, 0})
	l := s.attempt("a", 0, 100)
	s.steps(l, 0, 5)
	e := collapse("empty", 1, 4, true)
	e.Evidence.Rule = hostile
	s.add(l, e)
	s.open().watch()
	ctx := browser(t)
	for _, page := range []string{"/", "/sweeps/demo", "/runs/" + id("a")} {
		run(t, ctx, page, chromedp.Navigate(s.server.URL+page), until(`document.getElementById("connection").textContent.startsWith("live")`))
		s.add(l, event.Notice{Message: hostile})
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

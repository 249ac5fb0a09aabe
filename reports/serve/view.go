package serve

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/plain"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/reports/live"
	"headroom/sweeps"
)

// view is an address: its path and parameters.
type view struct {
	path   string
	values url.Values
}

func newView(u *url.URL) view { return view{u.Path, u.Query()} }

// get returns a parameter's value.
func (v view) get(name string) string { return v.values.Get(name) }

// With returns the address of the same view with a parameter changed; "" removes it.
func (v view) With(name, value string) string { return v.with(name, value).String() }

// With2 changes two parameters.
func (v view) With2(a, x, b, y string) string { return v.with(a, x).with(b, y).String() }

func (v view) with(name, value string) view {
	values := url.Values{}
	for key, list := range v.values {
		values[key] = slices.Clone(list)
	}
	if value == "" {
		values.Del(name)
	} else {
		values.Set(name, value)
	}
	return view{v.path, values}
}

// At returns the address of another page, with the named parameters kept.
func (v view) At(path string, keep ...string) string {
	values := url.Values{}
	for _, name := range keep {
		if value := v.get(name); value != "" {
			values.Set(name, value)
		}
	}
	return view{path, values}.String()
}

func (v view) String() string {
	if query := v.values.Encode(); query != "" {
		return v.path + "?" + query
	}
	return v.path
}

// list returns the parts of a parameter that are separated by commas.
func (v view) list(name string) []string {
	if v.get(name) == "" {
		return nil
	}
	return strings.Split(v.get(name), ",")
}

func (v view) is(name string) bool { return v.get(name) == "1" }

// number returns an integer parameter from low to high; any other value gives the usual
// one.
func (v view) number(name string, usual, low, high int) int {
	n, err := strconv.Atoi(v.get(name))
	if err != nil || n < low || n > high {
		return usual
	}
	return n
}

// filter selects the runs of an address.
type filter struct {
	only    []sweeps.Filter
	state   string
	verdict string
	former  bool
	// Fault says why the expression cannot be read; the filter then selects all.
	Fault string
}

// maxOnly is the greatest length of an expression.
const maxOnly = 1000

// filterOf reads the parameters only, state, verdict and former.
func filterOf(v view) filter {
	f := filter{state: v.get("state"), verdict: v.get("verdict"), former: v.is("former")}
	text := strings.TrimSpace(v.get("only"))
	if len(text) > maxOnly {
		f.Fault = fmt.Sprintf("it has %d bytes; at most %d are allowed", len(text), maxOnly)
	} else if text != "" {
		only, err := sweeps.ParseOnly(text)
		if err != nil {
			f.Fault = plain.Line(err.Error())
		} else {
			f.only = append(f.only, only)
		}
	}
	return f
}

func (f filter) keeps(r *live.Run) bool {
	if r.Standing == store.Former && !f.former {
		return false
	}
	if f.state != "" && r.State != f.state || f.verdict != "" && verdictOf(r) != f.verdict {
		return false
	}
	return !slices.ContainsFunc(f.only, func(only sweeps.Filter) bool { return !only.Match(r.Config) })
}

// verdictOf returns one word for a run: its verdict, the collapse that stands now, or its
// state.
func verdictOf(r *live.Run) string {
	switch {
	case r.State == record.StateFailed:
		return r.State
	case r.Collapsed() != "":
		return r.Collapsed()
	case r.Verdict != "":
		return r.Verdict
	}
	return r.State
}

// short returns the beginning of an id.
func short(id string) string { return id[:min(8, len(id))] }

// Get returns a parameter's value.
func (v view) Get(name string) string { return v.get(name) }

// Others returns the other parameters, which a form keeps.
func (v view) Others(names ...string) url.Values {
	values := url.Values{}
	for name, list := range v.values {
		if !slices.Contains(names, name) {
			values[name] = list
		}
	}
	return values
}

// without returns the address without some parameters.
func (v view) without(names ...string) string { return view{v.path, v.Others(names...)}.String() }

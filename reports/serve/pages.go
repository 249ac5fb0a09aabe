package serve

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/reports/live"
)

//go:embed templates
var templateFiles embed.FS

// pages are the parsed templates by the page's name.
type pages map[string]*template.Template

func pageNames() []string {
	return []string{"overview", "sweep", "run", "incident", "compare", "help", "nothing"}
}

func parsePages() (pages, error) {
	base, err := template.New("").Funcs(template.FuncMap{
		"plain": plain.Line, "short": short, "duration": duration, "count": nouns.Count, "ago": ago, "slug": slug, "join": strings.Join, "times": func(a, b int) int { return a * b },
		"utc": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	}).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	all := pages{}
	for _, name := range pageNames() {
		one, err := base.Clone()
		if err == nil {
			one, err = one.ParseFS(templateFiles, "templates/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("parse page %q: %w", name, err)
		}
		all[name] = one
	}
	return all, nil
}

// slug turns a text into a word for a class or an id.
func slug(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if strings.ContainsFunc(word, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r == '_' || r == '-') }) {
		return "mixed"
	}
	return word
}

// shown is the part of the model that every page has.
type shown struct {
	page  string
	Title string
	V     view
	// Place is the workspace of the page, Snapshot its state.
	Place    *Place
	Several  bool
	Snapshot *live.Snapshot
	Now      time.Time
	// Live is the address of the page's news, "" for none.
	Live    string
	Command string
	Code    int
	// forNews is true if only the parts that change while a page is open are needed.
	forNews bool
}

// Workspace returns the folder for commands.
func (s shown) Workspace() string { return s.Place.Watcher.Root() }

// Prefix returns the command with the workspace, for commands to copy.
func (s shown) Prefix() string { return s.Command + " -w " + quote(s.Workspace()) }

// quote quotes a word for a shell.
func quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=,:@", r))
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// anyPage is a page's model.
type anyPage interface{ common() *shown }

func (s *shown) common() *shown { return s }

// page returns the handler of a page, given the function that makes its model.
func (s *Server) page(make func(r *http.Request, base shown) (anyPage, error)) http.HandlerFunc {
	return s.bounded(func(w http.ResponseWriter, r *http.Request) {
		base, ok := s.base(r)
		if !ok {
			base.page, base.Code = "nothing", http.StatusNotFound
			s.write(w, r, &message{base, "There is no workspace of this name here."})
			return
		}
		p, err := make(r, base)
		if err != nil {
			base.page, base.Code = "nothing", http.StatusInternalServerError
			p = &message{base, plain.Line(err.Error())}
		}
		s.write(w, r, p)
	})
}

// base returns the common part of a request's page; ok is false if the request names a
// workspace that is not served.
func (s *Server) base(r *http.Request) (shown, bool) {
	base := shown{V: newView(r.URL), Place: s.o.Places[0], Several: len(s.o.Places) > 1, Now: s.o.Now(), Command: s.o.Command, Code: http.StatusOK, Title: "headroom"}
	ok := true
	if name := base.V.get("w"); name != "" {
		ok = false
		for _, p := range s.o.Places {
			if p.Name == name {
				base.Place, ok = p, true
			}
		}
	}
	base.Snapshot = base.Place.Watcher.Snapshot()
	return base, ok
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, p anyPage) {
	c := p.common()
	var b bytes.Buffer
	if err := s.pages[c.page].ExecuteTemplate(&b, "layout", p); err != nil {
		refuse(w, http.StatusInternalServerError, "this page cannot be made: "+plain.Line(err.Error()))
		return
	}
	answer(w, r, c.Code, "text/html", b.Bytes())
}

// part renders one named part of a page, to send it when it changes.
func (s *Server) part(p anyPage, name string) (string, error) {
	var b bytes.Buffer
	err := s.pages[p.common().page].ExecuteTemplate(&b, name, p)
	return b.String(), err
}

// message is a page with one sentence.
type message struct {
	shown
	Text string
}

func (s *Server) nothing(_ *http.Request, base shown) (anyPage, error) {
	base.page, base.Code, base.Title = "nothing", http.StatusNotFound, "not here · headroom"
	return &message{base, "There is no such page."}, nil
}

func (s *Server) help(_ *http.Request, base shown) (anyPage, error) {
	base.page, base.Title = "help", "keys · headroom"
	return &message{base, ""}, nil
}

// rowText renders one row of a sweep's table.
func (s *Server) rowText(r row) (string, error) {
	var b bytes.Buffer
	err := s.pages["sweep"].ExecuteTemplate(&b, "row", r)
	return b.String(), err
}

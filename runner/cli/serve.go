package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/internal/names"
	"headroom/reports/live"
	"headroom/reports/serve"
	"headroom/runner/workspace"
)

type serveOptions struct {
	workspaces []string
	listen     string
	open       bool
}

// The intervals of reading a served workspace: while pages are open, and while none is.
const (
	serveEvery = 500 * time.Millisecond
	serveIdle  = 10 * time.Second
)

func newServe(a *app) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve [-w DIR]… [--listen HOST:PORT]",
		Short: "serve the live page: sweeps, curves and verdicts while runs go on",
		Long: `Shows workspaces in a browser while sweeps run here, on other machines, or nowhere. It
only reads them. Without --listen it answers on this machine alone, at a free port.

Requests from other machines need a token: that of $HEADROOM_TOKEN, or a new one each
time. Whoever has the token can read everything in the workspaces, and the connection is
not encrypted. "ssh -L 8000:127.0.0.1:8000 HOST" is a safer way to a server's page.`,
		Example: `  headroom serve --open
  headroom serve -w runs-a -w runs-b --listen 127.0.0.1:8000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.workspaces, "workspace", "w", nil, "`DIR` of runs and results, may be repeated (default $HEADROOM_WORKSPACE, else ./headroom-runs)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`HOST:PORT` to answer at; port 0 takes a free port")
	f.BoolVar(&o.open, "open", false, "open the page in the browser")
	return cmd
}

func (a *app) serve(cmd *cobra.Command, o serveOptions) error {
	host, port, err := net.SplitHostPort(o.listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return usage(cmd, fmt.Errorf("--listen is %q; allowed: HOST:PORT such as 127.0.0.1:8000, with a port from 0 to 65535", o.listen))
	}
	roots, err := a.servedRoots(o.workspaces)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen at %q: %w: another program may have the port; --listen 127.0.0.1:0 takes one that is free", o.listen, err)
	}
	defer listener.Close()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return fmt.Errorf("listen at %q: not a TCP address", o.listen)
	}
	options := serve.Options{Documents: documents{a}, Terms: a.terms, Incident: a.incidentPage, Answer: a.equalCostAnswer, Now: a.env.Now, Command: "headroom"}
	if !address.IP.IsLoopback() {
		if options.Token, err = a.serveToken(); err != nil {
			return err
		}
	}
	machine, _ := os.Hostname() // without a name the page shows the address
	for _, name := range []string{host, machine} {
		if name != "" {
			options.Hosts = append(options.Hosts, name)
		}
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = machine
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	watched := make(chan struct{}, len(roots))
	for root, name := range roots {
		watcher := live.New(a.watchOptions(root))
		options.Places = append(options.Places, &serve.Place{Name: name, Watcher: watcher})
		go func() { watcher.Watch(ctx); watched <- struct{}{} }()
	}
	serve.OrderPlaces(options.Places)
	server, err := serve.New(options)
	if err != nil {
		return err
	}
	url := fmt.Sprintf("http://%s/", net.JoinHostPort(host, fmt.Sprint(address.Port)))
	if err := a.printListening(url, options.Token, o.open); err != nil {
		return failedError(err)
	}
	err = server.Serve(ctx, listener)
	cancel()
	for range roots {
		<-watched
	}
	return failedError(err)
}

// servedRoots returns the folders of the workspaces with their names. A folder that does not
// exist yet is served too: the page waits for it.
func (a *app) servedRoots(given []string) (map[string]string, error) {
	if len(given) == 0 {
		given = []string{a.workspaceRoot()}
	}
	var roots []string
	var faults []error
	for _, text := range given {
		root, err := filepath.Abs(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("find workspace %q: %w", text, err))
			continue
		}
		info, err := os.Stat(root)
		switch {
		case err == nil && !info.IsDir():
			faults = append(faults, fmt.Errorf("workspace %q is a file; a folder is allowed", text))
			continue
		case err != nil:
			a.note("note: there is no workspace at %s yet; the page shows it when `headroom run` has made it", text)
		default:
			if _, err := workspace.Open(root); err != nil {
				a.note("note: %v", err)
			}
		}
		roots = append(roots, root)
	}
	return names.DistinctNames(roots, names.Last), errors.Join(faults...)
}

// leastToken is the least length of a token in $HEADROOM_TOKEN.
const leastToken = 16

func (a *app) serveToken() (string, error) {
	token := a.env.Getenv("HEADROOM_TOKEN")
	switch {
	case token == "":
		return serve.NewToken(), nil
	case len(token) < leastToken:
		return "", fmt.Errorf("$HEADROOM_TOKEN has %d characters; at least %d are needed, since it is all that keeps others out; unset it for a random one", len(token), leastToken)
	}
	return token, nil
}

func (a *app) watchOptions(root string) live.Options {
	o := live.Options{Root: root, Now: a.env.Now, Every: serveEvery, Idle: serveIdle}
	of := documents{a}.appFor(root)
	if resolver, err := of.resolver(""); err == nil {
		o.CacheDir = resolver.CacheDir
	}
	o.Collections = func(w workspace.Workspace) error { return of.recordCollections(w) }
	return o
}

// printListening prints the address of the page, and opens the page with --open.
func (a *app) printListening(url, token string, open bool) error {
	with := ""
	if token != "" {
		with = url + "?token=" + token
	}
	var err error
	switch {
	case a.global.json:
		err = a.printJSON(struct {
			Schema    int    `json:"schema"`
			Listening string `json:"listening"`
			// WithToken is the address with the token for a browser; "" if no token is needed.
			WithToken string `json:"with_token"`
		}{schema, url, with})
	case with != "":
		_, err = fmt.Fprintf(a.stdout, "listening on %s\nopen %s\n", url, with)
	default:
		_, err = fmt.Fprintf(a.stdout, "listening on %s\n", url)
	}
	if err != nil || !open {
		return err
	}
	if with != "" {
		url = with
	}
	browser := a.env.Getenv("BROWSER")
	browser = cmp.Or(browser, "xdg-open")
	browser, _, _ = strings.Cut(browser, ":")
	started := exec.Command(browser, url)
	if err := started.Start(); err != nil {
		a.note("note: no browser could be opened (%v); open the address yourself", err)
		return nil
	}
	go started.Wait()
	return nil
}

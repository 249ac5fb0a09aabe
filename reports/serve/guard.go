package serve

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// policy lets a page use this server's own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard checks every request before any handler sees it.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are allowed: nothing can be changed here")
		case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
			refuse(w, http.StatusBadRequest, "a request here has no body")
		case len(r.RequestURI) > maxQuery:
			refuse(w, http.StatusRequestURITooLong, "the address is too long")
		case !s.knownHost(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this server does not answer under that name: use the address that it printed")
		case !sameOrigin(r):
			refuse(w, http.StatusForbidden, "pages of other sites may not read here")
		case !s.admitted(w, r):
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	w.Write([]byte(why + "\n"))
}

// knownHost reports whether the request's Host is a name of this server. This refuses names
// that an attacker makes resolve to this address (DNS rebinding).
func (s *Server) knownHost(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	address, err := netip.ParseAddr(host)
	switch {
	case err == nil && (address.IsLoopback() || s.o.Token != ""):
		return true
	case host == "localhost":
		return true
	}
	return slices.ContainsFunc(s.o.Hosts, func(known string) bool { return strings.EqualFold(known, host) })
}

// sameOrigin refuses requests that a page of another site makes. Following a link from
// another site is allowed.
func sameOrigin(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && !strings.HasPrefix(r.URL.Path, "/api/")
}

// NewToken returns a token of 128 random bits.
func NewToken() string {
	var random [16]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}

func newEpoch() string { return NewToken()[:8] }

// admitted reports whether a request has the token, if one is required. The token may be in
// the address, after which a cookie has it, or in "Authorization: Bearer TOKEN".
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Token == "" {
		return true
	}
	if given := r.URL.Query().Get("token"); given != "" && s.isToken(given) {
		http.SetCookie(w, &http.Cookie{Name: cookieOf(r), Value: given, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil})
		clean := *r.URL
		values := clean.Query()
		values.Del("token")
		clean.RawQuery = values.Encode()
		http.Redirect(w, r, clean.RequestURI(), http.StatusSeeOther)
		return false
	}
	if cookie, err := r.Cookie(cookieOf(r)); err == nil && s.isToken(cookie.Value) {
		return true
	}
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && s.isToken(given) {
		return true
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	refuse(w, http.StatusUnauthorized, "a token is needed: open the address that `headroom serve` printed, with its ?token=…")
	return false
}

// isToken compares in constant time.
func (s *Server) isToken(given string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.o.Token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// cookieOf puts the port into the cookie's name, because browsers share cookies between
// ports.
func cookieOf(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "headroom-" + port
}

package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// question is a request to the application.
type question struct {
	method string
	header http.Header
	body   []byte
	event  bool // any answer of success will do
	ticket string
}

// asked is the body of a question. In style post the first one, about a newcomer, has no op.
type asked struct {
	Op     string  `json:"op,omitempty"` // renew, subscribe or command
	Ticket *string `json:"ticket,omitempty"`
	Name   *string `json:"name,omitempty"`
	Path   string  `json:"path"`
	Client string  `json:"client"`
	Remote string  `json:"remote"`
	Origin string  `json:"origin"`

	Consumer string          `json:"consumer,omitempty"`
	Command  string          `json:"command_string,omitempty"`
	ID       string          `json:"id,omitempty"`
	Extra    json.RawMessage `json:"extra,omitempty"`
}

// renewal is what is asked again about a client that is in.
type renewal struct {
	path, client, remote, origin string
	extra                        []byte
	header                       http.Header // forwarded, in style proxy
}

// renewal returns what the application hears of a client, beside a ticket.
func (c *callback) renewal(ap *Approach) *renewal {
	r := &renewal{path: ap.Path, client: ap.Client, extra: ap.Extra}
	if ap.Remote.IsValid() {
		r.remote = ap.Remote.Addr().Unmap().String()
	}
	if origin := ap.fields("Origin"); len(origin) == 1 {
		r.origin = origin[0]
	}
	if !c.post {
		r.header = c.forwarded(ap)
	}
	return r
}

// forwarded returns the fields that style proxy forwards. A browser adds its cookies to a
// handshake that any page begins, so they count only if that page is allowed.
func (c *callback) forwarded(ap *Approach) http.Header {
	all := http.Header{}
	for _, name := range c.headers {
		if values := ap.fields(name); len(values) > 0 && (name != "Cookie" || ap.OriginAllowed) {
			all[name] = slices.Clone(values)
		}
	}
	if c.cookies == nil || !ap.OriginAllowed {
		return all
	}
	var kept []string
	for name, value := range cookies(ap) {
		if slices.Contains(c.cookies, name) {
			kept = append(kept, name+"="+value)
		}
	}
	if kept != nil {
		all["Cookie"] = []string{strings.Join(kept, "; ")}
	}
	return all
}

// question asks about a client: with its ticket, or with what style proxy forwards.
func (c *callback) question(ticket string, r *renewal) question {
	if !c.post {
		return c.proxied(r)
	}
	q := c.posted(r, asked{Ticket: &ticket})
	q.ticket = ticket
	return q
}

// proxied is a request of style proxy. The fields that it adds have the names that nginx
// users give them.
func (c *callback) proxied(r *renewal) question {
	header := http.Header{}
	maps.Copy(header, r.header)
	header.Set("X-Original-URI", (&url.URL{Path: r.path}).EscapedPath())
	if r.remote != "" {
		header.Set("X-Real-IP", r.remote)
		header.Set("X-Forwarded-For", r.remote)
	}
	if r.origin != "" {
		header.Set("Origin", r.origin)
	}
	return question{method: http.MethodGet, header: header}
}

// posted is a request with a body. It has what style proxy forwards, too.
func (c *callback) posted(r *renewal, a asked) question {
	a.Path, a.Client, a.Remote, a.Origin = orElse(a.Path, r.path), orElse(a.Client, r.client), r.remote, r.origin
	if a.Extra == nil {
		a.Extra = r.extra
	}
	body, err := json.Marshal(a)
	if err != nil { // extra is not JSON, which the caller has checked
		a.Extra = nil
		body, _ = json.Marshal(a)
	}
	header := http.Header{}
	maps.Copy(header, r.header)
	header.Set("Content-Type", "application/json")
	return question{method: http.MethodPost, header: header, body: body}
}

// hide replaces the credentials of a question in words of the application, which may quote them.
func (q question) hide(text string) string {
	if q.ticket != "" {
		text = strings.ReplaceAll(text, q.ticket, redacted)
	}
	for _, field := range []string{"Authorization", "Cookie"} {
		for _, line := range q.header[field] {
			for _, secret := range secretsIn(line) {
				text = strings.ReplaceAll(text, secret, redacted)
			}
		}
	}
	return text
}

// secretsIn returns what is secret in a line of Authorization or Cookie, the longest first.
func secretsIn(line string) []string {
	all := []string{line}
	for part := range strings.SplitSeq(line, ";") {
		if _, value, ok := strings.Cut(part, "="); ok {
			all = append(all, strings.Trim(value, `" `))
		}
	}
	if _, value, ok := strings.Cut(line, " "); ok {
		all = append(all, strings.TrimSpace(value))
	}
	if c := readAuthorization(line); c.kind == bearerToken {
		all = append(all, c.value)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < secretMin })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// secretMin is the length of the shortest text, in bytes, that is taken for a secret in a header: a
// cookie may say lang=en.
const secretMin = 8

// key identifies a question with everything in it.
func (q question) key() (key [32]byte) {
	h := sha256.New()
	_, _ = io.WriteString(h, q.method+"\n")
	_ = q.header.Write(h)
	_, _ = h.Write(q.body)
	h.Sum(key[:0])
	return key
}

// request returns the request for a question.
func (c *callback) request(ctx context.Context, q question) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, c.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, withoutURL(err)
	}
	for _, values := range q.header {
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return nil, errors.New("a header of the client has a control character")
			}
		}
	}
	r.Header = q.header.Clone()
	r.Header.Set("Accept", "application/json")
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "clu-ws")
	}
	if c.secret != "" {
		r.Header.Set("Authorization", "Bearer "+c.secret)
	}
	return r, nil
}

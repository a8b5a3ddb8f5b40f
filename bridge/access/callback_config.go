package access

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
)

// newCallback returns the callback that a configuration describes. Its errors are *PathError, joined.
func newCallback(cfg *CallbackConfig, roles map[string]*Grants, o Options) (*callback, error) {
	c := &callback{
		post: cfg.Style != "proxy", asks: map[string]bool{}, events: map[string]bool{}, role: cfg.Role, roles: roles,
		timeout: orElse(cfg.Timeout, callbackTimeout), grace: orElse(cfg.Grace, callbackGrace),
		now: o.Now, log: o.Logger, queue: newEventQueue(), dropped: new(atomic.Int64),
	}
	var wrong []error
	no := func(path string, err error) {
		if err != nil {
			wrong = append(wrong, &PathError{"callback." + path, err})
		}
	}
	var err error
	c.url, err = checkURL(cfg.URL)
	no("url", err)
	if cfg.Style != "" && cfg.Style != "post" && cfg.Style != "proxy" {
		no("style", fmt.Errorf("%q is neither post nor proxy", cfg.Style))
	}
	no("headers", c.forward(cfg.Headers))
	secret, err := readSecret(cfg.Secret, o)
	c.secret = string(secret)
	no("secret", errors.Join(err, c.checkSecret()))
	no("ask", set(c.asks, cfg.Ask, "subscribe", "command"))
	no("events", set(c.events, cfg.Events, "subscribe", "unsubscribe", "message"))
	if cfg.Role != "" && roles[cfg.Role] == nil {
		no("role", unknownRole(cfg.Role))
	}
	if cfg.Timeout < 0 {
		no("timeout", errors.New("must not be negative"))
	}
	if cfg.Grace < 0 {
		no("grace", errors.New("must not be negative"))
	}
	if cfg.InFlight < 0 {
		no("in-flight", errors.New("must be 1 at least"))
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	c.traffic = newTraffic(orElse(cfg.InFlight, callbackInFlight), c.timeout)
	if overPlainNetwork(c.url) {
		o.Logger.Warn("the callback is asked without TLS: credentials can be read in transit, and answers altered", "url", shownURL(c.url))
	}
	return c, nil
}

func orElse[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

// set puts values into a set that has a place for the known ones only.
func set(into map[string]bool, values []string, known ...string) error {
	for _, value := range values {
		if !slices.Contains(known, value) {
			return fmt.Errorf("%q is not one of %s", value, strings.Join(known, ", "))
		}
		into[value] = true
	}
	return nil
}

// ownHeaders are set by the client for HTTP or by the bridge, or describe the connection.
var ownHeaders = []string{
	"Host", "Connection", "Upgrade", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Content-Length", "Content-Type",
	"Content-Encoding", "Accept-Encoding", "Expect", "Proxy-Connection", "Proxy-Authorization", "X-Original-Uri", "X-Real-Ip", "X-Forwarded-For",
}

// forward says which fields are forwarded in style proxy: those named, and single cookies as
// cookie:NAME. With a single one, other cookies of the page are none of the application's
// business, and not having that one is having no credential.
func (c *callback) forward(names []string) error {
	if c.post {
		if len(names) > 0 {
			return errors.New("are for style proxy only; write style: proxy, or leave them out")
		}
		return nil
	}
	if names == nil {
		names = []string{"Authorization", "Cookie"}
	}
	for _, name := range names {
		if cookie, ok := strings.CutPrefix(name, "cookie:"); ok && isToken(cookie) {
			c.cookies = append(c.cookies, cookie)
			continue
		}
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isToken(name):
			return fmt.Errorf("%q is not the name of a header, nor cookie:NAME", name)
		case slices.Contains(ownHeaders, canonical) || strings.HasPrefix(canonical, "Sec-Websocket-"):
			return fmt.Errorf("%s is about the client's own connection; leave it out", canonical)
		}
		c.headers = append(c.headers, canonical)
	}
	if slices.Contains(c.headers, "Cookie") && c.cookies != nil {
		return errors.New("has cookie and cookie:NAME; leave one out")
	}
	slices.Sort(c.headers)
	return nil
}

func (c *callback) checkSecret() error {
	switch {
	case c.secret != "" && slices.Contains(c.headers, "Authorization"):
		return errors.New("goes into the header Authorization, which is forwarded, too; leave one of them out")
	case strings.ContainsFunc(c.secret, unicode.IsControl):
		return errors.New("has a character that no header may have; is it a text file of one line?")
	}
	return nil
}

// isToken reports whether a text can be the name of a header field or of a cookie (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

package hightemplar

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
	"github.com/clu-ws/clu-ws/internal/limitedlog"
	"github.com/clu-ws/clu-ws/internal/workers"
)

// Config is the section high-templar of a dialect in the configuration file. The keys are given by the tags.
type Config struct {
	// APIURL is the URL of the backend's API, with a slash at its end. bootstrap/ is below it.
	APIURL string `json:"api-url"`
	// APISocket is the path of a Unix socket by which the API is reached. "" is none.
	APISocket string `json:"api-socket"`
	// ConnectionHeaders are header fields of requests to the backend, besides those that are always
	// forwarded.
	ConnectionHeaders map[string]Header `json:"connection-headers"`
	// NotifyOnline is the path below the API to which a POST goes when a client connects and when it
	// sends ping, and NotifyOffline when it leaves. "" sends none.
	NotifyOnline  string `json:"notify-online"`
	NotifyOffline string `json:"notify-offline"`
	// Timeout is how long an answer of the backend may take. 0 means 8 seconds.
	Timeout time.Duration `json:"timeout"`
	// MaxConcurrent is how many clients' requests the backend gets at a time, and again as many
	// callbacks. 0 means 64.
	MaxConcurrent int `json:"max-concurrent"`
	// MaxSubscriptions is how many subscriptions a client may have. 0 means 10000.
	MaxSubscriptions int `json:"max-subscriptions"`
}

// Header is where the value of a header field comes from: one of the first four.
type Header struct {
	// Header, Param and Cookie name a header field, a parameter of the URL and a cookie of the client.
	Header string `json:"header"`
	Param  string `json:"param"`
	Cookie string `json:"cookie"`
	// Fixed is the value itself.
	Fixed string `json:"fixed"`
	// Format is a text in which {} stands for the value. "" is the value alone.
	Format string `json:"format"`
}

// maxCallbacks is how many clients' callbacks wait for their turn.
const maxCallbacks = 100_000

// maxTimeout is how long the engine waits for a decision on a client.
const maxTimeout = 10 * time.Second

// complete returns the configuration with its defaults. Its errors are [*dialect.PathError], joined.
func (cfg Config) complete() (Config, error) {
	var wrong []error
	fail := func(path, format string, args ...any) {
		wrong = append(wrong, &dialect.PathError{Path: path, Err: fmt.Errorf(format, args...)})
	}
	u, err := url.Parse(cfg.APIURL)
	switch {
	case cfg.APIURL == "":
		fail("api-url", "is missing; give the URL of the backend's API, such as http://127.0.0.1:8000/api/")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		fail("api-url", "is no URL such as http://127.0.0.1:8000/api/") // it may have a password
	case !strings.HasSuffix(u.Path, "/"):
		fail("api-url", "must end with a slash, as bootstrap/ follows it")
	case cfg.APISocket != "" && !filepath.IsAbs(cfg.APISocket):
		fail("api-socket", "must be a path from the root, such as /run/backend.sock")
	case cfg.APISocket != "" && u.Scheme != "http":
		fail("api-url", "must begin with http:// if there is an api-socket, which has no TLS")
	}
	had := map[string]bool{}
	for name, h := range cfg.ConnectionHeaders {
		h.check(fail, name)
		if canonical := http.CanonicalHeaderKey(name); had[canonical] {
			fail("connection-headers."+name, "is there twice; capitals do not matter to a backend")
		} else {
			had[canonical] = true
		}
	}
	if cfg.Timeout < 0 || cfg.Timeout >= maxTimeout {
		fail("timeout", "must be more than 0 and less than %s, as a client waits no longer", maxTimeout)
	}
	for key, path := range map[string]string{"notify-online": cfg.NotifyOnline, "notify-offline": cfg.NotifyOffline} {
		if strings.HasPrefix(path, "/") || strings.Contains(path, "://") {
			fail(key, "must be a path below api-url, such as user/notify_online/")
		}
	}
	if cfg.MaxConcurrent < 0 || cfg.MaxSubscriptions < 0 {
		fail("max-concurrent", "and max-subscriptions must not be negative")
	}
	setDefault(&cfg.Timeout, 8*time.Second)
	setDefault(&cfg.MaxConcurrent, 64)
	setDefault(&cfg.MaxSubscriptions, 10_000)
	return cfg, errors.Join(wrong...)
}

func (h Header) check(fail func(path, format string, args ...any), name string) {
	sources := 0
	for _, s := range []string{h.Header, h.Param, h.Cookie, h.Fixed} {
		if s != "" {
			sources++
		}
	}
	path := "connection-headers." + name
	switch {
	case !validName(name):
		fail(path, "is not the name of a header field; use letters, digits and hyphens")
	case slices.Contains(ownFields, http.CanonicalHeaderKey(name)):
		fail(path, "is a header field of the connection to the backend itself; leave it out")
	case sources != 1:
		fail(path, "has %d of header, param, cookie and fixed; give one", sources)
	case h.Format != "" && !strings.Contains(h.Format, "{}"):
		fail(path+".format", "has no {}, which stands for the value")
	case !validValue(h.Fixed) || !validValue(h.Format):
		fail(path, "has a control character; leave it out")
	}
}

// setDefault sets a value that is not given.
func setDefault[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}

// New returns the dialect that a configuration describes. Its errors are [*dialect.PathError], joined.
func New(cfg *Config, at dialect.Place, h dialect.Host) (dialect.Dialect, error) {
	complete, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	d := &service{
		cfg: complete, place: at, host: h, asking: make(chan struct{}, complete.MaxConcurrent), online: h.Now(),
		failures:  limitedlog.New(h.Logger, "a backend of High-templar's clients cannot be asked"),
		callbacks: workers.Pool{Max: complete.MaxConcurrent, MaxWaiting: maxCallbacks},
	}
	d.backend = newBackend(complete)
	d.hub = newHub(at.Rooms, &d.counts, h.Metrics)
	return d, nil
}

// validName reports whether a name may be that of a header field (RFC 9110, 5.1).
func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
}

// validValue reports whether a value may be that of a header field (RFC 9110, 5.5).
func validValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

var _ http.Handler = noUpgrade{}

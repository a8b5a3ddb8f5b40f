package socketshark

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// Config is the section socketshark of a dialect in the configuration file. The keys are given by the tags.
type Config struct {
	// Authentication is how clients may log in; without it none can.
	Authentication Authentication `json:"authentication"`
	// HTTP is how backends are asked.
	HTTP HTTP `json:"http"`
	// Services are the services, by the part of a subscription's name before its first period.
	Services map[string]Service `json:"services"`
	// MaxSubscriptions is how many subscriptions a client may have. 0 means 10000.
	MaxSubscriptions int `json:"max-subscriptions"`
	// RenewalGrace is how long a subscription outlives its last authorization if the authorizer cannot be
	// reached. 0 means an hour.
	RenewalGrace time.Duration `json:"renewal-grace"`
	// OnGap is what becomes of clients with subscriptions if messages may have been lost: close (the
	// default), so that they subscribe again, or keep.
	OnGap string `json:"on-gap"`
}

// Authentication has the methods of authentication.
type Authentication struct {
	Ticket *Ticket `json:"ticket"`
}

// Ticket is authentication by a ticket that a backend validates.
type Ticket struct {
	ValidationURL string `json:"validation-url"`
	// AuthFields are the fields of the answer that describe the client in later callbacks.
	AuthFields []string `json:"auth-fields"`
}

// HTTP is how backends are asked.
type HTTP struct {
	// Timeout is how long an answer may take. 0 means 15 seconds.
	Timeout time.Duration `json:"timeout"`
	// Tries is how often a backend is asked until it answers. 0 means 3.
	Tries int `json:"tries"`
	// Wait is the time between two tries. 0 means 3 seconds.
	Wait time.Duration `json:"wait"`
	// CAFile has the certificates of the authorities that are trusted, instead of the system's.
	CAFile string `json:"ca-file"`
	// RateLimitResetHeaders are the headers of an answer 429 that may have the seconds to wait. The
	// default is X-Rate-Limit-Reset.
	RateLimitResetHeaders []string `json:"rate-limit-reset-headers"`
	// MaxConcurrent is how many callbacks of a backend (host and port) may run at a time. Others wait, so
	// that a backend that hangs delays no other's. 0 means 256.
	MaxConcurrent int `json:"max-concurrent"`
}

// Service is a service that clients may subscribe to. Its URLs are those of callbacks, and optional.
type Service struct {
	// RequireAuthentication is whether clients must log in first. The default is true.
	RequireAuthentication *bool `json:"require-authentication"`

	Authorizer                 string        `json:"authorizer"`
	AuthorizerFields           []string      `json:"authorizer-fields"`
	AuthorizationRenewalPeriod time.Duration `json:"authorization-renewal-period"`
	AuthorizationRenewalJitter time.Duration `json:"authorization-renewal-jitter"`
	OnAuthorizationChange      string        `json:"on-authorization-change"`

	BeforeSubscribe   string        `json:"before-subscribe"`
	OnSubscribe       string        `json:"on-subscribe"`
	OnMessage         string        `json:"on-message"`
	BeforeUnsubscribe string        `json:"before-unsubscribe"`
	OnUnsubscribe     string        `json:"on-unsubscribe"`
	OnHeartbeat       string        `json:"on-heartbeat"`
	HeartbeatPeriod   time.Duration `json:"heartbeat-period"`

	// ExtraFields are the fields of a subscribe event that belong to the subscription.
	ExtraFields []string `json:"extra-fields"`
	// FilterFields are the fields of a published message that must equal the client's, if it has them:
	// those of extra-fields, then of authorizer-fields, then of auth-fields.
	FilterFields []string `json:"filter-fields"`
}

// Values of Config.OnGap.
const (
	gapClose = "close"
	gapKeep  = "keep"
)

// complete returns the configuration with its defaults. Its errors are [*dialect.PathError], joined.
func (cfg Config) complete() (Config, error) {
	var wrong []error
	fail := func(path, format string, args ...any) {
		wrong = append(wrong, &dialect.PathError{Path: path, Err: fmt.Errorf(format, args...)})
	}
	cfg.HTTP.complete(fail)
	setDefault(&cfg.MaxSubscriptions, 10_000)
	setDefault(&cfg.RenewalGrace, time.Hour)
	setDefault(&cfg.OnGap, gapClose)
	if cfg.OnGap != gapClose && cfg.OnGap != gapKeep {
		fail("on-gap", "is %q; choose close or keep", cfg.OnGap)
	}
	checkDuration(fail, "renewal-grace", cfg.RenewalGrace)
	if cfg.MaxSubscriptions < 0 {
		fail("max-subscriptions", "must not be negative")
	}
	if t := cfg.Authentication.Ticket; t != nil {
		if t.ValidationURL == "" {
			fail("authentication.ticket.validation-url", "is missing; give the URL that validates tickets")
		}
		checkURL(fail, "authentication.ticket.validation-url", t.ValidationURL)
	}
	for name, s := range cfg.Services {
		if name == "" || strings.Contains(name, ".") {
			fail("services", "has the name %q; a service's name ends at the first period of a subscription", name)
		}
		s.check(fail, "services."+name)
	}
	return cfg, errors.Join(wrong...)
}

func (h *HTTP) complete(fail func(path, format string, args ...any)) {
	setDefault(&h.Timeout, 15*time.Second)
	setDefault(&h.Tries, 3)
	setDefault(&h.Wait, 3*time.Second)
	setDefault(&h.MaxConcurrent, 256)
	if len(h.RateLimitResetHeaders) == 0 {
		h.RateLimitResetHeaders = []string{"X-Rate-Limit-Reset"}
	}
	for path, d := range map[string]time.Duration{"http.timeout": h.Timeout, "http.wait": h.Wait} {
		checkDuration(fail, path, d)
	}
	if h.Tries < 0 || h.MaxConcurrent < 0 {
		fail("http", "has a negative number; tries and max-concurrent are at least 1")
	}
	if h.CAFile != "" {
		if _, err := os.Stat(h.CAFile); err != nil {
			fail("http.ca-file", "cannot be read: %w", err)
		}
	}
}

func (s *Service) check(fail func(path, format string, args ...any), path string) {
	for key, address := range s.callbacks() {
		checkURL(fail, path+"."+key, address)
	}
	checkDuration(fail, path+".authorization-renewal-period", s.AuthorizationRenewalPeriod)
	checkDuration(fail, path+".authorization-renewal-jitter", s.AuthorizationRenewalJitter)
	checkDuration(fail, path+".heartbeat-period", s.HeartbeatPeriod)
	if s.AuthorizationRenewalPeriod > 0 && s.Authorizer == "" {
		fail(path+".authorization-renewal-period", "needs an authorizer; give its URL, or leave the period out")
	}
	if s.AuthorizationRenewalJitter > s.AuthorizationRenewalPeriod {
		fail(path+".authorization-renewal-jitter", "is longer than the period, from which it is taken")
	}
	if s.OnHeartbeat != "" && s.HeartbeatPeriod <= 0 {
		fail(path+".heartbeat-period", "is missing; on-heartbeat needs it")
	}
	if s.HeartbeatPeriod > 0 && s.OnHeartbeat == "" {
		fail(path+".on-heartbeat", "is missing; heartbeat-period needs it")
	}
}

// callbacks returns the URLs of the service's callbacks by their keys. Those that it does not have are empty.
func (s *Service) callbacks() map[string]string {
	return map[string]string{
		"authorizer": s.Authorizer, "on-authorization-change": s.OnAuthorizationChange,
		"before-subscribe": s.BeforeSubscribe, "on-subscribe": s.OnSubscribe, "on-message": s.OnMessage,
		"before-unsubscribe": s.BeforeUnsubscribe, "on-unsubscribe": s.OnUnsubscribe, "on-heartbeat": s.OnHeartbeat,
	}
}

// callbacks returns the URLs of all callbacks.
func (cfg *Config) callbacks() (all []string) {
	if t := cfg.Authentication.Ticket; t != nil {
		all = append(all, t.ValidationURL)
	}
	for _, s := range cfg.Services {
		all = slices.AppendSeq(all, maps.Values(s.callbacks()))
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

// checkDuration checks a time that may be 0.
func checkDuration(fail func(path, format string, args ...any), path string, d time.Duration) {
	if d < 0 {
		fail(path, "is %v; it must not be negative", d)
	}
}

// checkURL checks the URL of a callback, if there is one.
func checkURL(fail func(path, format string, args ...any), path, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		fail(path, "is no URL such as https://backend.example/callback/") // it may have a password
	}
}

// setDefault sets a value that is not given.
func setDefault[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}

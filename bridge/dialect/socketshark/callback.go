package socketshark

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/dialect"
)

const (
	maxAnswer    = 4 << 20   // bytes of a backend's answer
	maxRateLimit = time.Hour // longest time that a backend may ask to wait
)

// Why a callback has no usable answer.
var (
	// errUnavailable is that no try was answered with success.
	errUnavailable = errors.New("the backend does not answer")
	// errDenied is errUnavailable if the last try was answered with the status 401 or 403.
	errDenied = fmt.Errorf("%w, but refuses", errUnavailable)
	// errUnusable is that the answer is no JSON object.
	errUnusable = errors.New("the backend's answer is no JSON object")
)

// newClient returns a client for callbacks.
func newClient(cfg HTTP) (*http.Client, error) {
	t := &http.Transport{
		MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		TLSHandshakeTimeout: cfg.Timeout, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("has no certificate in PEM")
		}
	}
	return &http.Client{Transport: t}, nil
}

// callback is a question for a backend.
type callback struct {
	url  string
	data object
	// gone, if it is not nil, is closed when nobody waits for the answer any more.
	gone <-chan struct{}
	// until, if it is not zero, is the time after which the backend must not be asked.
	until time.Time
	// pointless, if it is not nil, reports whether the answer would change nothing any more.
	pointless func() bool
}

// post asks a backend, as often as the configuration says. It ends early, with errUnavailable, if the
// backend need not or must not be asked again.
func (d *Dialect) post(c callback) (answer object, err error) {
	body := c.data.encode()
	wait := d.cfg.HTTP.Wait
	for n := range d.cfg.HTTP.Tries {
		if n > 0 && (c.tooLate(d.host.Now().Add(wait)) || !d.sleep(wait, c.gone)) || c.pointless != nil && c.pointless() {
			break
		}
		if answer, wait, err = d.try(&c, body); err == nil || errors.Is(err, errUnusable) {
			return answer, err
		}
		d.failures.Note("a callback failed", "url", scrub(c.url), "error", err)
	}
	if errors.Is(err, errDenied) {
		return nil, errDenied
	}
	return nil, errUnavailable
}

// tooLate reports whether the backend must not be asked at a time.
func (c *callback) tooLate(at time.Time) bool { return !c.until.IsZero() && at.After(c.until) }

// sleep waits. It returns false if gone is closed or the dialect ends meanwhile.
func (d *Dialect) sleep(wait time.Duration, gone <-chan struct{}) bool {
	over := make(chan struct{})
	stop := d.host.After(wait, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return true
	case <-gone:
	case <-d.ctx.Done():
	}
	return false
}

// try asks a backend once. If it fails, wait is the time until the next try. The timeout is also that
// for its turn among the callbacks of the backend, so none takes longer than the configuration says.
func (d *Dialect) try(c *callback, body []byte) (answer object, wait time.Duration, err error) {
	wait = d.cfg.HTTP.Wait
	ended := d.host.Metrics.Asked()
	defer func() { ended(outcomeOf(err)) }()
	ctx, cancel := context.WithCancelCause(d.ctx)
	defer cancel(nil)
	defer d.host.After(d.cfg.HTTP.Timeout, func() { cancel(errTimeout) })()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, wait, errUnavailable
	}
	slots := d.slots[c.url]
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, wait, errBusy
	}
	if c.tooLate(d.host.Now()) {
		return nil, wait, errLate
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := d.client.Do(r)
	if err != nil {
		return nil, wait, brief(ctx, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, wait, brief(ctx, err)
	case response.StatusCode == http.StatusTooManyRequests:
		return nil, d.rateLimit(response.Header), errors.New("the backend is asked too often")
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return nil, wait, fmt.Errorf("%w: status %d", errDenied, response.StatusCode)
	case response.StatusCode >= 400:
		return nil, wait, fmt.Errorf("status %d", response.StatusCode)
	case len(text) > maxAnswer:
		return nil, wait, fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
	case !isJSON(response.Header.Get("Content-Type")):
		return nil, wait, errors.New("the answer's type is not application/json")
	}
	answer, ok := parseObject(text)
	if !ok {
		return nil, wait, errUnusable
	}
	return answer, wait, nil
}

// outcomeOf returns the outcome of a try.
func outcomeOf(err error) dialect.Outcome {
	switch {
	case err == nil:
		return dialect.Answered
	case errors.Is(err, errDenied):
		return dialect.Refused
	}
	return dialect.Failed
}

// Why a try fails.
var (
	errTimeout = errors.New("the backend has not answered in time")
	errBusy    = errors.New("the backend has not answered others in time, so it was not asked")
	errLate    = errors.New("it is too late to ask the backend")
)

// brief returns an error without the URL, which may have a password.
func brief(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// rateLimit returns how long a backend asks to wait.
func (d *Dialect) rateLimit(h http.Header) time.Duration {
	for _, name := range d.cfg.HTTP.RateLimitResetHeaders {
		if text := h.Get(name); text != "" {
			s, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil || math.IsNaN(s) || s < 0 || math.IsInf(s, 0) {
				break
			}
			return time.Duration(min(s, maxRateLimit.Seconds()) * float64(time.Second))
		}
	}
	return d.cfg.HTTP.Wait
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}

// scrub returns a URL without its user, password and query.
func scrub(url string) string {
	url, _, _ = strings.Cut(url, "?")
	if scheme, rest, ok := strings.Cut(url, "://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + "/" + path
	}
	return url
}

package access

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// newHTTPClient returns a client for requests to an issuer or an application. It follows no
// redirects: a credential goes to the configured address and to no other, and keys come from
// nowhere else. Certificates are checked against those of the system, or of SSL_CERT_FILE.
func newHTTPClient(timeout time.Duration, connections int) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost = connections
	transport.MaxIdleConnsPerHost = connections
	transport.MaxResponseHeaderBytes = 64 << 10
	return &http.Client{
		Transport:     transport,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errTooLong = errors.New("the answer is too long")

// readBounded reads a body of limit bytes at most; a longer one is an error.
func readBounded(body io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errTooLong
	}
	return text, err
}

// withoutURL removes the URL from an error of an HTTP client, because its query may be secret.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// checkURL returns the URL of an issuer's keys or of an application.
func checkURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must be a URL such as https://idp.example/keys") // err would quote it
	case u.Fragment != "":
		return nil, errors.New("must not have a fragment, which is never sent; leave out # and what follows")
	}
	return u, nil
}

// overPlainNetwork reports whether requests to a URL can be read and changed on their way.
func overPlainNetwork(u *url.URL) bool {
	if u.Scheme == "https" || strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err != nil || !addr.IsLoopback()
}

// shownURL names a URL in a log, without what may be secret in it.
func shownURL(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

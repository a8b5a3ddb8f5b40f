package hightemplar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxAnswer    = 4 << 20 // bytes of the backend's answer
	maxRedirects = 10
)

// backend is the API whose pages are served.
type backend struct {
	url     string
	timeout time.Duration
	client  http.Client
}

func newBackend(cfg Config) *backend {
	t := &http.Transport{
		MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: cfg.Timeout,
	}
	if cfg.APISocket != "" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", cfg.APISocket)
		}
	}
	return &backend{url: cfg.APIURL, timeout: cfg.Timeout, client: http.Client{Transport: t, CheckRedirect: redirect}}
}

// redirect follows a redirection. The backend decides by the Referer that it knows. Another host gets
// nothing of what is said of the client.
func redirect(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirections")
	}
	if r.URL.Hostname() != via[0].URL.Hostname() {
		r.Header = http.Header{"Accept": {"*/*"}, "User-Agent": {"clu-ws"}}
		return nil
	}
	if given := via[0].Header.Get("Referer"); given == "" {
		r.Header.Del("Referer")
	} else {
		r.Header.Set("Referer", given)
	}
	return nil
}

// answer is what the backend says of a client.
type answer struct {
	status  int
	refused bool
	rooms   []json.RawMessage
}

// bootstrap asks which rooms a client may subscribe to. It fails if the backend does not say.
func (b *backend) bootstrap(ctx context.Context, fields http.Header) (a answer, err error) {
	body, response, err := b.do(ctx, http.MethodGet, "bootstrap/", fields)
	if err != nil {
		return a, err
	}
	if response.StatusCode != http.StatusOK {
		return answer{status: response.StatusCode, refused: true}, nil
	}
	kind, _, _ := strings.Cut(strings.ToLower(response.Header.Get("Content-Type")), ";") // what follows need not be well-formed
	kind = strings.TrimSpace(kind)
	if kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return a, errors.New("the answer to bootstrap/ is not application/json")
	}
	var content map[string]json.RawMessage
	if len(body) > maxAnswer {
		return a, fmt.Errorf("the answer to bootstrap/ is longer than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(body, &content); err != nil || content == nil {
		return a, errors.New("the answer to bootstrap/ is not a JSON object")
	}
	list, given := content["allowed_rooms"]
	if !given {
		return a, nil
	}
	if err := json.Unmarshal(list, &a.rooms); err != nil || a.rooms == nil {
		return a, errors.New("allowed_rooms in the answer to bootstrap/ is not a list")
	}
	return a, nil
}

// notify tells the backend of a client's presence.
func (b *backend) notify(ctx context.Context, path string, fields http.Header) error {
	fields = fields.Clone()
	fields.Set("Content-Type", "application/octet-stream")
	_, response, err := b.do(ctx, http.MethodPost, path, fields)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		return errors.New("status " + response.Status)
	}
	return err
}

// do sends a request, and returns up to maxAnswer bytes of the answer, and one more if it is longer.
func (b *backend) do(ctx context.Context, method, path string, fields http.Header) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header, request.Host = fields, fields.Get("Host") // "" is that of the URL
	response, err := b.client.Do(request)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	return body, response, nil
}

// withoutURL returns an error without the URL, which may have a password.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

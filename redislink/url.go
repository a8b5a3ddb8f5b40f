package redislink

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const unreadableURL = "the Redis URL cannot be read; write it as redis://user:password@host:6379/0, rediss:// with TLS, or unix:///path/to/redis.sock, with special characters percent-encoded"

// CheckURL returns an error that says what is wrong with a Redis URL, if anything. The error does not
// repeat the URL, which may contain a password.
func CheckURL(raw string) error {
	_, err := parse(raw)
	return err
}

// Redact returns a Redis URL without credentials and options, for logs and error messages.
func Redact(raw string) string {
	if CheckURL(raw) != nil {
		return "(unreadable Redis URL)"
	}
	u, _ := url.Parse(raw)
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// dialer opens a connection.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// target is what a URL names.
type target struct {
	// open returns a client whose connections come from a dialer.
	open func(dialer) redis.UniversalClient
	// tls is nil without TLS.
	tls *tls.Config
	// one reports that it is one server.
	one bool
}

// Timeouts of a server that does not answer.
const (
	dialTimeout = 5 * time.Second
	ioTimeout   = 5 * time.Second
)

// resp2 is the protocol: in the newer one, servers may say more than messages.
const resp2 = 2

// parse reads a URL: with master_name it is that of Sentinels, and with addr that of a cluster.
func parse(raw string) (to target, err error) {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(u.EscapedPath()+u.RawQuery, "@") || u.Fragment != "" {
		return to, errors.New(unreadableURL) // the parser's error would quote the URL
	}
	query := u.Query()
	switch {
	case query.Has("master_name"):
		o, err := redis.ParseFailoverURL(raw)
		if err != nil {
			return to, errors.New(unreadableURL)
		}
		o.Protocol, o.MaxRetries, o.DisableIdentity, o.PoolSize = resp2, -1, true, 1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
		to.tls = o.TLSConfig
		to.open = func(dial dialer) redis.UniversalClient {
			own := *o
			own.Dialer, own.TLSConfig = dial, nil
			return redis.NewFailoverClient(&own)
		}
	case query.Has("addr"):
		o, err := redis.ParseClusterURL(raw)
		if err != nil {
			return to, errors.New(unreadableURL)
		}
		o.Protocol, o.MaxRedirects, o.DisableIdentity, o.PoolSize = resp2, -1, true, 1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
		to.tls = o.TLSConfig
		to.open = func(dial dialer) redis.UniversalClient {
			own := *o
			own.Dialer, own.TLSConfig = dial, nil
			return redis.NewClusterClient(&own)
		}
	default:
		o, err := redis.ParseURL(raw)
		if err != nil || u.Scheme != "unix" && u.Hostname() == "" {
			return to, errors.New(unreadableURL)
		}
		o.Protocol, o.MaxRetries, o.DisableIdentity, o.PoolSize = resp2, -1, true, 1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
		to.tls, to.one = o.TLSConfig, true
		to.open = func(dial dialer) redis.UniversalClient {
			own := *o
			own.Dialer, own.TLSConfig = dial, nil
			return redis.NewClient(&own)
		}
	}
	return to, nil
}

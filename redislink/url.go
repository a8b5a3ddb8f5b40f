package redislink

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const unreadableURL = "the Redis URL cannot be read; write it as redis://user:password@host:6379, rediss:// with TLS, or unix:///path/to/redis.sock, with special characters percent-encoded, and at most ?master_name=NAME and ?addr=HOST:PORT behind it"

// errNoPassword is a URL whose only credential may be either.
var errNoPassword = errors.New("the Redis URL has a user without a password; write redis://user:password@host, or redis://:password@host if it is the password")

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

// Timeouts of a server that does not answer.
const (
	dialTimeout = 5 * time.Second
	ioTimeout   = 5 * time.Second
)

// target is what a URL names.
type target struct {
	network        string   // tcp or unix
	addrs          []string // of the server, of nodes of a cluster, or of Sentinels
	master         string   // whom the Sentinels are asked for
	user, password string
	tls            *tls.Config // nil without TLS
}

// follows reports whether there are others to ask which server is the right one.
func (t *target) follows() bool { return t.master != "" || len(t.addrs) > 1 }

// newsTime returns how long it takes at most until all others say that a server is no longer the right
// one, while what is published elsewhere is lost already: Sentinels tell each other every two seconds, and
// a node notices that it is cut off after its cluster-node-timeout, which is 15 seconds usually.
func (t *target) newsTime() time.Duration {
	if t.master != "" {
		return 5 * time.Second
	}
	return 20 * time.Second
}

// parse reads a URL: with master_name it is that of Sentinels, and with addr that of a cluster. The
// number of a database is left out, as channels are the same in all.
func parse(raw string) (to target, err error) {
	unreadable := errors.New(unreadableURL)
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(u.EscapedPath()+u.RawQuery, "@") || u.Fragment != "" {
		return to, unreadable // the parser's error would quote the URL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return to, unreadable
	}
	db := strings.TrimPrefix(u.Path, "/")
	to.network, to.user = "tcp", u.User.Username()
	to.password, _ = u.User.Password()
	switch u.Scheme {
	case "redis":
	case "rediss":
		to.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	case "unix":
		to.network, to.addrs, db = "unix", []string{u.Path}, ""
	default:
		return to, unreadable
	}
	if to.network == "tcp" {
		to.addrs = []string{u.Host}
	}
	for key, values := range query {
		switch key {
		case "master_name":
			to.master = values[0]
		case "addr":
			to.addrs = append(to.addrs, values...)
		case "db":
			db = values[0]
		default:
			return to, unreadable
		}
	}
	number, err := strconv.Atoi(cmp.Or(db, "0"))
	if err != nil || number < 0 || u.Scheme == "unix" && (u.Path == "" || u.Host != "" || to.follows()) {
		return to, unreadable
	}
	if to.user != "" && to.password == "" {
		return to, errNoPassword
	}
	for i := range to.addrs {
		if u.Scheme != "unix" && !to.withPort(i) {
			return to, unreadable
		}
	}
	return to, nil
}

// withPort completes an address. It returns false if that has no host.
func (t *target) withPort(i int) bool {
	port := "6379"
	if t.master != "" {
		port = "26379"
	}
	u, err := url.Parse("redis://" + t.addrs[i])
	if err != nil || u.Hostname() == "" || u.Host != t.addrs[i] {
		return false
	}
	if n, err := strconv.ParseUint(cmp.Or(u.Port(), port), 10, 16); err != nil || n == 0 {
		return false
	}
	t.addrs[i] = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	return true
}

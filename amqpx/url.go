package amqpx

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

const unreadableURL = "the broker URL cannot be read; write it as amqp://user:password@host:5672/vhost, with special characters percent-encoded"

// CheckURL returns an error that says what is wrong with a broker URL, if anything. The
// error does not repeat the URL, which may contain a password.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's error would quote the text that it could not read.
		return errors.New(unreadableURL)
	}
	if strings.Contains(u.EscapedPath()+u.RawQuery, "@") || u.Fragment != "" {
		// The password contains an unescaped / ? or #: what follows it would be shown as
		// the virtual host, and what precedes it as the host.
		return errors.New(unreadableURL)
	}
	if u.Scheme != "amqp" && u.Scheme != "amqps" {
		return fmt.Errorf("the broker URL starts with %q; write it as amqp://host or amqps://host", u.Scheme+":")
	}
	if u.Hostname() == "" {
		return errors.New("the broker URL names no host; write it as amqp://user:password@host:5672/vhost")
	}
	if uri, err := amqp.ParseURI(raw); err != nil || uri.Port > 65535 {
		return errors.New(unreadableURL)
	}
	return nil
}

// Redact returns a broker URL without credentials and options, for logs and error
// messages: the scheme, host, port and virtual host.
func Redact(raw string) string {
	uri, err := amqp.ParseURI(raw)
	if err != nil {
		return "(unreadable broker URL)"
	}
	u := url.URL{Scheme: uri.Scheme, Host: net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port)), Path: "/"}
	if uri.Vhost != "/" {
		u.Path = "/" + uri.Vhost
	}
	return u.String()
}

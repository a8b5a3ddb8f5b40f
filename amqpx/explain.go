package amqpx

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// topologyError says on which exchange or queue the broker refused a request.
type topologyError struct {
	what string // "exchange" or "queue"
	name string
	err  error
}

func (e *topologyError) Error() string { return e.what + " " + e.name + ": " + e.err.Error() }
func (e *topologyError) Unwrap() error { return e.err }

// handshakeError is a failure before the connection was open.
type handshakeError struct {
	err    error
	socket error // how the network failed, or nil
}

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// said is whether an error is the broker's own word.
func said(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server
}

// MisconfiguredError is a refusal that trying again will not mend: wrong
// password, missing virtual host, a queue or exchange in the way.
type MisconfiguredError struct{ Reason string }

func (e *MisconfiguredError) Error() string { return e.Reason }

func misconfigured(err error) bool {
	var m *MisconfiguredError
	return errors.As(err, &m)
}

// explain turns a failure of the link into one sentence that says what is wrong
// and, where somebody can mend it, how. No credentials are in it.
func explain(err error, rawURL string, cfg Config) error {
	broker := Redact(rawURL)
	uri, _ := amqp.ParseURI(rawURL)
	wrong := func(format string, args ...any) error {
		return &MisconfiguredError{Reason: fmt.Sprintf(format, args...)}
	}
	var topology *topologyError
	hasTopology := errors.As(err, &topology)
	var handshake *handshakeError
	inHandshake := errors.As(err, &handshake)
	var e *amqp.Error
	errors.As(err, &e)
	switch {
	case hasTopology && e != nil && e.Code == amqp.ResourceLocked:
		return wrong("the queue %q on %s belongs to another connection: another program named %q is running; stop it, or choose another --name", topology.name, broker, cfg.Name)
	case hasTopology && topology.what == "exchange" && e != nil && e.Code == amqp.PreconditionFailed:
		return wrong("the exchange %q on %s exists with another type or flags than CLU's (topic, not durable, auto-delete); choose another --exchange, or delete it: %s", topology.name, broker, e.Reason)
	case hasTopology && e != nil && e.Code == amqp.AccessRefused:
		return wrong("user %q may not use the %s %q on %s; grant it the permission: %s", uri.Username, topology.what, topology.name, broker, e.Reason)
	case inHandshake && (errors.Is(err, amqp.ErrVhost) || e != nil && e.Code == amqp.NotAllowed):
		return wrong("%s has no virtual host %q that user %q may use; check --vhost", broker, uri.Vhost, uri.Username)
	case inHandshake && e != nil && e.Code == amqp.AccessRefused:
		return wrong("%s refused user %q; check the user name and the password", broker, uri.Username)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; is the broker running?", broker)
	}
	return explainNetwork(err, broker)
}

func explainNetwork(err error, broker string) error {
	var dns *net.DNSError
	var timeout net.Error
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &header):
		return fmt.Errorf("%s does not speak TLS; check the port and --ssl", broker)
	case errors.As(err, &dns):
		return fmt.Errorf("the host of %s is not known: %s", broker, dns.Err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer in time", broker)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s hung up; is it an AMQP 0-9-1 broker, and should --ssl be set?", broker)
	}
	return fmt.Errorf("%s: %w", broker, err)
}

// CheckURL says what is wrong with a broker URL, without repeating the URL: it
// may hold a password.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's own words quote what it could not read.
		return errors.New("the broker URL cannot be read; write it as amqp://user:password@host:5672/vhost, with special characters of the password percent-encoded")
	}
	if u.Scheme != "amqp" && u.Scheme != "amqps" {
		return fmt.Errorf("the broker URL starts with %q; write it as amqp://host or amqps://host", u.Scheme+":")
	}
	if u.Hostname() == "" {
		return errors.New("the broker URL names no host; write it as amqp://user:password@host:5672/vhost")
	}
	if uri, err := amqp.ParseURI(raw); err != nil || uri.Port > 65535 {
		return errors.New("the broker URL cannot be read; write it as amqp://user:password@host:5672/vhost")
	}
	return nil
}

// Redact is the broker's address for people: scheme, host, port and virtual
// host, without credentials and options.
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

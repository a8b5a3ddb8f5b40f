package amqpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// topologyError says on which exchange or queue the broker refused a request.
type topologyError struct {
	what string // "exchange", "queue" or "stream"
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
type MisconfiguredError struct {
	Reason string
	// Denied is set when the user lacks a permission for a queue or an exchange.
	Denied bool
	// inUse: the queue belongs to another connection, which may be our last one.
	inUse bool
}

func (e *MisconfiguredError) Error() string { return e.Reason }

func misconfigured(err error) bool {
	var m *MisconfiguredError
	return errors.As(err, &m)
}

// heldByAnother reports whether the queue belongs to another connection.
func heldByAnother(err error) bool {
	m, ok := errors.AsType[*MisconfiguredError](err)
	return ok && m.inUse
}

func wrong(format string, args ...any) error {
	return &MisconfiguredError{Reason: fmt.Sprintf(format, args...)}
}

// explain turns a failure of the link into one sentence that says what is wrong
// and, where somebody can mend it, how. No credentials are in it, and nothing
// that is another at every try.
func explain(err error, rawURL string, cfg Config) error {
	broker := Redact(rawURL)
	uri, _ := amqp.ParseURI(rawURL)
	if t, ok := errors.AsType[*topologyError](err); ok && said(err) {
		return explainTopology(t, broker, uri.Username, cfg)
	}
	if h, ok := errors.AsType[*handshakeError](err); ok {
		return explainHandshake(h, broker, uri)
	}
	if errors.Is(err, errUnanswered) {
		return fmt.Errorf("%s has left a request unanswered for %v, although its connection stands; is one of its queues without a leader, because too few nodes are up? (rabbitmqctl list_queues name type state leader online)", broker, answerWithin)
	}
	if brokerFailed(err) {
		return fmt.Errorf("%s failed (%w); if it does so again, over a message that it cannot deliver (AMQP 1.0 with a property of type uuid or char), that message is left out, and its sender should be mended", broker, err)
	}
	if denied, ok := readRefusal(err); ok {
		return fmt.Errorf("%s ended the link: %s: %s", broker, denied.missing(cfg.Exchange), denied.reason)
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Server {
		if e.Code == amqp.InternalError {
			return fmt.Errorf("%s ended the link over an error of its own; its log says which: %s", broker, e.Reason)
		}
		return fmt.Errorf("%s ended the link: %s", broker, e.Reason)
	}
	return explainNetwork(err, broker)
}

// explainTopology is about the exchange, queue or stream that the broker refused.
func explainTopology(t *topologyError, broker, user string, cfg Config) error {
	e, _ := errors.AsType[*amqp.Error](t.err)
	// Of a queue that lives on it is the consumer that is exclusive.
	inUse := e.Code == amqp.AccessRefused && strings.Contains(e.Reason, "exclusive use") ||
		e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "is exclusive") // Qpid Broker-J
	unsupported := strings.Contains(e.Reason, "Unsupported queue declare argument") // Qpid Broker-J
	differs := e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, "inequivalent")
	denied, isDenied := readRefusal(e)
	unavailable := explainUnavailable(t.what, t.name, broker, e)
	switch {
	case unavailable != nil:
		return unavailable
	case e.Code == amqp.ResourceLocked || inUse:
		return &MisconfiguredError{inUse: true, Reason: fmt.Sprintf("the queue %q on %s belongs to another connection: another program named %q is running (stop it, or choose another --name), the broker has not noticed yet that our last connection broke (wait a minute), or it was on a node of a cluster that is down (start the node, or delete the queue)", t.name, broker, cfg.Name)}
	case e.Code == amqp.PreconditionFailed && t.what == "exchange":
		return wrong("the exchange %q on %s exists with another type or flags than CLU's (topic, not durable, auto-delete); choose another --exchange, or delete it: %s", t.name, broker, e.Reason)
	case differs && t.what == "queue":
		return wrong("the queue %q on %s was kept with other settings; give it the same again, or wait until it has expired, or delete it: %s", t.name, broker, e.Reason)
	case differs && t.what == "stream":
		return wrong("the stream %q on %s exists with another age, size or kind; give it the same, or choose another stream, or delete it with all that it keeps: %s", t.name, broker, e.Reason)
	case t.what == "stream" && (e.Code == amqp.PreconditionFailed || e.Code == amqp.NotImplemented || unsupported):
		return wrong("%s has no streams, which need RabbitMQ 3.9 or later; do without the stream %q: %s", broker, t.name, e.Reason)
	case (e.Code == amqp.PreconditionFailed || unsupported) && strings.Contains(e.Reason, amqp.QueueTTLArg):
		return wrong("%s keeps no queue without a connection; let the queue %q not outlive it, or use RabbitMQ: %s", broker, t.name, e.Reason)
	case isDenied:
		return &MisconfiguredError{Denied: true, Reason: fmt.Sprintf("%s: %s; grant it: %s", broker, denied.missing(cfg.Exchange), e.Reason)}
	case e.Code == amqp.AccessRefused:
		return wrong("user %q may not use the %s %q on %s; grant it the permission: %s", user, t.what, t.name, broker, e.Reason)
	}
	return fmt.Errorf("%s refused the %s %q: %s", broker, t.what, t.name, e.Reason)
}

// explainUnavailable is about a queue or stream that is there and cannot be used for now,
// mostly because nodes of a cluster are down. It is nil for all else.
func explainUnavailable(what, name, broker string, e *amqp.Error) error {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(e.Reason, w) })
	}
	switch {
	case says("running replica on the local node", "running local replica", "a replica on the local node"):
		return fmt.Errorf("the node at %s has no running replica of the %s %q; it starts one when it has caught up, and other nodes may have one: %s", broker, what, name, e.Reason)
	case says("is down or inaccessible"):
		return fmt.Errorf("the node that holds the %s %q is down, and %s cannot serve it; start that node, or use a queue that several nodes keep (a quorum queue or a stream): %s", what, name, broker, e.Reason)
	case says("stopped by supervisor"):
		return fmt.Errorf("the %s %q does not run on %s: the node that holds it is stopping or down, or the queue has crashed; start that node, or delete the queue if the broker's log names it as broken: %s", what, name, broker, e.Reason)
	case says("may be stopping or being demoted"):
		return fmt.Errorf("the %s %q on %s is changing its leader: %s", what, name, broker, e.Reason)
	case says("timed out", "oordinator unavailable"):
		return fmt.Errorf("%s cannot serve the %s %q for now: are more than half of the cluster's nodes up? %s", broker, what, name, e.Reason)
	case says("queue limit in"):
		return fmt.Errorf("%s takes no more queues; raise the limit or delete some: %s", broker, e.Reason)
	case e.Code == amqp.InternalError:
		return fmt.Errorf("%s failed over the %s %q; its own log says why, and in a cluster it may be that too few nodes are up: %s", broker, what, name, e.Reason)
	}
	return nil
}

// explainHandshake is about a connection that was never open. A broker that
// speaks says why. One that hangs up in order, at the step where a name and
// password or a virtual host is judged, has refused it: the protocol once knew no
// other way. Everything else at those steps is the network, whatever the library
// makes of it.
func explainHandshake(h *handshakeError, broker string, uri amqp.URI) error {
	e, _ := errors.AsType[*amqp.Error](h.err)
	spoke, hungUp := e != nil && e.Server, errors.Is(h.socket, io.EOF)
	network := h.socket
	if network == nil && e == nil {
		network = h.err // before the library had the connection
	}
	switch {
	case spoke && e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "limit"):
		return fmt.Errorf("%s takes no more connections: %s", broker, e.Reason)
	case spoke && e.Code == amqp.NotAllowed, hungUp && errors.Is(h.err, amqp.ErrVhost):
		return wrong("%s has no virtual host %q that user %q may use; check --vhost", broker, uri.Vhost, uri.Username)
	case spoke && e.Code == amqp.AccessRefused, hungUp && errors.Is(h.err, amqp.ErrCredentials):
		return refusedUser(broker, uri)
	case spoke:
		return fmt.Errorf("%s closed the connection: %s", broker, e.Reason)
	case errors.Is(h.err, amqp.ErrSASL):
		return wrong("%s lets nobody log in with a name and a password (PLAIN)", broker)
	case uri.Scheme == "amqps" && (network != nil && hangup(network) || e != nil && strings.Contains(e.Reason, "tls: ") || errors.Is(h.err, amqp.ErrClosed) || errors.Is(h.err, net.ErrClosed)):
		// It may say why, but closes with that, and the word is often lost, to the library too.
		return fmt.Errorf("%s hung up on TLS; check the port, and whether it asks for --cert and --key", broker)
	case network != nil && hangup(network):
		return fmt.Errorf("%s hung up; is it an AMQP 0-9-1 broker, and should --ssl be set?", broker)
	case network != nil:
		return explainNetwork(network, broker)
	}
	return fmt.Errorf("%s does not speak AMQP 0-9-1; check the port and --ssl", broker)
}

func refusedUser(broker string, uri amqp.URI) error {
	hint := ""
	if ip := net.ParseIP(uri.Host); uri.Username == "guest" && uri.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		hint = `; RabbitMQ lets "guest" in from its own machine only`
	}
	return wrong("%s refused user %q; check the user name and the password%s", broker, uri.Username, hint)
}

func explainNetwork(err error, broker string) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the host of %s is not known: %s", broker, dns.Err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("%s does not speak TLS; check the port and --ssl", broker)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return wrong("the certificate of %s is signed by nobody who is trusted here; name the signer's certificate with --ca: %v", broker, unknown)
	}
	if invalid, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return wrong("the certificate of %s is not accepted: %v", broker, invalid.Err)
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; is the broker running?", broker)
	case ok && timeout.Timeout():
		return fmt.Errorf("%s does not answer in time", broker)
	case hangup(err):
		return fmt.Errorf("%s hung up", broker)
	}
	return fmt.Errorf("%s: %w", broker, bare(err))
}

// hangup is whether the other end closed the connection, in order or not: which
// of these errors is seen is a matter of who was faster.
func hangup(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

const unreadable = "the broker URL cannot be read; write it as amqp://user:password@host:5672/vhost, with special characters percent-encoded"

// CheckURL says what is wrong with a broker URL, without repeating the URL: it
// may hold a password.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's own words quote what it could not read.
		return errors.New(unreadable)
	}
	if strings.Contains(u.EscapedPath()+u.RawQuery, "@") || u.Fragment != "" {
		// The password has a bare / ? or #: what follows would be shown as the
		// virtual host, and what precedes it as the host.
		return errors.New(unreadable)
	}
	if u.Scheme != "amqp" && u.Scheme != "amqps" {
		return fmt.Errorf("the broker URL starts with %q; write it as amqp://host or amqps://host", u.Scheme+":")
	}
	if u.Hostname() == "" {
		return errors.New("the broker URL names no host; write it as amqp://user:password@host:5672/vhost")
	}
	if uri, err := amqp.ParseURI(raw); err != nil || uri.Port > 65535 {
		return errors.New(unreadable)
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

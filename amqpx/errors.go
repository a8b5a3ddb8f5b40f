package amqpx

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// topologyError names the exchange or queue for which the broker refused a request.
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

// fromBroker reports whether the broker itself sent the error.
func fromBroker(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server
}

// refusedWith reports whether the broker answered with the code.
func refusedWith(err error, code int) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server && e.Code == code
}

// Kind classifies an [Error], for a program that adds advice of its own: which of its
// options to set, say.
type Kind string

// The permanent kinds, which last until the configuration changes ([Error.Permanent]).
const (
	// NameInUse: the queue belongs to another connection. That may be another program with the
	// same name, or the link's own last connection, if the broker has not noticed that it
	// broke.
	NameInUse Kind = "name in use"
	// ExchangeDiffers, QueueDiffers and StreamDiffers: the exchange, queue or stream exists with
	// other properties.
	ExchangeDiffers Kind = "exchange differs"
	QueueDiffers    Kind = "queue differs"
	StreamDiffers   Kind = "stream differs"
	// NoStreams and NoExpiry: the broker has no streams, or no queues that expire.
	NoStreams Kind = "no streams"
	NoExpiry  Kind = "no expiry"
	// AccessDenied: the user lacks a permission for a queue or an exchange.
	AccessDenied Kind = "access denied"
	// VirtualHostDenied: there is no virtual host of that name, or the user may not use it.
	VirtualHostDenied Kind = "virtual host denied"
	// LoginRefused: the user or the password is wrong, or the user may not log in from here.
	LoginRefused Kind = "login refused"
	// NoPlainLogin: the broker does not accept a user name and password (SASL PLAIN).
	NoPlainLogin Kind = "no plain login"
	// UntrustedIssuer: the broker's certificate is signed by an unknown authority.
	UntrustedIssuer Kind = "untrusted issuer"
	// InvalidCertificate: the broker's certificate is not valid, or not for this host.
	InvalidCertificate Kind = "invalid certificate"
)

// The kinds that may not recur at the next attempt.
const (
	// TLSHangUp: the broker closed the connection during the TLS handshake. It may ask for
	// a client certificate.
	TLSHangUp Kind = "TLS hang-up"
	// HangUp: the other end closed the connection before it spoke AMQP. It may expect TLS.
	HangUp Kind = "hang-up"
	// NotAMQP and NotTLS: the other end speaks a different protocol.
	NotAMQP Kind = "not AMQP"
	NotTLS  Kind = "not TLS"
)

// Error is a failure to link to a broker, with a known cause. [State].Err and the error of
// [Link.Run] wrap it where possible; errors.As finds it.
type Error struct {
	Kind Kind
	text string
}

func (e *Error) Error() string { return e.text }

// Permanent reports whether trying again is useless until the configuration of the broker or of
// this program changes. The link still tries, but rarely.
func (e *Error) Permanent() bool {
	switch e.Kind {
	case "", TLSHangUp, HangUp, NotAMQP, NotTLS:
		return false
	}
	return true
}

func newError(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, text: fmt.Sprintf(format, args...)}
}

// misconfigured reports whether the error is permanent.
func misconfigured(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Permanent()
}

func isKind(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}

// explain turns a failure of the link into one sentence that says what is wrong and, if that is
// known, how to correct it. The sentence contains no credentials, and nothing that changes from
// one attempt to the next.
func explain(err error, rawURL string, cfg Config) error {
	broker := Redact(rawURL)
	uri, _ := amqp.ParseURI(rawURL)
	if t, ok := errors.AsType[*topologyError](err); ok && fromBroker(err) {
		return explainTopology(t, broker, uri.Username, cfg)
	}
	if h, ok := errors.AsType[*handshakeError](err); ok {
		return explainHandshake(h, broker, uri)
	}
	if errors.Is(err, errRequestTimeout) {
		return fmt.Errorf("%s has left a request unanswered for %v, although the connection is up; does one of its queues lack a leader, because too few nodes are up? (rabbitmqctl list_queues name type state leader online)", broker, requestTimeout)
	}
	if brokerFailed(err) {
		return fmt.Errorf("%s failed (%w); if it does so again, over a message that it cannot deliver (AMQP 1.0 with a property of type uuid or char), that message is skipped, and its sender should be corrected", broker, err)
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

// explainTopology explains why the broker refused an exchange, a queue or a stream.
func explainTopology(t *topologyError, broker, user string, cfg Config) error {
	e, _ := errors.AsType[*amqp.Error](t.err)
	// On a queue that outlives the link, it is the consumer that is exclusive.
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
		return newError(NameInUse, "the queue %q on %s belongs to another connection: another program named %q is running (stop it, or give this one another name), the broker has not noticed yet that our last connection broke (wait a minute), or it was on a node of a cluster that is down (start the node, or delete the queue)", t.name, broker, cfg.Name)
	case e.Code == amqp.PreconditionFailed && t.what == "exchange":
		return newError(ExchangeDiffers, "the exchange %q on %s exists with another type or other flags than %s; choose another exchange, or delete it: %s", t.name, broker, cfg.ExchangeOptions.describe(), e.Reason)
	case differs && t.what == "queue":
		return newError(QueueDiffers, "the queue %q on %s was kept with other settings; give it the same again, or wait until it has expired, or delete it: %s", t.name, broker, e.Reason)
	case differs && t.what == "stream":
		return newError(StreamDiffers, "the stream %q on %s exists with another age, size or kind; give it the same, or choose another stream, or delete it with all that it keeps: %s", t.name, broker, e.Reason)
	case t.what == "stream" && (e.Code == amqp.PreconditionFailed || e.Code == amqp.NotImplemented || unsupported):
		return newError(NoStreams, "%s has no streams, which need RabbitMQ 3.9 or later; do without the stream %q: %s", broker, t.name, e.Reason)
	case (e.Code == amqp.PreconditionFailed || unsupported) && strings.Contains(e.Reason, amqp.QueueTTLArg):
		return newError(NoExpiry, "%s keeps no queue without a connection; let the queue %q not outlive it, or use RabbitMQ: %s", broker, t.name, e.Reason)
	case isDenied:
		return newError(AccessDenied, "%s: %s; grant it: %s", broker, denied.missing(cfg.Exchange), e.Reason)
	case e.Code == amqp.AccessRefused:
		return newError(AccessDenied, "user %q may not use the %s %q on %s; grant it the permission: %s", user, t.what, t.name, broker, e.Reason)
	}
	return fmt.Errorf("%s refused the %s %q: %s", broker, t.what, t.name, e.Reason)
}

// explainUnavailable explains why an existing queue or stream cannot be used for now, mostly
// because nodes of a cluster are down. It returns nil for everything else.
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

// explainHandshake explains why a connection never opened. A broker may say why. A broker
// that closes the connection cleanly, at the step where it checks the credentials or the
// virtual host, has refused them: the protocol once had no other way to say so. Any other
// failure at those steps is the network's, whatever the library takes it for.
func explainHandshake(h *handshakeError, broker string, uri amqp.URI) error {
	e, _ := errors.AsType[*amqp.Error](h.err)
	spoke, hungUp := e != nil && e.Server, errors.Is(h.socket, io.EOF)
	network := h.socket
	if network == nil && e == nil {
		network = h.err // the library did not have the connection yet
	}
	switch {
	case spoke && e.Code == amqp.NotAllowed && strings.Contains(e.Reason, "limit"):
		return fmt.Errorf("%s takes no more connections: %s", broker, e.Reason)
	case spoke && e.Code == amqp.NotAllowed, hungUp && errors.Is(h.err, amqp.ErrVhost):
		return newError(VirtualHostDenied, "%s has no virtual host %q that user %q may use; check its name", broker, uri.Vhost, uri.Username)
	case spoke && e.Code == amqp.AccessRefused, hungUp && errors.Is(h.err, amqp.ErrCredentials):
		return refusedUser(broker, uri)
	case spoke:
		return fmt.Errorf("%s closed the connection: %s", broker, e.Reason)
	case errors.Is(h.err, amqp.ErrSASL):
		return newError(NoPlainLogin, "%s does not accept a user name and password (PLAIN)", broker)
	case uri.Scheme == "amqps" && (network != nil && hangup(network) || e != nil && strings.Contains(e.Reason, "tls: ") || errors.Is(h.err, amqp.ErrClosed) || errors.Is(h.err, net.ErrClosed)):
		// The broker may send the reason, but its alert is often lost when it closes the connection.
		return newError(TLSHangUp, "%s hung up on TLS; check the port, and whether it asks for a client certificate", broker)
	case network != nil && hangup(network):
		return newError(HangUp, "%s hung up; is it an AMQP 0-9-1 broker, and does it expect TLS?", broker)
	case network != nil:
		return explainNetwork(network, broker)
	}
	return newError(NotAMQP, "%s does not speak AMQP 0-9-1; check the port, and whether it expects TLS", broker)
}

func refusedUser(broker string, uri amqp.URI) error {
	hint := ""
	if ip := net.ParseIP(uri.Host); uri.Username == "guest" && uri.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		hint = `; RabbitMQ lets "guest" in from its own machine only`
	}
	return newError(LoginRefused, "%s refused user %q; check the user name and the password%s", broker, uri.Username, hint)
}

func explainNetwork(err error, broker string) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the host of %s is not known: %s", broker, dns.Err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return newError(NotTLS, "%s does not speak TLS; check the port, or connect without TLS", broker)
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return newError(UntrustedIssuer, "the certificate of %s is signed by an authority that is not trusted here: %v", broker, unknown)
	}
	if invalid, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return newError(InvalidCertificate, "the certificate of %s is not accepted: %v", broker, invalid.Err)
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
	return fmt.Errorf("%s: %w", broker, stripAddr(err))
}

// hangup reports whether the other end closed the connection, cleanly or not: which of
// these errors is seen depends on timing.
func hangup(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

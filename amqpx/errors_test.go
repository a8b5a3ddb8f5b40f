package amqpx

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestAFailureIsExplainedInOneSentenceWithoutThePassword(t *testing.T) {
	const url = "amqp://me:sesame@host:1234/obs"
	cfg := Config{Name: "bridge"}
	says := func(code int, reason string) error { return &amqp.Error{Code: code, Reason: reason, Server: true} }
	library := func(reason string) error { return &amqp.Error{Code: amqp.FrameError, Reason: reason} }
	for _, c := range []struct {
		err   error
		words string
		kind  Kind
	}{
		{&handshakeError{err: says(amqp.AccessRefused, "")}, `refused user "me"`, LoginRefused},
		{&handshakeError{err: amqp.ErrCredentials, socket: io.EOF}, `refused user "me"`, LoginRefused},
		{&handshakeError{err: amqp.ErrCredentials, socket: syscall.ECONNRESET}, "hung up", HangUp},
		{&handshakeError{err: amqp.ErrCredentials, socket: os.ErrDeadlineExceeded}, "does not answer", ""},
		{&handshakeError{err: amqp.ErrSASL}, "PLAIN", NoPlainLogin},
		{&handshakeError{err: says(amqp.NotAllowed, "vhost obs not found")}, `no virtual host "obs"`, VirtualHostDenied},
		{&handshakeError{err: amqp.ErrVhost, socket: io.EOF}, `no virtual host "obs"`, VirtualHostDenied},
		{&handshakeError{err: says(amqp.NotAllowed, "connection limit (1) is reached")}, "no more connections", ""},
		{&handshakeError{err: says(amqp.ConnectionForced, "REASON")}, "REASON", ""},
		{&handshakeError{err: library("EOF"), socket: io.EOF}, "hung up", HangUp},
		{&handshakeError{err: library("frame size exceeds negotiated frame_max")}, "does not speak AMQP 0-9-1", NotAMQP},
		{&handshakeError{err: x509.UnknownAuthorityError{}}, "an authority that is not trusted", UntrustedIssuer},
		{&handshakeError{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, "is the broker running?", ""},
		{&topologyError{"queue", "bridge_replies", says(amqp.ResourceLocked, "")}, `another program named "bridge"`, NameInUse},
		{&topologyError{"exchange", "x", says(amqp.PreconditionFailed, "")}, `other flags than topic, not durable, auto-delete`, ExchangeDiffers},
		{&topologyError{"queue", "q", says(amqp.AccessRefused, "")}, `user "me" may not use the queue "q"`, AccessDenied},
		{&topologyError{"queue", "q", says(amqp.PreconditionFailed, "REASON")}, "REASON", ""},
		{fmt.Errorf("closed: %w", says(amqp.ConnectionForced, "REASON")), "REASON", ""},
		{fmt.Errorf("closed: %w", io.EOF), "hung up", ""},
		{fmt.Errorf("closed: %w", os.ErrDeadlineExceeded), "does not answer", ""},
		{errors.New("something else"), "something else", ""},
	} {
		got := explain(c.err, url, cfg)
		if !strings.Contains(got.Error(), c.words) || !strings.Contains(got.Error(), "host:1234") || strings.Contains(got.Error(), "sesame") {
			t.Errorf("%v is explained as %q", c.err, got)
		}
		var kind Kind
		if e, ok := errors.AsType[*Error](got); ok {
			kind = e.Kind
		}
		if kind != c.kind {
			t.Errorf("%q is of the kind %q, want %q", got, kind, c.kind)
		}
	}
}

func TestABrokerThatWantsACertificateIsExplainedInTheSameWordsHoweverItHangsUp(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range []*handshakeError{
		{err: &amqp.Error{Code: amqp.FrameError, Reason: "remote error: tls: certificate required"}},
		{err: amqp.ErrCredentials, socket: syscall.ECONNRESET},
		{err: io.EOF, socket: io.EOF},
	} {
		seen[explain(h, "amqps://host/", Config{}).Error()] = true
	}
	for words := range seen {
		if len(seen) != 1 || !strings.Contains(words, "asks for a client certificate") {
			t.Errorf("it is explained as %q", words)
		}
	}
}

func TestAGuestFromAfarLearnsThatGuestIsLocal(t *testing.T) {
	for url, hint := range map[string]bool{
		"amqp://guest:guest@rabbit.example/": true,
		"amqp://guest:guest@10.0.0.1/":       true,
		"amqp://guest:guest@localhost/":      false,
		"amqp://guest:guest@[::1]/":          false,
		"amqp://me:sesame@10.0.0.1/":         false,
	} {
		got := explain(&handshakeError{err: amqp.ErrCredentials, socket: io.EOF}, url, Config{})
		if strings.Contains(got.Error(), "its own machine only") != hint {
			t.Errorf("%s: %v", url, got)
		}
	}
}

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
		err           error
		words         string
		misconfigured bool
	}{
		{&handshakeError{err: says(amqp.AccessRefused, "")}, `refused user "me"`, true},
		{&handshakeError{err: amqp.ErrCredentials, socket: io.EOF}, `refused user "me"`, true},
		{&handshakeError{err: amqp.ErrCredentials, socket: syscall.ECONNRESET}, "hung up", false},
		{&handshakeError{err: amqp.ErrCredentials, socket: os.ErrDeadlineExceeded}, "does not answer", false},
		{&handshakeError{err: amqp.ErrSASL}, "PLAIN", true},
		{&handshakeError{err: says(amqp.NotAllowed, "vhost obs not found")}, `no virtual host "obs"`, true},
		{&handshakeError{err: amqp.ErrVhost, socket: io.EOF}, `no virtual host "obs"`, true},
		{&handshakeError{err: says(amqp.NotAllowed, "connection limit (1) is reached")}, "no more connections", false},
		{&handshakeError{err: says(amqp.ConnectionForced, "REASON")}, "REASON", false},
		{&handshakeError{err: library("EOF"), socket: io.EOF}, "hung up", false},
		{&handshakeError{err: library("frame size exceeds negotiated frame_max")}, "does not speak AMQP 0-9-1", false},
		{&handshakeError{err: x509.UnknownAuthorityError{}}, "--ca", true},
		{&handshakeError{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, "is the broker running?", false},
		{&topologyError{"queue", "bridge_replies", says(amqp.ResourceLocked, "")}, `another program named "bridge"`, true},
		{&topologyError{"exchange", "x", says(amqp.PreconditionFailed, "")}, `exchange "x"`, true},
		{&topologyError{"queue", "q", says(amqp.AccessRefused, "")}, `user "me" may not use the queue "q"`, true},
		{&topologyError{"queue", "q", says(amqp.PreconditionFailed, "REASON")}, "REASON", false},
		{fmt.Errorf("closed: %w", says(amqp.ConnectionForced, "REASON")), "REASON", false},
		{fmt.Errorf("closed: %w", io.EOF), "hung up", false},
		{fmt.Errorf("closed: %w", os.ErrDeadlineExceeded), "does not answer", false},
		{errors.New("something else"), "something else", false},
	} {
		got := explain(c.err, url, cfg)
		if !strings.Contains(got.Error(), c.words) || !strings.Contains(got.Error(), "host:1234") || strings.Contains(got.Error(), "sesame") {
			t.Errorf("%v is explained as %q", c.err, got)
		}
		if misconfigured(got) != c.misconfigured {
			t.Errorf("%q: misconfigured is %v", got, misconfigured(got))
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
		if len(seen) != 1 || !strings.Contains(words, "--cert and --key") {
			t.Errorf("it is explained as %q", words)
		}
	}
}

func TestWhoIsRefusedAsGuestFromAfarIsToldThatItIsLocal(t *testing.T) {
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

func TestABadURLIsRefusedWithoutRepeatingIt(t *testing.T) {
	for url, words := range map[string]string{
		"http://u:sesame@host/":         `"http:"`,
		"amqp://u:sesame@":              "names no host",
		"amqp://u:sesa#me@host:port/":   "cannot be read",
		"amqp://u:sesame@host:port/":    "cannot be read",
		"amqp://u:sesame@host:99999999": "cannot be read",
		"amqp://u:/sesame@host/":        "percent-encoded",
		"amqp://u:12/sesame@host/":      "percent-encoded",
		"amqp://u:12#sesame@host/":      "percent-encoded",
		"amqp://u:12?sesame@host/":      "percent-encoded",
		"sesame":                        "amqp://",
	} {
		err := CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "sesa") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := CheckURL("amqps://u:p%23ss%40@host:5671/a%2Fb%40?heartbeat=5"); err != nil {
		t.Error(err)
	}
}

func TestRedactLeavesOnlyTheAddress(t *testing.T) {
	for url, want := range map[string]string{
		"amqp://u:sesame@host/":                   "amqp://host:5672/",
		"amqps://u:sesame@host/obs?cacertfile=/x": "amqps://host:5671/obs",
		"amqp://u:sesame@[::1]:7/%2f":             "amqp://[::1]:7/",
		"nonsense with sesame":                    "(unreadable broker URL)",
	} {
		if got := Redact(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestTheBackoffGrowsToItsLimit(t *testing.T) {
	var b backoff
	want := firstPause
	for range 12 {
		if got := b.next(); got < want/2 || got > want {
			t.Errorf("a pause of %v, want %v to %v", got, want/2, want)
		}
		want = min(2*want, lastPause)
	}
	b.reset()
	if got := b.next(); got > firstPause {
		t.Errorf("after reset a pause of %v", got)
	}
}

func TestAMessageThatAMQPCannotCarryIsRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, m := range []Message{
		{Key: long},
		{Publishing: Publishing{CorrelationId: long}},
		{Publishing: Publishing{ReplyTo: "\xff"}},
		{Publishing: Publishing{ContentEncoding: long}},
		{Publishing: Publishing{Expiration: long}},
		{Publishing: Publishing{Type: long}},
		{Publishing: Publishing{UserId: long}},
		{Publishing: Publishing{AppId: long}},
		{Publishing: Publishing{Headers: Table{"x": struct{}{}}}},
		{Mandatory: true},
	} {
		if err := m.check(); err == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
}

func TestANameThatAMQPCannotCarryIsRefusedBeforeAnythingIsDialled(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, cfg := range []Config{{Exchange: long}, {Exchange: "\xff"}, {Queues: []Queue{{Name: long}}}} {
		cfg.URLs = []string{"amqp://localhost/"}
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
}

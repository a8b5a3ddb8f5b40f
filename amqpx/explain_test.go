package amqpx

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestAFailureIsExplainedInOneSentenceWithoutThePassword(t *testing.T) {
	const url = "amqp://me:sesame@host:1234/obs"
	cfg := Config{Name: "bridge"}
	code := func(code int) error { return &amqp.Error{Code: code, Reason: "REASON"} }
	for _, c := range []struct {
		err           error
		words         string
		misconfigured bool
	}{
		{&handshakeError{err: amqp.ErrCredentials}, `refused user "me"`, true},
		{&handshakeError{err: code(amqp.NotAllowed)}, `no virtual host "obs"`, true},
		{&handshakeError{err: amqp.ErrVhost}, `no virtual host "obs"`, true},
		{&topologyError{"queue", "bridge_replies", code(amqp.ResourceLocked)}, `another program named "bridge"`, true},
		{&topologyError{"exchange", "x", code(amqp.PreconditionFailed)}, `exchange "x"`, true},
		{&topologyError{"queue", "q", code(amqp.AccessRefused)}, `user "me" may not use the queue "q"`, true},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), "is the broker running?", false},
		{&handshakeError{err: io.EOF}, "hung up", false},
		{code(amqp.ConnectionForced), "REASON", false},
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

func TestABadURLIsRefusedWithoutRepeatingIt(t *testing.T) {
	for url, words := range map[string]string{
		"http://u:sesame@host/":         `"http:"`,
		"amqp://u:sesame@":              "names no host",
		"amqp://u:sesa#me@host:port/":   "cannot be read",
		"amqp://u:sesame@host:port/":    "cannot be read",
		"amqp://u:sesame@host:99999999": "cannot be read",
		"sesame":                        "amqp://",
	} {
		err := CheckURL(url)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "sesa") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := CheckURL("amqps://u:p%23ss@host:5671/a%2Fb"); err != nil {
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
	b.last()
	if got := b.next(); got < lastPause/2 {
		t.Errorf("after last a pause of %v", got)
	}
}

func TestAMessageThatAMQPCannotCarryIsRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, m := range []Message{
		{Key: long},
		{Publishing: Publishing{CorrelationId: long}},
		{Publishing: Publishing{ReplyTo: "\xff"}},
		{Publishing: Publishing{Headers: Table{"x": struct{}{}}}},
		{Mandatory: true},
	} {
		if err := m.check(); err == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
}

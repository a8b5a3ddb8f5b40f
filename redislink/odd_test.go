package redislink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// answerer is a server that answers each command with what a function says. It closes the connection
// after "", and goes on after nothing.
type answerer struct {
	net.Listener
	answer func(command string) string
}

const nothing = "nothing"

func startAnswerer(t *testing.T, answer func(command string) string) *answerer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &answerer{ln, answer}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { a.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	return a
}

func (a *answerer) serve(conn net.Conn) {
	defer conn.Close()
	asked := make([]byte, 1000)
	for {
		n, err := conn.Read(asked)
		if err != nil {
			return
		}
		said := a.answer(string(asked[:n]))
		if said == "" {
			return
		}
		_, _ = conn.Write([]byte(strings.TrimPrefix(said, nothing)))
	}
}

func (a *answerer) url() string { return "redis://" + a.Addr().String() }

// Whatever answers in place of Redis ends the connection only, takes no memory for what it announces,
// and is named.
func TestWhatIsNoRedisEndsOnlyItsConnection(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	confirmed := "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
	for says, want := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n":          errNotRedis.Error(),
		"220 mail.example ESMTP\r\n":                errNotRedis.Error(),
		"AMQP\x00\x00\x09\x01\r\n":                  errNotRedis.Error(),
		strings.Repeat("x", 2*lineBuffer):           errNotRedis.Error(),
		"*9223372036854775807\r\n":                  errNotRedis.Error(),
		"*99999999999999999999\r\n":                 errNotRedis.Error(),
		"*3\r\n$99999999999999999\r\n":              errNotRedis.Error(),
		"*-2\r\n":                                   errNotRedis.Error(),
		"$x\r\n":                                    errNotRedis.Error(),
		"*1\r\n*1\r\n*1\r\n":                        errNotRedis.Error(),
		"*1\r\n$1\r\nabc":                           errNotRedis.Error(),
		"\r\n":                                      errNotRedis.Error(),
		"*0\r\n":                                    errNotRedis.Error(),
		"*2\r\n$7\r\nmessage\r\n$1\r\nc\r\n":        errNotRedis.Error(),
		confirmed + confirmed:                       errNotRedis.Error(),
		confirmed + "*3\r\n$7\r\nmessage\r\n$9\r\n": errSilent.Error(),
		confirmed + "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n": errUnsubscribed.Error(),
		"":                                       "the server closed the connection",
		"-ERR max number of clients reached\r\n": "raise maxclients",
		"-NOPERM no\r\n":                         "+subscribe +psubscribe +ping",
		"-DENIED Redis is running in protected mode because. A page.\r\n": "DENIED Redis is running in protected mode because; set a password",
	} {
		a := startAnswerer(t, func(command string) string {
			if strings.Contains(command, "PING") {
				return nothing
			}
			return says
		})
		r := record(t, redis, func(c *Config) { askOften(c); c.URL = a.url() }, "c")
		r.awaitDown(want)
		if err := r.Check(t.Context()); !strings.HasPrefix(says, confirmed) && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: %v, want %s", says, err, want)
		}
	}
}

// A server without AUTH repeats what it was sent.
func TestAServerThatRepeatsThePasswordDoesNotBringItIntoTheLog(t *testing.T) {
	t.Parallel()
	a := startAnswerer(t, func(string) string {
		return "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n"
	})
	link, err := New(Config{URL: strings.Replace(a.url(), "//", "//:hunter2@", 1), Channels: []string{"c"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Error(err)
	}
	said := withoutPassword(serverError("ERR no hunter2"), "hunter2")
	if said.Error() != "ERR no (hidden)" {
		t.Error(said)
	}
}

// A message that is too long is passed over, and nothing else is lost.
func TestOnlyAMessageThatIsTooLongIsDropped(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	long := make(chan string, 10)
	r := record(t, redis, func(c *Config) {
		c.MaxBody = 10
		c.OnTooLong = func(channel string, size int) { long <- fmt.Sprint(channel, size) }
	}, "c", "n*")
	r.awaitUp()
	r.publish("c", strings.Repeat("x", 1<<20))
	r.publish("c", strings.Repeat("y", 11))
	r.publish("n"+strings.Repeat("n", maxName), "the channel is too long")
	r.publish("n"+strings.Repeat("n", maxName-1), "0123456789")
	r.publish("c", "0123456789")
	r.await("n"+strings.Repeat("n", maxName-1)+":0123456789", "c:0123456789")
	for _, want := range []string{"c1048576", "c11", "23"} {
		if got := <-long; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Redis that loads its data, or whose user has no right to ask, answers PING with an error.
func TestAnErrorThatAnswersThePingIsNoOutage(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	redis.Do("ACL", "SETUSER", "reader", "on", ">sesame", "resetchannels", "&c", "+subscribe")
	as := func(c *Config) { askPatiently(c); c.URL = "redis://reader:sesame@" + redis.Addr() }
	r := record(t, redis, as, "c")
	r.awaitUp()
	r.awaitPings()
	r.publish("c", "1")
	r.await("c:1")
	denied := record(t, redis, as, "other")
	denied.awaitDown("NOPERM")
	denied.awaitDown("&channel")
	redis.Do("ACL", "SETUSER", "reader", "resetchannels") // which closes the connection
	r.awaitDown("NOPERM")
}

// The Sentinels may name another server while the old one goes on: it hears nothing from then on.
func TestAServerThatTheSentinelsNoLongerNameIsLeft(t *testing.T) {
	t.Parallel()
	old, next := testkit.StartRedis(t, "--requirepass", "sesame"), testkit.StartRedis(t, "--requirepass", "sesame")
	var mu sync.Mutex
	named := old
	name := func(r *testkit.Redis) {
		mu.Lock()
		defer mu.Unlock()
		named = r
	}
	sentinel := sentinelOf(t, func() *testkit.Redis {
		mu.Lock()
		defer mu.Unlock()
		return named
	})
	r := record(t, old, func(c *Config) {
		askPatiently(c)
		c.URL = "redis://:sesame@" + sentinel.Addr().String() + "?master_name=main"
	}, "c")
	r.awaitUp()
	r.awaitPings()
	// Without a Sentinel the link stays, but nobody knows whether the server is the right one.
	name(nil)
	lost := time.Now()
	r.publish("c", "still")
	r.await("c:still")
	r.awaitPings()
	name(next)
	r.awaitGap(lost)
	r.redis = next
	r.publish("c", "new")
	r.await("c:new")
	if s := old.Do("PUBSUB", "NUMSUB", "c").([]any); s[1] != int64(0) {
		t.Error("the old server is not left")
	}
	// A replica is not the server, whatever a Sentinel says.
	host, port, _ := net.SplitHostPort(old.Addr())
	next.Do("REPLICAOF", host, port)
	next.Do("CLIENT", "KILL", "TYPE", "pubsub")
	r.awaitDown("is a replica")
}

// A Sentinel that the others do not reach goes on naming a server that they have replaced.
func TestMostSentinelsDecide(t *testing.T) {
	t.Parallel()
	old, next := testkit.StartRedis(t, "--requirepass", "sesame"), testkit.StartRedis(t, "--requirepass", "sesame")
	naming := func(r *testkit.Redis) string {
		return sentinelOf(t, func() *testkit.Redis { return r }).Addr().String()
	}
	var mu sync.Mutex
	named := old
	wavering := sentinelOf(t, func() *testkit.Redis {
		mu.Lock()
		defer mu.Unlock()
		return named
	}).Addr().String()
	r := record(t, old, func(c *Config) {
		askPatiently(c)
		c.URL = "redis://:sesame@" + naming(old) + "?master_name=main&addr=" + wavering + "&addr=" + naming(next)
	}, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")
	lost := time.Now()
	mu.Lock()
	named = next
	mu.Unlock()
	r.awaitGap(lost)
	r.redis = next
	r.publish("c", "2")
	r.await("c:2")
}

// sentinelOf is a Sentinel that wants a password, and names a server, or is not there if that is nil.
func sentinelOf(t *testing.T, named func() *testkit.Redis) *answerer {
	t.Helper()
	var mu sync.Mutex
	let := false
	return startAnswerer(t, func(command string) string {
		mu.Lock()
		defer mu.Unlock()
		r := named()
		switch {
		case r == nil:
			return ""
		case strings.Contains(command, "AUTH"):
			let = true
			return "+OK\r\n"
		case !let:
			return "-NOAUTH Authentication required.\r\n"
		}
		host, port, _ := net.SplitHostPort(r.Addr())
		return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
	})
}

// Clients may come while the first attempts fail.
func TestWhatIsLostBeforeTheLinkFirstStandsIsAGap(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	redis.Stop()
	r := record(t, redis, nil, "c")
	r.awaitDown("connection refused")
	lost, began := time.Now(), time.Now()
	testkit.WaitUntil(t, "some attempts fail", func() bool { return time.Since(began) > 4*firstRetry })
	redis.Restart()
	r.awaitGap(lost)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.downs) != 1 {
		t.Errorf("one outage is logged as %q", r.downs)
	}
}

func TestAnErrorSaysHowToMendItAndNamesNoPortOfThisSide(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}
	for err, want := range map[error]string{
		&net.OpError{Op: "read", Net: "tcp", Source: local, Err: os.NewSyscallError("read", syscall.EHOSTUNREACH)}:  "read: no route to host",
		&net.OpError{Op: "read", Net: "tcp", Source: local, Err: os.NewSyscallError("read", syscall.ECONNRESET)}:    errClosed.Error(),
		&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: new(x509.Certificate), Host: "h"}}:   "tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match h; write a name that the server's certificate has into the URL",
		&tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}}:                  "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: ; renew the server's certificate, or see whether the clock is right",
		&net.OpError{Op: "dial", Net: "tcp", Addr: local, Err: errors.New("connection refused")}:                    "dial tcp 127.0.0.1:40000: connection refused",
		&net.OpError{Op: "dial", Net: "tcp", Addr: local, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}: "dial tcp 127.0.0.1:40000: connect: connection refused; start Redis, or correct the URL",
	} {
		if got := explain(err).Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

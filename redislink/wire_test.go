package redislink

import (
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A connection may be half open: what one side says does not come to the other.
func TestAConnectionThatIsHalfOpenIsLeft(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	proxy := testkit.StartChaosProxy(t, redis.Addr(), 1)
	proxy.Calm()
	r := record(t, redis, func(c *Config) { askOften(c); c.URL = "redis://" + proxy.Addr }, "c")
	for _, direction := range []testkit.Direction{testkit.Upstream, testkit.Downstream} {
		r.awaitUp()
		lost := time.Now()
		proxy.Swallow(direction)
		r.awaitDown(errSilent.Error())
		testkit.WaitUntil(t, "a gap", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.gaps) > 0 && r.gaps[len(r.gaps)-1].to.After(lost)
		})
	}
}

// A connection may end at each byte of what Redis says.
func TestAConnectionThatIsCutInTheMiddleIsMadeAgain(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, "--requirepass", "sesame")
	proxy := testkit.StartChaosProxy(t, redis.Addr(), 1)
	link, err := New(Config{URL: "redis://:sesame@" + proxy.Addr, Channels: []string{"c"}})
	if err != nil {
		t.Fatal(err)
	}
	answers := len("+OK\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
	for n := 1; n < answers; n++ {
		proxy.Shorten(n)
		if err := link.Check(t.Context()); err == nil || !strings.Contains(err.Error(), errClosed.Error()) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	message := len("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\n12345\r\n")
	proxy.Shorten(answers + 2*message - 3)
	r := record(t, redis, func(c *Config) { c.URL = "redis://:sesame@" + proxy.Addr }, "c")
	r.awaitUp()
	r.publish("c", "12345")
	r.await("c:12345")
	lost := time.Now()
	r.publish("c", "67890")
	r.awaitGap(lost)
	r.publish("c", "again")
	r.await("c:again")
}

// What a server may say once it has taken the password.
func TestARefusalBehindThePasswordIsExplained(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{
		"":                               errClosed.Error(),
		"-MOVED 3999 127.0.0.1:6381\r\n": "MOVED 3999",
		"-ASK 3999 127.0.0.1:6381\r\n":   "ASK 3999",
		">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n": errNotRedis.Error(), // version 3 of the protocol
		"%1\r\n+server\r\n+redis\r\n":                errNotRedis.Error(),
		"-NOAUTH HELLO must be called\r\n":           "write the password in the URL",
	} {
		a := startAnswerer(t, func(command string) string {
			if strings.Contains(command, "AUTH") {
				return "+OK\r\n"
			}
			return says
		})
		link, err := New(Config{URL: strings.Replace(a.url(), "//", "//u:sesame@", 1), Channels: []string{"c"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := link.Check(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", says, err, want)
		}
	}
}

func TestAServerWithoutTLSIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	a := startAnswerer(t, func(string) string { return "-ERR unknown command\r\n" })
	link, err := New(Config{URL: strings.Replace(a.url(), "redis:", "rediss:", 1), Channels: []string{"c"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "write redis:// in place of rediss://") {
		t.Error(err)
	}
}

func TestASocketOfTheMachineIsAServer(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	redis := testkit.StartRedis(t, "--requirepass", "sesame", "--unixsocket", socket)
	r := record(t, redis, func(c *Config) { c.URL = "unix://:sesame@" + socket }, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")
	if got := Redact(r.cfg.URL); got != "unix://"+socket {
		t.Error(got)
	}
}

func TestWhatIsWrongWithACertificateIsExplained(t *testing.T) {
	t.Parallel()
	certs := testkit.NewCertificates(t)
	redis := testkit.StartRedisTLS(t, certs, "--bind", "127.0.0.1", "127.0.0.2", "--tls-auth-clients", "yes")
	_, port, _ := strings.Cut(redis.Addr(), ":")
	for _, c := range []struct {
		host, problem, advice string
		change                func(*tls.Config)
	}{
		{"localhost", "", "", func(*tls.Config) {}},
		{"127.0.0.1", "expired", "renew the server's certificate", func(c *tls.Config) {
			c.Time = func() time.Time { return time.Now().AddDate(1, 0, 0) }
		}},
		{"127.0.0.2", "127.0.0.1, not 127.0.0.2", "write a name that the server's certificate has", func(*tls.Config) {}},
		{"127.0.0.1", "the server ", "give the bridge one", func(c *tls.Config) { c.Certificates = nil }},
		{"127.0.0.1:" + port + "?addr=127.0.0.2", "the node 127.0.0.2:" + port, "renew", func(c *tls.Config) {
			c.Time = func() time.Time { return time.Now().AddDate(1, 0, 0) }
		}},
	} {
		settings := certs.ClientConfig(t)
		c.change(settings)
		link, err := New(Config{URL: "rediss://" + c.host + ":" + port, TLS: settings, Channels: []string{"c"}})
		if err != nil {
			t.Fatal(err)
		}
		err = link.Check(t.Context())
		if err == nil {
			if c.problem != "" {
				t.Errorf("%s: no error, want %s", c.host, c.problem)
			}
			continue
		}
		problem, advice := Advice(err)
		if c.problem == "" || !strings.Contains(problem, c.problem) || !strings.Contains(advice, c.advice) || strings.Contains(problem, advice) {
			t.Errorf("%s: %q; %q, want %q; %q", c.host, problem, advice, c.problem, c.advice)
		}
	}
}

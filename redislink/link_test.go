package redislink

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMessagesComeInOrderAndOnceAlsoByOverlappingPatterns(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	r := record(t, redis, nil, "a.b", "a.*", "a.[b-d]", `x\*`, "a.b")
	r.awaitUp()
	for _, channel := range []string{"a.b", "a.c", "a", "x*", "xy", "a."} {
		r.publish(channel, "1")
	}
	huge := strings.Repeat("huge", 1<<20)
	r.publish("a.b", huge)
	r.publish("a.b", "")
	r.publish("a.b", "\xff\x00\r\n")
	r.await("a.b:1", "a.c:1", "x*:1", "a.:1", "a.b:huge... (4194304)", "a.b:", "a.b:\xff\x00\r\n")
}

// Whatever the order in which they are written, a message comes by its name, or else by the first pattern.
func TestThousandsOfChannelsAndPatternsAreSubscribed(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	var channels []string
	for i := range 2000 {
		channels = append(channels, fmt.Sprintf("p%d.*", i), fmt.Sprintf("n.%d", i), fmt.Sprintf("p%d.*", i))
	}
	r := record(t, redis, nil, append([]string{"n.1*"}, channels...)...)
	r.awaitUp()
	for _, channel := range []string{"n.1999", "n.1", "n.1x", "p1999.x", "p0.", "p2000."} {
		r.publish(channel, "")
	}
	r.await("n.1999:", "n.1:", "n.1x:", "p1999.x:", "p0.:")
}

// What was published while there was no connection lies in a gap, and no message comes twice.
func TestEachLostConnectionIsAGap(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	r := record(t, redis, nil, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")

	before := time.Now()
	redis.Do("CLIENT", "KILL", "TYPE", "pubsub")
	r.awaitGap(before)
	r.publish("c", "2")
	r.await("c:2")

	redis.Stop()
	lost := time.Now()
	r.awaitDown("")
	redis.Restart()
	r.awaitGap(lost)
	r.publish("c", "3")
	r.await("c:3")
}

// A server that does not answer, though its connections stay, is noticed. What it had not sent by then
// is in the gap, also if it was published just before the pause.
func TestAServerThatIsPausedIsNoticed(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t)
	r := record(t, redis, askOften, "c")
	r.awaitUp()
	lost := time.Now()
	redis.Pause()
	r.awaitDown("the server does not answer")
	redis.Resume()
	r.awaitGap(lost)
	r.publish("c", "after")
	r.await("c:after")
}

// While messages are not taken they wait in Redis, which drops a connection when they are too many.
func TestAReaderThatIsSlowHoldsUpRedisOnly(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, "--client-output-buffer-limit", "pubsub 1mb 1mb 1")
	r := record(t, redis, askPatiently, "c")
	r.awaitUp()
	release := make(chan struct{})
	r.block = release
	r.publish("c", "first")
	r.awaitPings()
	close(release)
	r.await("c:first")
	r.publish("c", "second")
	r.await("c:second") // without a gap

	release = make(chan struct{})
	r.mu.Lock()
	r.block = release
	r.mu.Unlock()
	big := strings.Repeat("x", 1<<20)
	testkit.WaitUntil(t, "Redis drops the connection", func() bool {
		redis.Do("PUBLISH", "c", big)
		return redis.Do("PUBSUB", "NUMSUB", "c").([]any)[1] == int64(0)
	})
	lost := time.Now()
	close(release)
	testkit.WaitUntil(t, "a gap", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.gaps) == 1
	})
	if g := r.gaps[0]; g.from.After(lost) || g.to.Before(lost) {
		t.Errorf("the gap is %v, without %v", g, lost)
	}
}

func TestAPasswordIsUsedAndNotShown(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, "--requirepass", "sesame/@ x")
	url := "redis://:sesame%2F%40%20x@" + redis.Addr()
	r := record(t, redis, func(c *Config) { c.URL = url }, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")
	wrong := record(t, redis, func(c *Config) { c.URL = "redis://:guessed@" + redis.Addr() }, "c")
	wrong.awaitDown("WRONGPASS")
	if err := wrong.Check(t.Context()); err == nil || strings.Contains(err.Error(), "guessed") {
		t.Errorf("with a wrong password: %v", err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := Redact(url); got != "redis://"+redis.Addr() {
		t.Error(got)
	}
}

func TestTLSIsCheckedAgainstItsAuthority(t *testing.T) {
	t.Parallel()
	certs := testkit.NewCertificates(t)
	redis := testkit.StartRedisTLS(t, certs)
	url := "rediss://" + redis.Addr()
	r := record(t, redis, func(c *Config) { c.URL, c.TLS = url, certs.ClientConfig(t) }, "c")
	r.awaitUp()
	r.publish("c", "1")
	r.await("c:1")
	other := record(t, redis, func(c *Config) { c.URL = url }, "c")
	other.awaitDown("give the bridge the authority")
	plain := record(t, redis, func(c *Config) { c.URL = redis.URL() }, "c")
	plain.awaitDown(errClosed.Error())
	if err := plain.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "begins with rediss://") {
		t.Error(err)
	}
}

func TestAWrongURLIsExplainedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"", "redis://", "http://:secret@h", "redis://:secret@h/x", "redis://:se/cret@h", "redis://:secret@h?colour=red", "redis://:secret@h#x", "redis://u:sec%ret@h", "redis://:secret@h?master_name=m&db=x", "redis://:secret@h?addr=b&x=y", "redis://secret@h", "redis://:secret@h:99999", "redis://:secret@h?addr=:1", "redis://:secret@h?addr=a/b", "unix://secret", "unix:///secret?addr=b"} {
		if _, err := New(Config{URL: url, Channels: []string{"c"}}); err == nil || strings.Contains(err.Error(), "ret") || Redact(url) != "(unreadable Redis URL)" {
			t.Errorf("%s: %v, %s", url, err, Redact(url))
		}
	}
	for _, url := range []string{"redis://h", "rediss://u:p@h:1/2", "unix:///run/redis.sock?db=1", "redis://h:26379?master_name=m&addr=h2:26379", "redis://h:1?addr=h2:2"} {
		if err := CheckURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAPatternIsWhatItIsForRedis(t *testing.T) {
	for _, c := range []struct {
		pattern, channel string
		want             bool
	}{
		{"*", "", false}, {"*", "a/b", true}, {"a*", "a", true}, {"a*c", "abcbc", true}, {"a*c", "abcb", false}, {"a?", "a", false}, {"a?", "ab", true},
		{"[a-c]", "b", true}, {"[c-a]", "b", true}, {"[^a-c]", "b", false}, {"[^a]", "b", true}, {`[\]]`, "]", true}, {`\*`, "*", true}, {`\*`, "a", false},
		{"**a", "a", true}, {"a**", "a", true}, {"", "", true}, {"", "a", false}, {"[ab", "b", true}, {"[ab", "c", false}, {`a\`, `a\`, true},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 10000), false},
	} {
		if got := matches(c.pattern, c.channel); got != c.want {
			t.Errorf("%s, %.20s: %v", c.pattern, c.channel, got)
		}
	}
}

// The first node of a cluster may be down, and a Sentinel says where the server is.
func TestTheServerIsFoundAmongSeveralAndByASentinel(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, "--requirepass", "sesame")
	cluster := record(t, redis, func(c *Config) { c.URL = "redis://:sesame@127.0.0.1:1?addr=" + redis.Addr() }, "c")
	cluster.awaitUp()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			asked := make([]byte, 100)
			n, _ := conn.Read(asked)
			if strings.Contains(string(asked[:n]), "main") {
				host, port, _ := net.SplitHostPort(redis.Addr())
				fmt.Fprintf(conn, "*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port)
			} else {
				fmt.Fprint(conn, "*-1\r\n")
			}
			conn.Close()
		}
	})
	t.Cleanup(func() { ln.Close(); serving.Wait() })
	at := "redis://:sesame@127.0.0.1:1?addr=" + ln.Addr().String() + "&master_name="
	sentinel := record(t, redis, func(c *Config) { c.URL = at + "main" }, "c")
	sentinel.awaitUp()
	other := record(t, redis, func(c *Config) { c.URL = at + "other" }, "c")
	other.awaitDown(`names no server "other"`)
	cluster.publish("c", "1")
	cluster.await("c:1")
	sentinel.await("c:1")
}

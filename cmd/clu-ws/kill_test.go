package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// spawnAt starts a bridge to the broker in a process of its own, on loopback.
func spawnAt(t *testing.T, url string, args ...string) child {
	t.Helper()
	return child{testkit.StartProcess(t, command(t, append([]string{"websocket", "--host", "127.0.0.1", "--url", url}, args...)...))}
}

// v1 returns a dialer of clients that speak v1.
func v1() ws.Dialer { return ws.Dialer{Protocols: []string{"clu-ws.v1"}} }

// follow runs a v1 client that reconnects and resumes until the test ends.
func follow(t *testing.T, name, url string) *recordingClient {
	t.Helper()
	return followWith(t, name, v1(), url)
}

// followWith is follow with a dialer.
func followWith(t *testing.T, name string, d ws.Dialer, url string) *recordingClient {
	t.Helper()
	e := &recordingClient{name: name}
	ctx, cancel := context.WithCancel(context.Background())
	e.running.Go(func() {
		for ctx.Err() == nil {
			e.end(e.runOnce(ctx, d, url))
		}
	})
	t.Cleanup(func() { cancel(); e.running.Wait() })
	return e
}

// runOnce resumes after the last reply, and receives until the connection ends.
func (e *recordingClient) runOnce(ctx context.Context, d ws.Dialer, url string) error {
	e.mu.Lock()
	if e.last != "" {
		url += "?since=" + e.last
	}
	e.mu.Unlock()
	conn, br, err := dialBridge(ctx, d, url)
	if err != nil {
		testkit.PauseBeforeRetry(ctx)
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	return e.run(conn, br)
}

// messagesWith returns the messages that contain the words.
func (e *recordingClient) messagesWith(words string) (all []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.others {
		if strings.Contains(m, words) {
			all = append(all, m)
		}
	}
	return all
}

func TestABridgeThatIsKilledLosesNothingOfAStream(t *testing.T) {
	t.Parallel()
	const kills = 3
	url, port := testkit.RabbitMQ(t).NewVHost(t), freePort(t)
	at := "ws://127.0.0.1:" + port + "/"
	bridge := func() child {
		return spawnAt(t, url, "--port", port, "--name", "console", "--durable", "stream", "--history", "200000")
	}
	p := bridge()
	p.awaitLinked(t)
	var all []*recordingClient
	for i := range 5 {
		all = append(all, follow(t, fmt.Sprintf("v1 client %d", i), at))
	}
	testkit.Eventually(t, testkit.Patience, "all are greeted", func() error {
		for _, e := range all {
			if len(e.messagesWith(`"hello"`)) == 0 {
				return fmt.Errorf("%s is not", e.name)
			}
		}
		return nil
	})
	s := testkit.StartSource(t, url, 1000)
	awaitNext(t, s, all...)
	var plains []*recordingClient
	for range kills {
		p.signal(t, syscall.SIGKILL)
		p.ends(t)
		before := slices.Max(lastOf(all))
		p = bridge()
		spawned := time.Now()
		p.await(t, "listens at")
		plain, conn := startRecording(t, "a plain client", ws.Dialer{}, at)
		awaitNext(t, s, append(all, plain)...)
		plain.mustBeginAfter(t, s, before, spawned)
		conn.Close()
		plains = append(plains, plain)
		awaitReceived(t, s.Sent()+300, all...)
	}
	s.Stop()
	accepted := s.Accepted()
	awaitReceived(t, accepted[len(accepted)-1], all...)
	for _, plain := range plains {
		plain.mustMissNothing(t, accepted)
	}
	for _, e := range all {
		e.mustHaveReceived(t, accepted)
		if resumed := e.messagesWith(`"resumed":true`); len(resumed) != kills {
			t.Errorf("%s resumed %d times, but the bridge was killed %d times", e.name, len(resumed), kills)
		}
		if gaps := e.messagesWith(`"op":"gap"`); len(gaps) > 0 {
			t.Errorf("gaps were reported to %s: %v", e.name, gaps)
		}
	}
	t.Logf("%d replies accepted of %d sent", len(accepted), s.Sent())
}

func lastOf(all []*recordingClient) (numbers []int) {
	for _, e := range all {
		last, _ := e.lastReceived()
		numbers = append(numbers, last)
	}
	return numbers
}

// mustBeginAfter checks that no old reply was received: none that was delivered before,
// and none that the broker had before a moment.
func (e *recordingClient) mustBeginAfter(t *testing.T, s *testkit.Source, before int, moment time.Time) {
	t.Helper()
	received, _ := e.received()
	if received[0] <= before {
		t.Errorf("%s begins with reply %d, but %d was delivered before", e.name, received[0], before)
	}
	if f := s.Outcomes()[received[0]]; f.Accepted && f.Settled.Before(moment) {
		t.Errorf("%s begins with reply %d, which the broker had %v before the bridge was started", e.name, received[0], moment.Sub(f.Settled))
	}
}

// mustMissNothing checks that no reply is missing between the first and the last.
func (e *recordingClient) mustMissNothing(t *testing.T, accepted []int) {
	t.Helper()
	e.running.Wait()
	received, _ := e.received()
	from, _ := slices.BinarySearch(accepted, received[0])
	e.mustHaveReceived(t, accepted[from:min(from+len(received), len(accepted))])
}

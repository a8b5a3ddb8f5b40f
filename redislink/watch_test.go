package redislink

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// While messages are not taken nothing is read, and silence is no sign that the server is gone; nor is a message that
// comes slowly.
func TestSilenceIsASignOnlyWhileTheServerIsListenedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		link, err := New(Config{URL: "redis://h", Channels: []string{"c"}})
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		heard := &heardConn{Conn: near}
		s := &session{Link: link, conn: &conn{Conn: heard, heard: heard}}
		var running sync.WaitGroup
		running.Go(func() { _, _ = io.Copy(io.Discard, far) }) // takes the pings
		watched := make(chan struct{})
		running.Go(func() {
			s.watch(t.Context())
			close(watched)
		})
		time.Sleep(time.Hour)
		running.Go(func() { _, _ = io.Copy(io.Discard, s.conn) })
		for range 100 {
			time.Sleep(link.cfg.PingEvery)
			if _, err := far.Write([]byte("x")); err != nil {
				t.Fatalf("the connection is closed: %v, %v", err, s.reason(err))
			}
		}
		began := time.Now()
		<-watched
		if took := time.Since(began); s.reason(nil) != errSilent || took < link.cfg.silence || took > 4*link.cfg.PingEvery {
			t.Errorf("left after %v: %v", took, s.reason(nil))
		}
		far.Close()
		running.Wait()
	})
}

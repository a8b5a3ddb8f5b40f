package main

import (
	"net"
	"strings"
	"sync"
	"testing"
)

func TestASilentBrokerIsAnnouncedAndDoesNotDelayTheEnd(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	defer accepting.Wait()
	defer ln.Close()
	accepting.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	})
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	p := launch(t, "websocket", "--host", "127.0.0.1", "--port", "0", "-H", "127.0.0.1", "-P", port)
	if line := p.out.await(t, "listens at"); !strings.Contains(line, "NOT LINKED (no answer yet)") {
		t.Errorf("it says %q", line)
	}
	p.stop()
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
	if strings.Contains(p.out.String()+p.log.String(), "was closed") {
		t.Errorf("the bridge's own end is reported as a failure:\n%s%s", p.out, p.log)
	}
}

func TestFailFastPrintsTheReasonAndNothingElse(t *testing.T) {
	p := launch(t, "websocket", "--host", "127.0.0.1", "--port", "0", "--fail-fast", "-P", "1")
	if err := <-p.ended; err == nil || p.out.String() != "" {
		t.Errorf("it ended with %v, after:\n%s", err, p.out)
	}
}

func TestADemoThatCannotListenDoesNotAskForABrowser(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	p := launch(t, "demo", "--port", port, "--rabbitmq-port", "0")
	if err := <-p.ended; err == nil || p.out.String() != "" {
		t.Errorf("it ended with %v, after:\n%s", err, p.out)
	}
}

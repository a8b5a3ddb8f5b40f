package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/listen"
	"github.com/clu-ws/clu-ws/internal/eventlog"
)

func TestTheAnnouncementHasTheAddressAndTheStateOfTheLink(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const broker = "amqp://broker:5672/"
	for want, state := range map[string]amqpx.State{
		"linked to " + broker: {Up: true, Broker: broker},
		"linked to " + broker + ", which brings NO REPLIES (it is full)": {Up: true, Broker: broker, QueueDown: "it is full"},
		"NOT LINKED (nothing listens there), trying on":                  {Err: errors.New("nothing listens there")},
		"NOT LINKED (refused:  (see --name)), trying on":                 {Err: fmt.Errorf("refused: %w", &amqpx.Error{Kind: amqpx.NameInUse})},
	} {
		var out bytes.Buffer
		s := &service{stdout: &out, settings: settings{bridge: bridge.Config{Exchange: "sdss_exchange"}}}
		s.announce([]*listen.Listener{{Listener: ln}}, "console", state)
		want = fmt.Sprintf("clu-ws %s listens at http://%[2]s and ws://%[2]s as console, %s, exchange sdss_exchange\n", releaseVersion, ln.Addr(), want)
		if out.String() != want {
			t.Errorf("it is %q\nwant %q", out.String(), want)
		}
	}
}

// With --log-format json the announcement is a line of the log, and standard output stays empty: the journal has both.
func TestTheAnnouncementIsJSONInALogOfJSON(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var out, log bytes.Buffer
	s := &service{stdout: &out, log: newLogger(slog.LevelInfo, eventlog.JSON, &log), settings: settings{format: eventlog.JSON}}
	s.announce([]*listen.Listener{{Listener: ln}}, "console", amqpx.State{Up: true, Broker: "amqp://broker:5672/"})
	var line struct {
		Event, Name, Link string
		Addresses         []string
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || out.Len() > 0 {
		t.Fatalf("%v: %q, %q", err, &out, &log)
	}
	if line.Event != "listening" || line.Name != "console" || line.Link != "linked to amqp://broker:5672/" || !slices.Equal(line.Addresses, []string{"http://" + ln.Addr().String(), "ws://" + ln.Addr().String()}) {
		t.Errorf("the line is %s", &log)
	}
}

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

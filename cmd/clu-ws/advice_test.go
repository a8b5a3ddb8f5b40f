package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/eventlog"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAFailureToLinkIsFollowedByAdviceOnFlags(t *testing.T) {
	for kind, want := range map[amqpx.Kind]string{
		amqpx.NameInUse: "--name", amqpx.ExchangeDiffers: "--exchange", amqpx.VirtualHostDenied: "--vhost", amqpx.LoginRefused: "--password",
		amqpx.UntrustedIssuer: "--ca", amqpx.TLSHangUp: "--cert and --key", amqpx.HangUp: "--ssl", amqpx.NotAMQP: "--ssl", amqpx.NotTLS: "--ssl",
		amqpx.NoStreams: "--durable", amqpx.NoExpiry: "--durable", amqpx.QueueDiffers: "--durable", amqpx.StreamDiffers: "--stream-name",
	} {
		failure := fmt.Errorf("wrapped: %w", &amqpx.Error{Kind: kind})
		got := withAdvice(failure)
		if !strings.HasPrefix(got.Error(), failure.Error()+" (see --") || !strings.Contains(got.Error(), want) || !errors.Is(got, failure) {
			t.Errorf("%s: %v, want %s", kind, got, want)
		}
	}
	for _, err := range []error{nil, errors.New("no such host"), &amqpx.Error{Kind: amqpx.AccessDenied}} {
		if got := withAdvice(err); got != err {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

func TestTheAdviceNamesFlagsThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, f := range websocketCommand(nil, nil).Flags {
		known["--"+f.Names()[0]] = true
	}
	for kind, text := range advice {
		for word := range strings.FieldsSeq(strings.ReplaceAll(text, ",", "")) {
			if strings.HasPrefix(word, "--") && !known[word] {
				t.Errorf("%s: there is no %s", kind, word)
			}
		}
	}
}

func TestTheLogHasTheAdviceToo(t *testing.T) {
	var log bytes.Buffer
	newLogger(slog.LevelInfo, eventlog.Text, &log).Warn("not linked", "error", &amqpx.Error{Kind: amqpx.NameInUse}, "count", 3)
	if !strings.Contains(log.String(), `error=" (see --name)" count=3`) {
		t.Errorf("the log is %s", log.String())
	}
}

func TestAPortWithoutABrokerIsExplainedWithFlags(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	args := []string{"websocket", "--host", "127.0.0.1", "--port", "0", "-H", "127.0.0.1", "-P", port}
	if got := failure(t, append(args, "--fail-fast")...); !strings.Contains(got, "(see --rabbitmq-port and --ssl)") {
		t.Errorf("it ended with %s", got)
	}
	p := start(t, args...)
	if line := p.out.await(t, "NOT LINKED"); !strings.Contains(line, "(see --rabbitmq-port and --ssl)") {
		t.Errorf("it says %s", line)
	}
	testkit.Eventually(t, testkit.Patience, "the log has the advice", func() error {
		if !strings.Contains(p.log.String(), "(see --rabbitmq-port and --ssl)") {
			return errors.New(p.log.String())
		}
		return nil
	})
}

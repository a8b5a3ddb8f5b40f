package actor

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

func TestRepliesThatTheLinkRefusesAreCountedAndLoggedOnceForEachReason(t *testing.T) {
	var text bytes.Buffer
	link, err := amqpx.New(amqpx.Config{URLs: []string{"amqp://localhost"}, Exchange: "x"})
	if err != nil {
		t.Fatal(err)
	}
	out := newPublisher(slog.New(slog.NewTextHandler(&text, nil)), 0)
	out.link = link
	for range 3 {
		out.send(Reply{CommanderID: strings.Repeat("x", 300)})
	}
	if got := strings.Count(text.String(), "cannot be sent"); got != 1 || out.lostReplies() != 3 {
		t.Errorf("%d are lost, and %d lines are logged", out.lostReplies(), got)
	}
}

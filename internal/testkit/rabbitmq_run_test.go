package testkit

import (
	"bufio"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
)

func TestANodeRunsUntilItsStdinEnds(t *testing.T) {
	rabbitBin(t)
	stdin, input := io.Pipe()
	lines, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- RunRabbitMQ(t.Context(), stdin, stdout) }()
	line, err := bufio.NewReader(lines).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, dial(t, at.String()))
	input.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", at.Host); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

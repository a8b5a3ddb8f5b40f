package testkit

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

//go:embed rabbitmq_eval.erl
var evalScript string

// evalTimeout bounds one evaluation, which takes milliseconds unless the node is paused.
const evalTimeout = time.Minute

// writeEval writes the script that [Node.serverCommand] makes the node evaluate at its start.
func (n *Node) writeEval() error {
	script := fmt.Sprintf("Socket = %s,\n%s", erlangString(n.path("eval.socket")), evalScript)
	return os.WriteFile(n.path("eval.erl"), []byte(script), 0o600)
}

// Eval makes the node evaluate Erlang, as `rabbitmqctl eval` does, but in milliseconds instead of half a second of two
// processors. It returns the value as Erlang prints it, or the bytes of a binary.
func (n *Node) Eval(t testing.TB, erlang string) string {
	t.Helper()
	n.running(t)
	value, err := n.eval(erlang)
	if err != nil {
		t.Fatalf("%s: %v", erlang, err)
	}
	return value
}

func (n *Node) eval(erlang string) (value string, err error) {
	return n.evalWithin(evalTimeout, erlang)
}

// evalWithin waits until the node takes expressions, which is a moment after it speaks AMQP, and then for the value, at
// most for timeout.
func (n *Node) evalWithin(timeout time.Duration, erlang string) (value string, err error) {
	var conn net.Conn
	if err := poll(startTimeout, n.proc.Done(), func() (err error) {
		conn, err = net.Dial("unix", n.path("eval.socket"))
		return err
	}); err != nil {
		return "", fmt.Errorf("the node does not take expressions: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return "", err
	}
	request := binary.BigEndian.AppendUint32(nil, uint32(len(erlang)))
	if _, err := conn.Write(append(request, erlang...)); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	if len(answer) < 4 || len(answer)-4 != int(binary.BigEndian.Uint32(answer)) {
		return "", fmt.Errorf("the answer is cut short: %q", answer)
	}
	word, value, _ := strings.Cut(string(answer[4:]), " ")
	if word != "ok" {
		return "", errors.New(value)
	}
	return value, nil
}

// erlangString returns s as a string of Erlang.
func erlangString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// erlangBinary returns s as a binary of Erlang.
func erlangBinary(s string) string { return "<<" + erlangString(s) + "/utf8>>" }

// erlangCall returns the call of an Erlang function whose arguments are binaries.
func erlangCall(function string, args ...string) string {
	for i, arg := range args {
		args[i] = erlangBinary(arg)
	}
	return function + "(" + strings.Join(args, ", ") + ")."
}

package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"github.com/gobwas/ws"
)

// masked returns a client's frame.
func masked(fin bool, op ws.OpCode, payload string) []byte {
	f := ws.MaskFrameWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{1, 2, 3, 0xfe})
	return ws.MustCompileFrame(f)
}

func text(s string) []byte { return masked(true, ws.OpText, s) }

// closing returns a client's close frame with a code.
func closing(code ws.StatusCode) []byte {
	return masked(true, ws.OpClose, string(ws.NewCloseFrameBody(code, "")))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func split(b []byte) (pieces [][]byte) {
	for i := range b {
		pieces = append(pieces, b[i:i+1])
	}
	return pieces
}

// noise returns incompressible text.
func noise(n int) []byte {
	rng := rand.NewChaCha8([32]byte{1})
	p := make([]byte, n)
	rng.Read(p) // it never fails
	return p
}

// envelope returns text of about n bytes that compresses like a reply.
func envelope(i, n int) string {
	s := fmt.Sprintf(`{"headers": {"command_id": null, "sender": "weather", "message_code": "i"}, "seq": %d, "body": {`, i)
	for k := 0; len(s) < n; k++ {
		s += fmt.Sprintf(`"sensor_%d": %d.25, `, k, (i*7919+k*104729)%10000)
	}
	return s + `"end": 0}}`
}

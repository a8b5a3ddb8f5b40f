package engine

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"unsafe"
)

// crypto/tls keeps two buffers for as long as a connection lives: one of handshake
// messages, which has grown with the ClientHello, and one of ciphertext, which has grown
// with the longest record. They are empty between two records, but they are most of what
// an idle connection takes, and there is no call that gives them back. So the engine does it
// itself.

// longBuffer is how long a buffer may be in bytes to be kept from one message to the next,
// until the loop looks after the connection. It has room for the records of most messages.
const longBuffer = 4 << 10

// tlsBuffers says where in a [tls.Conn] these buffers are. It is empty if this version of Go
// has others: then they stay.
type tlsBuffers []uintptr

func findTLSBuffers() (all tlsBuffers) {
	for _, name := range []string{"hand", "rawInput"} {
		if f, ok := reflect.TypeFor[tls.Conn]().FieldByName(name); ok && f.Type == reflect.TypeFor[bytes.Buffer]() {
			all = append(all, f.Offset)
		}
	}
	return all
}

// release gives back those buffers of a connection that are empty, and longer than so many
// bytes. Nobody else may use the connection meanwhile.
func (all tlsBuffers) release(c *tls.Conn, longer int) {
	for _, offset := range all {
		if b := (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c), offset)); b.Len() == 0 && b.Cap() > longer {
			*b = bytes.Buffer{}
		}
	}
}

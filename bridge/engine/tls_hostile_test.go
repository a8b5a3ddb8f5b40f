//go:build unix

package engine

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recordClient is a WebSocket client over TLS 1.3 that builds its own records, including
// ones that crypto/tls would not send.
type recordClient struct {
	*client
	secret []byte // for records to the server
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func (s *server) dialRecords(t *testing.T) *recordClient {
	t.Helper()
	c := recordsOn(t, s.dialRaw(t).Conn)
	c.record(23, []byte(upgradeRequest))
	if resp := c.response(); resp.StatusCode != 101 {
		t.Fatal(resp.Status)
	}
	testkit.Receive(t, s.opened)
	return c
}

// recordsOn performs a handshake.
func recordsOn(t *testing.T, conn net.Conn) *recordClient {
	t.Helper()
	var log bytes.Buffer
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, KeyLogWriter: &log})
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	c := &recordClient{client: &client{t, secure, bufio.NewReader(secure)}}
	if suite := c.Conn.(*tls.Conn).ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatalf("they agree on %s", tls.CipherSuiteName(suite))
	}
	for line := range strings.Lines(log.String()) {
		if words := strings.Fields(line); words[0] == "CLIENT_TRAFFIC_SECRET_0" {
			secret, err := hex.DecodeString(words[2])
			if err != nil {
				t.Fatal(err)
			}
			c.use(secret)
		}
	}
	return c
}

// use switches to a traffic secret (RFC 8446, 7.3).
func (c *recordClient) use(secret []byte) {
	block, err := aes.NewCipher(c.expand(secret, "key", 16))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.aead, err = cipher.NewGCM(block); err != nil {
		c.t.Fatal(err)
	}
	c.secret, c.iv, c.seq = secret, c.expand(secret, "iv", 12), 0
}

func (c *recordClient) expand(secret []byte, label string, length int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(length >> 8), byte(length), byte(len(label))}, label...)
	out, err := hkdf.Expand(sha256.New, secret, string(append(info, 0)), length)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// encrypt returns an encrypted record with any content (RFC 8446, 5.2).
func (c *recordClient) encrypt(kind byte, content []byte) []byte {
	nonce := bytes.Clone(c.iv)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^c.seq)
	c.seq++
	length := len(content) + 1 + c.aead.Overhead()
	header := []byte{23, 3, 3, byte(length >> 8), byte(length)}
	return c.aead.Seal(header, nonce, append(bytes.Clone(content), kind), header)
}

func (c *recordClient) record(kind byte, content []byte) { c.raw(c.encrypt(kind, content)) }

// raw sends bytes below TLS. The server may have hung up.
func (c *recordClient) raw(data []byte) { _, _ = socketOf(c.Conn).Write(data) }

// updateKey updates the sending key, and requests the same of the server.
func (c *recordClient) updateKey() []byte {
	record := c.encrypt(22, []byte{24, 0, 0, 1, 1})
	c.use(c.expand(c.secret, "traffic upd", 32))
	return record
}

// hostile are contents that a client may send within TLS, and the alert that answers them.
var hostile = map[string]struct {
	send  func(c *recordClient)
	alert string
}{
	"a record that is too long": {func(c *recordClient) {
		c.raw([]byte{23, 3, 3, 0x48, 0x01})
		c.raw(make([]byte, 1000))
	}, "record overflow"},
	"a record that is too long for this version": {func(c *recordClient) {
		c.raw(append([]byte{23, 3, 3, 0x41, 0x01}, make([]byte, 16641)...))
	}, "record overflow"},
	"more in a record than it may hold": {func(c *recordClient) { c.record(23, make([]byte, maxPlaintext+1)) }, "record overflow"},
	"a record that is forged":           {func(c *recordClient) { c.raw(append([]byte{23, 3, 3, 0, 50}, make([]byte, 50)...)) }, "bad record MAC"},
	"a record of no length":             {func(c *recordClient) { c.raw([]byte{23, 3, 3, 0, 0}) }, "bad record MAC"},
	"a record of an unknown kind":       {func(c *recordClient) { c.record(99, []byte("x")) }, "unexpected message"},
	"another version":                   {func(c *recordClient) { c.raw([]byte{23, 3, 1, 0, 1, 0}) }, "protocol version"},
	"empty records": {func(c *recordClient) {
		for range 100 {
			c.record(23, nil)
		}
	}, "unexpected message"},
	"warnings": {func(c *recordClient) {
		for range 100 {
			c.record(21, []byte{1, 90})
		}
	}, "unexpected message"},
	"changes of the cipher": {func(c *recordClient) { c.raw(bytes.Repeat([]byte{20, 3, 3, 0, 1, 1}, 100)) }, "unexpected message"},
	"changes of the key": {func(c *recordClient) {
		for range 100 {
			c.raw(c.updateKey())
		}
	}, "unexpected message"},
	"a second ClientHello": {func(c *recordClient) { c.record(22, helloOf(c.t)[recordHeader:]) }, "unexpected message"},
	"a long handshake message": {func(c *recordClient) {
		c.record(22, []byte{24, 0xff, 0xff, 0xff})
	}, "internal error"},
}

func TestHostileRecordsEndOneConnectionWithAnAlert(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{})
		honest := s.dial(t)
		for name, h := range hostile {
			c := s.dialRecords(t)
			h.send(c)
			if _, err := io.Copy(io.Discard, c.r); err == nil || !strings.Contains(err.Error(), h.alert) && !strings.Contains(err.Error(), "connection reset") {
				t.Errorf("%s: the client gets %v, want %q", name, err, h.alert)
			}
			if got := testkit.Receive(t, s.closed); got.code != 1006 || !strings.Contains(got.reason, "tls: ") {
				t.Errorf("%s: closed with %v", name, got)
			}
		}
		s.log.Append(Text("all is well"))
		honest.expect("all is well")
	})
}

func TestKeysMayBeUpdatedBetweenMessages(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dialRecords(t)
		for i := range 30 {
			c.raw(append(c.updateKey(), c.encrypt(23, text(fmt.Sprint(i)))...))
			if got := testkit.Receive(t, s.messages); got != fmt.Sprint(i) {
				t.Fatalf("got %q", got)
			}
			s.log.Append(Text("with another key"))
			c.expect("with another key")
		}
	})
}

// Each key update requests a response, and the client reads none.
func TestAClientThatUpdatesKeysAndDoesNotReadIsBounded(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MessageRate: 1 << 20}})
		c := s.dialRecords(t)
		s.mute.Store(true)
		const batch = 1000
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range 400 {
				var out []byte
				for range batch {
					out = append(append(out, c.updateKey()...), c.encrypt(23, masked(true, ws.OpPing, strings.Repeat("x", 125)))...)
				}
				if _, err := socketOf(c.Conn).Write(out); err != nil {
					return
				}
			}
		}()
		testkit.Eventually(t, testkit.Patience, "reading from it is paused", func() error {
			if n := s.Stats().Outbound; n < pauseSize {
				return fmt.Errorf("%d bytes wait for it", n)
			}
			return nil
		})
		if n := s.Stats().Outbound; n > 2*maxOutbound {
			t.Errorf("%d bytes wait for it", n)
		}
		c.Close()
		<-ended
	})
}

func FuzzHello(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 5, 1, 0, 0, 1, 7}, uint8(3))
	f.Add([]byte{22, 3, 1, 0, 2, 1, 0, 22, 3, 1, 0, 3, 0, 1, 7, 9, 9}, uint8(1))
	f.Add([]byte("GET / HTTP/1.1"), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, at uint8) {
		end, enough := helloEnd(data)
		if end > len(data) || end > 0 && !enough {
			t.Fatalf("it ends at %d of %d, enough is %t", end, len(data), enough)
		}
		if n := int(at); n < len(data) { // once enough, always enough
			if e, ok := helloEnd(data[:n]); ok && (!enough || e != end) {
				t.Fatalf("%d bytes end at %d, %d at %d", n, e, len(data), end)
			}
		}
		split := splitHello(data, end)
		if end == 0 {
			if !bytes.Equal(split, data) {
				t.Fatal("what is no ClientHello was changed")
			}
			return
		}
		if !bytes.Equal(payloads(data[:end]), payloads(split[:len(split)-(len(data)-end)])) {
			t.Fatal("the ClientHello was changed")
		}
		// Reading returns the same bytes, whatever the size of the reader's buffer.
		r, got, p := records{data: bytes.Clone(split)}, []byte(nil), make([]byte, 1+at)
		for r.ready() {
			n := r.read(p)
			got = append(got, p[:n]...)
		}
		if !bytes.Equal(append(got, r.data...), split) {
			t.Fatal("reading changed the bytes")
		}
	})
}

// payloads returns the payloads of complete records in one piece.
func payloads(data []byte) (all []byte) {
	for len(data) > 0 {
		n := int(binary.BigEndian.Uint16(data[3:]))
		all = append(all, data[recordHeader:recordHeader+n]...)
		data = data[recordHeader+n:]
	}
	return all
}

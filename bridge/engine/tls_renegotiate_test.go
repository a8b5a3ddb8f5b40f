//go:build unix

package engine

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// recording keeps what was read from a connection.
type recording struct {
	net.Conn
	read []byte
}

func (r *recording) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.read = append(r.read, p[:n]...)
	return n, err
}

// expand12 is the PRF of TLS 1.2 (RFC 5246, 5).
func expand12(secret []byte, seed []byte, length int) (out []byte) {
	sum := func(parts ...[]byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(bytes.Join(parts, nil))
		return mac.Sum(nil)
	}
	for a := sum(seed); len(out) < length; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:length]
}

// encrypt12 returns a TLS 1.2 client's record (RFC 5288, 3), given a conn that has read the
// ServerHello.
func encrypt12(t *testing.T, conn *recording, keyLog string, seq uint64, kind byte, content []byte) []byte {
	t.Helper()
	words := strings.Fields(keyLog)
	if len(words) != 3 || words[0] != "CLIENT_RANDOM" {
		t.Fatalf("the keys are logged as %q", keyLog)
	}
	ours, master := must(hex.DecodeString(words[1])), must(hex.DecodeString(words[2]))
	const serverRandom = recordHeader + 4 + 2 // after the headers of the record and the message, and the version
	theirs := conn.read[serverRandom:][:32]
	keys := expand12(master, bytes.Join([][]byte{[]byte("key expansion"), theirs, ours}, nil), 16+16+4+4)
	aead := must(cipher.NewGCM(must(aes.NewCipher(keys[:16]))))
	explicit := binary.BigEndian.AppendUint64(nil, seq)
	nonce := append(bytes.Clone(keys[32:36]), explicit...)
	additional := append(bytes.Clone(explicit), kind, 3, 3, byte(len(content)>>8), byte(len(content)))
	payload := aead.Seal(explicit, nonce, content, additional)
	return append([]byte{kind, 3, 3, byte(len(payload) >> 8), byte(len(payload))}, payload...)
}

// A client that has shown its certificate must not become another client.
func TestARenegotiationIsRejected(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.tls = s.tls.Clone()
			s.tls.ClientAuth = tls.RequireAnyClientCert
		})
		for name, content := range map[string][]byte{
			"a ClientHello":  helloOf(t)[recordHeader:],
			"a HelloRequest": {0, 0, 0, 0},
			"a certificate":  {11, 0, 0, 3, 0, 0, 0},
		} {
			var keys bytes.Buffer
			raw := s.dialRaw(t)
			conn := &recording{Conn: raw.Conn}
			secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, KeyLogWriter: &keys,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, Certificates: []tls.Certificate{certificate("astronomer")}})
			c := &client{t: t, Conn: secure, r: raw.r}
			c.r.Reset(secure)
			c.upgrade("/")
			testkit.Receive(t, s.opened)
			// Finished and the request were the first two records.
			if _, err := raw.Conn.Write(encrypt12(t, conn, keys.String(), 2, 22, content)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, c.r); err != nil && !strings.Contains(err.Error(), "unexpected message") && !strings.Contains(err.Error(), "reset") && err != io.ErrUnexpectedEOF {
				t.Errorf("%s: the client gets %v", name, err)
			}
			if got := testkit.Receive(t, s.closed); got.code != 1006 || !strings.Contains(got.reason, "tls: ") || strings.Contains(got.reason, "MAC") {
				t.Errorf("%s: closed with %v", name, got)
			}
		}
		c := s.dialTLS(t, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{certificate("astronomer")}})
		c.upgrade("/")
	})
}

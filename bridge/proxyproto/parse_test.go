package proxyproto

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// binaryHeader is a header of version 2.
func binaryHeader(command, family byte, body string) string {
	return signatureV2 + string([]byte{command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

const (
	body4 = "\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"
	body6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\xdc\x04\x01\xbb"
)

func TestHeadersGiveTheClientsAddress(t *testing.T) {
	for header, want := range map[string]string{
		"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n":  "192.0.2.1:56324",
		"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n": "[2001:db8::1]:56324",
		"PROXY UNKNOWN\r\n":                                   "",
		"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n":       "",
		binaryHeader(0x21, 0x11, body4):                       "192.0.2.1:56324",
		binaryHeader(0x21, 0x11, body4+"\x03\x00\x02xx"):      "192.0.2.1:56324",
		binaryHeader(0x21, 0x21, body6):                       "[2001:db8::1]:56324",
		binaryHeader(0x20, 0x00, ""):                          "",
		binaryHeader(0x20, 0x11, body4):                       "",
		binaryHeader(0x21, 0x31, strings.Repeat("\x00", 216)): "",
	} {
		for i := range len(header) {
			if _, n, err := Parse([]byte(header[:i])); n != 0 || err != nil {
				t.Fatalf("%q is taken for a whole header: %d, %v", header[:i], n, err)
			}
		}
		client, n, err := Parse([]byte(header + "GET / HTTP/1.1\r\n"))
		var address netip.AddrPort
		if want != "" {
			address = netip.MustParseAddrPort(want)
		}
		if client != address || n != len(header) || err != nil {
			t.Errorf("%q gives %v, %d, %v", header, client, n, err)
		}
		if !HasSignature([]byte(header)) {
			t.Errorf("%q is not recognised", header)
		}
	}
}

func TestAnInvalidHeaderIsAnError(t *testing.T) {
	for data, want := range map[string]error{
		"GET / HTTP/1.1\r\n": ErrMissing,
		"P":                  nil,
		"POST ":              ErrMissing,
		"\x16\x03\x01":       ErrMissing,
		"PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n":              ErrMalformed,
		"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n":        ErrMalformed,
		"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n":               ErrMalformed,
		"PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n":                ErrMalformed,
		"PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n":              ErrMalformed,
		"PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n":          ErrMalformed,
		"PROXY TCP4 192.0.2 198.51.100.7 1 443\r\n":                ErrMalformed,
		"PROXY " + strings.Repeat("x", maxLengthV1):                ErrMalformed,
		binaryHeader(0x11, 0x11, body4):                            ErrMalformed,
		binaryHeader(0x22, 0x11, body4):                            ErrMalformed,
		binaryHeader(0x21, 0x11, body4[:11]):                       ErrMalformed,
		binaryHeader(0x21, 0x21, body6[:35]):                       ErrMalformed,
		binaryHeader(0x21, 0x11, strings.Repeat("x", maxLengthV2)): ErrMalformed,
	} {
		if _, n, err := Parse([]byte(data)); n != 0 || !errors.Is(err, want) {
			t.Errorf("%.40q gives %d, %v", data, n, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"))
	f.Add([]byte(binaryHeader(0x21, 0x11, body4)))
	f.Fuzz(func(t *testing.T, data []byte) {
		client, n, err := Parse(data)
		if n > len(data) || n > 0 && err != nil || n == 0 && client.IsValid() {
			t.Fatalf("%q gives %v, %d, %v", data, client, n, err)
		}
		if n == 0 && err == nil && len(data) > maxLengthV2 {
			t.Fatal("more is asked for without end")
		}
	})
}

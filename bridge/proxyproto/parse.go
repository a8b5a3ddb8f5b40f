package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

const (
	signatureV1 = "PROXY "
	signatureV2 = "\r\n\r\n\x00\r\nQUIT\n"

	// maxLengthV1 is the longest header of version 1 (section 2.1).
	maxLengthV1 = 107
	// maxLengthV2 bounds a header of version 2 including its TLVs.
	maxLengthV2 = 4 << 10
	// fixedLengthV2 is the length of the fixed part of version 2: signature, version and
	// command, family, and length.
	fixedLengthV2 = 16
)

// Errors of [Parse].
var (
	ErrMissing   = errors.New("the connection does not begin with a PROXY protocol header")
	ErrMalformed = errors.New("the PROXY protocol header is malformed")
)

// HasSignature reports whether data begins with a header's signature. It returns false
// while there are too few bytes to decide.
func HasSignature(data []byte) bool {
	return bytes.HasPrefix(data, []byte(signatureV1)) || bytes.HasPrefix(data, []byte(signatureV2))
}

// MayHaveSignature reports whether data, which may be incomplete, can be the beginning of a
// header.
func MayHaveSignature(data []byte) bool {
	return mayHavePrefix(data, signatureV1) || mayHavePrefix(data, signatureV2)
}

// Parse parses the header at the beginning of data. n is its length in bytes, or 0
// while it is incomplete. The address is the zero value for the load balancer's own
// connections (LOCAL, as in health checks), and for clients without an IP address
// (UNKNOWN, Unix sockets).
func Parse(data []byte) (client netip.AddrPort, n int, err error) {
	switch {
	case mayHavePrefix(data, signatureV1):
		return parseV1(data)
	case mayHavePrefix(data, signatureV2):
		return parseV2(data)
	}
	return client, 0, ErrMissing
}

// mayHavePrefix reports whether data begins with a signature, or is a prefix of it.
func mayHavePrefix(data []byte, signature string) bool {
	n := min(len(data), len(signature))
	return string(data[:n]) == signature[:n]
}

// parseV1 parses a line such as "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"
// (section 2.1).
func parseV1(data []byte) (client netip.AddrPort, n int, err error) {
	end := bytes.Index(data[:min(len(data), maxLengthV1)], []byte("\r\n"))
	switch {
	case end < 0 && len(data) < maxLengthV1:
		return client, 0, nil
	case end < 0:
		return client, 0, ErrMalformed
	}
	n = end + 2
	parts := strings.Split(string(data[:end]), " ")
	if parts[1] == "UNKNOWN" {
		return client, n, nil // the rest is ignored (section 2.1)
	}
	if len(parts) != 6 || parts[1] != "TCP4" && parts[1] != "TCP6" {
		return client, 0, ErrMalformed
	}
	source, err1 := netip.ParseAddr(parts[2])
	destination, err2 := netip.ParseAddr(parts[3])
	port, err3 := strconv.ParseUint(parts[4], 10, 16)
	_, err4 := strconv.ParseUint(parts[5], 10, 16)
	if errors.Join(err1, err2, err3, err4) != nil || source.Is4() != (parts[1] == "TCP4") || destination.Is4() != source.Is4() || source.Zone() != "" {
		return client, 0, ErrMalformed
	}
	return netip.AddrPortFrom(source.Unmap(), uint16(port)), n, nil
}

// parseV2 parses a binary header (section 2.2).
func parseV2(data []byte) (client netip.AddrPort, n int, err error) {
	if len(data) < fixedLengthV2 {
		return client, 0, nil
	}
	command, family := data[12], data[13]
	n = fixedLengthV2 + int(binary.BigEndian.Uint16(data[14:]))
	switch {
	case command>>4 != 2 || command&0xf > 1 || n > maxLengthV2:
		return client, 0, ErrMalformed
	case len(data) < n:
		return client, 0, nil
	case command&0xf == 0: // LOCAL
		return client, n, nil
	}
	body := data[fixedLengthV2:n]
	switch family >> 4 {
	case 1: // AF_INET: source, destination, source port, destination port
		if len(body) < 12 {
			return client, 0, ErrMalformed
		}
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(body)), binary.BigEndian.Uint16(body[8:])), n, nil
	case 2: // AF_INET6
		if len(body) < 36 {
			return client, 0, ErrMalformed
		}
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(body)).Unmap(), binary.BigEndian.Uint16(body[32:])), n, nil
	}
	return client, n, nil
}

package listen

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Certificate is a certificate with its key, which are read again when their
// files change. [Certificate.Refresh] and [Certificate.Reload] belong to one
// goroutine.
type Certificate struct {
	certFile, keyFile string
	lastRead          [2]fs.FileInfo // the files as they were last read; nil for none
	pair              atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads a certificate, with those between it and the authority
// behind it, and its key from PEM files.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files. When they cannot be used, the certificate stays as it is.
func (c *Certificate) Reload() error {
	// The look comes first: a change behind it is seen by the next Refresh.
	c.lastRead = c.statFiles()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%w; give a certificate (%s) and the key that belongs to it (%s), both PEM, the key without a passphrase", err, c.certFile, c.keyFile)
	}
	c.pair.Store(&pair)
	return nil
}

// Refresh reads the files if one has changed since they were last read, and says
// whether it did. The same wrong files are an error once.
func (c *Certificate) Refresh() (changed bool, err error) {
	now := c.statFiles()
	if sameFile(now[0], c.lastRead[0]) && sameFile(now[1], c.lastRead[1]) {
		return false, nil
	}
	return true, c.Reload()
}

func (c *Certificate) statFiles() (files [2]fs.FileInfo) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			files[i] = info
		}
	}
	return files
}

// sameFile tells whether a file is as it was. Certificates are also replaced by
// renaming, and by changing a link.
func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Expired tells whether browsers refuse the certificate because of its age.
func (c *Certificate) Expired() bool { return time.Now().After(c.pair.Load().Leaf.NotAfter) }

// LogValue is what an operator needs to tell one certificate from another.
func (c *Certificate) LogValue() slog.Value {
	leaf := c.pair.Load().Leaf
	return slog.GroupValue(
		slog.String("subject", leaf.Subject.String()),
		slog.Any("names", leaf.DNSNames),
		slog.String("serial", leaf.SerialNumber.Text(16)),
		slog.Time("expires", leaf.NotAfter))
}

// Config serves whatever the certificate is at the time of a handshake.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// WebSocket needs HTTP/1.1 (RFC 6455, 1.7), and browsers prefer h2.
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.pair.Load(), nil
		},
	}
}

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

// Certificate is a certificate with its key, reloaded when their files change. Only one
// goroutine may call [Certificate.Refresh] and [Certificate.Reload].
type Certificate struct {
	certFile, keyFile string
	lastRead          [2]fs.FileInfo // the files when they were last read; nil if missing
	pair              atomic.Pointer[tls.Certificate]
}

// LoadCertificate loads a certificate, followed by any intermediate ones, and its key from
// PEM files.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files. If they cannot be used, the certificate stays as it is.
func (c *Certificate) Reload() error {
	// This comes before reading, so that the next Refresh sees a change during it.
	c.lastRead = c.statFiles()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%w; the certificate (%s) and its key (%s) must match and be PEM files, the key without a passphrase", err, c.certFile, c.keyFile)
	}
	c.pair.Store(&pair)
	return nil
}

// Refresh reloads the files if one has changed since they were last read, and reports
// whether it has. Files that cannot be used are reported once.
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

// sameFile reports whether a file is unchanged. Certificates are also replaced by renaming
// or by changing a symbolic link.
func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// Expired reports whether the certificate has expired.
func (c *Certificate) Expired() bool { return time.Now().After(c.pair.Load().Leaf.NotAfter) }

// LogValue returns the details by which an operator can identify the certificate.
func (c *Certificate) LogValue() slog.Value {
	leaf := c.pair.Load().Leaf
	return slog.GroupValue(
		slog.String("subject", leaf.Subject.String()),
		slog.Any("names", leaf.DNSNames),
		slog.String("serial", leaf.SerialNumber.Text(16)),
		slog.Time("expires", leaf.NotAfter))
}

// Config returns a configuration that serves the current certificate at each handshake.
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

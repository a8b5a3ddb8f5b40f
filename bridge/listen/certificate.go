package listen

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Certificate is a certificate with its key, and the authorities of clients' certificates
// ([Certificate.SetClientCAs]), reloaded when their files change. Its methods may be called
// from any goroutine.
type Certificate struct {
	certFile, keyFile string
	pair              atomic.Pointer[tls.Certificate]
	clients           atomic.Pointer[tls.Config] // for clients that may have certificates; nil if none may

	// mu guards the following fields.
	mu       sync.Mutex
	caFile   string         // "" asks for no certificates of clients
	lastRead [3]fs.FileInfo // the files when they were last read; nil if missing
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

// Reload reads the files. If one of them cannot be used, everything stays as it is.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reload()
}

// reload reads the files. mu is held.
func (c *Certificate) reload() error {
	// This comes before reading, so that the next Refresh sees a change during it.
	c.lastRead = c.statFiles()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%w; the certificate (%s) and its key (%s) must match and be PEM files, the key without a passphrase", err, c.certFile, c.keyFile)
	}
	clients, err := c.withClients(c.caFile)
	if err != nil {
		return err
	}
	c.pair.Store(&pair)
	c.clients.Store(clients)
	return nil
}

// Refresh reloads the files if one has changed since they were last read, and reports
// whether it has. Files that cannot be used are reported once.
func (c *Certificate) Refresh() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.statFiles(); slices.EqualFunc(now[:], c.lastRead[:], sameFile) {
		return false, nil
	}
	return true, c.reload()
}

// statFiles looks at the files. mu is held.
func (c *Certificate) statFiles() (files [3]fs.FileInfo) {
	for i, name := range []string{c.certFile, c.keyFile, c.caFile} {
		if name == "" {
			continue
		}
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

// End returns when the certificate ends, or the first of its intermediate ones.
func (c *Certificate) End() time.Time {
	pair := c.pair.Load()
	end := pair.Leaf.NotAfter
	for _, der := range pair.Certificate[1:] {
		if intermediate, err := x509.ParseCertificate(der); err == nil && intermediate.NotAfter.Before(end) {
			end = intermediate.NotAfter
		}
	}
	return end
}

// LogValue returns the details by which an operator can identify the certificate.
func (c *Certificate) LogValue() slog.Value {
	leaf := c.pair.Load().Leaf
	return slog.GroupValue(
		slog.String("subject", leaf.Subject.String()),
		slog.Any("names", leaf.DNSNames),
		slog.String("serial", leaf.SerialNumber.Text(16)),
		slog.Time("expires", leaf.NotAfter))
}

// Config returns a configuration that serves the current certificate at each handshake, and
// asks for the client's if that is wanted by then.
func (c *Certificate) Config() *tls.Config {
	config := c.serverConfig()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return c.clients.Load(), nil // nil changes nothing
	}
	return config
}

func (c *Certificate) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// WebSocket needs HTTP/1.1 (RFC 6455, 1.7), and browsers prefer h2.
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.pair.Load(), nil
		},
	}
}

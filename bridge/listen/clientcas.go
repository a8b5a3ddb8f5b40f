package listen

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// SetClientCAs lets clients present a certificate, which must be signed by an authority in
// the PEM file; "" asks for none. A client without one is served as before, and one with an
// invalid one gets no connection. If the file cannot be used, nothing changes.
//
// It applies to handshakes from now on: a resumed session is verified again, but existing
// connections stay.
func (c *Certificate) SetClientCAs(file string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, c.caFile = c.caFile, file
	lastRead := c.lastRead
	err := c.reload()
	if err != nil {
		c.caFile, c.lastRead = file, lastRead
	}
	return err
}

// withClients returns the configuration for connections that may present a certificate of
// an authority in the file; nil if there is no file.
func (c *Certificate) withClients(caFile string) (*tls.Config, error) {
	if caFile == "" {
		return nil, nil
	}
	pool, err := readCAs(caFile)
	if err != nil {
		return nil, fmt.Errorf("%w; %s must be a PEM file with the certificates of the authorities that sign clients' certificates", err, caFile)
	}
	config := c.serverConfig()
	config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, pool
	// Its sessions have keys of their own: a client that resumed a session of another
	// configuration would not be asked for a certificate.
	config.WrapSession, config.UnwrapSession = config.EncryptTicket, config.DecryptTicket
	// The engine uses it as it is.
	config.DynamicRecordSizingDisabled = true
	return config, nil
}

// readCAs reads a PEM file of certificates. Unlike [x509.CertPool.AppendCertsFromPEM] it
// skips nothing: an authority must not be left out unnoticed.
func readCAs(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, n, blocks := x509.NewCertPool(), 0, bytes.Count(data, []byte("-----BEGIN "))
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		n++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d is a %s", n, block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", n, err)
		}
		pool.AddCert(cert)
	}
	switch {
	case blocks == 0:
		return nil, errors.New("there is no certificate in the file")
	case n < blocks:
		return nil, fmt.Errorf("%d of %d blocks are damaged", blocks-n, blocks)
	}
	return pool, nil
}

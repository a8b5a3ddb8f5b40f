//go:build unix

package engine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(name string) *authority {
	pair := certificate(name)
	a := &authority{must(x509.ParseCertificate(pair.Certificate[0])), pair.PrivateKey.(*ecdsa.PrivateKey)}
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.cert = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key))))
	return a
}

func (a *authority) sign(name string) tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: a.cert.NotBefore,
		NotAfter: a.cert.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der := must(x509.CreateCertificate(rand.Reader, leaf, a.cert, &key.PublicKey, a.key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// A session ticket must not outlive the trust in the certificate behind it.
func TestATicketIsInvalidOnceItsAuthorityIs(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			old, fresh := newAuthority("old"), newAuthority("new")
			trusted := make(chan *x509.CertPool, 1)
			trusted <- old.pool()
			s := start(Config{}, func(s *server) {
				s.tls = s.tls.Clone()
				s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
					pool := <-trusted
					trusted <- pool
					cfg := serverTLS().Clone()
					cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, pool
					return cfg, nil
				}
			})
			client := &tls.Config{InsecureSkipVerify: true, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
				Certificates: []tls.Certificate{old.sign("astronomer")}}
			for i := range 2 {
				c := s.dialTLS(t, client)
				c.upgrade("/")
				if got := c.Conn.(*tls.Conn).ConnectionState().DidResume; got != (i > 0) {
					t.Errorf("version %x, connection %d: resumed is %t", version, i, got)
				}
			}
			<-trusted
			trusted <- fresh.pool()
			secure := tls.Client(s.dialRaw(t).Conn, client)
			_, err := secure.Write([]byte(upgradeRequest)) // in TLS 1.3 the rejection comes after the handshake
			if err == nil {
				_, err = secure.Read(make([]byte, 1))
			}
			if err == nil || !strings.Contains(err.Error(), "remote error: tls:") {
				t.Errorf("version %x: a client of an authority that is not trusted any more gets %v", version, err)
			}
		}
	})
}

func TestATicketIsValidWithANewCertificate(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		certificates := make(chan tls.Certificate, 1)
		certificates <- certificate("old")
		s := start(Config{}, func(s *server) {
			s.tls = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				c := <-certificates
				certificates <- c
				return &c, nil
			}}
		})
		cfg := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		s.dialTLS(t, cfg).upgrade("/")
		<-certificates
		certificates <- certificate("new")
		for range 2 {
			c := s.dialTLS(t, cfg)
			c.upgrade("/")
			if !c.Conn.(*tls.Conn).ConnectionState().DidResume {
				t.Error("the session is not resumed")
			}
		}
		cfg.ClientSessionCache = nil
		if got := s.dialTLS(t, cfg).Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName; got != "new" {
			t.Errorf("a new client is shown %q", got)
		}
		s.dial(t)
	})
}

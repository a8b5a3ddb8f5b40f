package bench

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// issuer issues JSON Web Tokens (RFC 7519), and serves the key that verifies them (RFC 7517).
type issuer struct {
	key    *rsa.PrivateKey
	server *http.Server
	url    string
}

const (
	issuerName = "https://issuer.example"
	audience   = "clu-ws"
	keyID      = "bench"
)

// newIssuer starts an issuer.
func newIssuer() (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &issuer{key: key, url: "http://" + ln.Addr().String()}
	i.server = &http.Server{Handler: http.HandlerFunc(i.serveKeys), ReadHeaderTimeout: patience}
	// It ends with Close; a bridge that gets no keys refuses the clients, which fails the scenario.
	go func() { _ = i.server.Serve(ln) }()
	return i, nil
}

func (i *issuer) close() { i.server.Close() }

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	exponent := big.NewInt(int64(i.key.E)).Bytes()
	// An error is the bridge's, which has hung up.
	_, _ = w.Write(jsonOf(map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(exponent),
	}}}))
}

// config returns the entry of the configuration that accepts its tokens for a role.
func (i *issuer) config(role string) map[string]any {
	return map[string]any{"issuer": issuerName, "audience": audience, "algorithms": []string{"RS256"}, "jwks": i.url, "role": role}
}

// token returns a token for a name, valid for an hour.
func (i *issuer) token(name string) (string, error) {
	now := time.Now()
	claims := map[string]any{"iss": issuerName, "aud": audience, "sub": name, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(jsonOf(map[string]string{"typ": "JWT", "alg": "RS256", "kid": keyID})) + "." + encode(jsonOf(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("cannot sign a token: %w", err)
	}
	return text + "." + encode(signature), nil
}

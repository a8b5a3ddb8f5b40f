package access

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
)

// SignedURLs checks the signatures of URLs for a protocol that has its own rules about who its clients
// are. Its zero value is not usable.
type SignedURLs struct{ source signedSource }

// NewSignedURLs reads the keys of signed URLs from a secrets file of baseplate. name is that of the
// secret.
func NewSignedURLs(secrets, name string, o Options) (*SignedURLs, error) {
	if o.Secret == nil {
		o.Secret = os.ReadFile
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &SignedURLs{signedSource{cfg: SignedConfig{Secrets: secrets, Name: name}, options: o}}
	if secrets == "" {
		return nil, errors.New("names no file; name the secrets file of baseplate")
	}
	return s, s.source.read()
}

// Check returns nil if m is the signature of a path, and has not expired. The path is decoded.
func (s *SignedURLs) Check(path, m string) *Refusal {
	_, refusal := s.source.check(path, m, s.source.options.Now())
	return refusal
}

// Run reads the keys again when they are replaced, until the context ends.
func (s *SignedURLs) Run(ctx context.Context) { s.source.run(ctx) }

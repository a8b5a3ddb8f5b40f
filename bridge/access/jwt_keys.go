package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

const (
	keysTimeout    = 5 * time.Second
	keysMaxSize    = 1 << 20
	keysRefresh    = 5 * time.Minute  // how often keys are fetched anew
	keysRetry      = time.Second      // after a failure, doubled up to keysRefresh / 5
	keysMinAge     = 10 * time.Second // unknown ids of keys ask no more often than this
	keysMaxAge     = 24 * time.Hour   // how long keys are used while their issuer is down
	absentMax      = 256              // ids that an issuer does not have are remembered
	rsaKeyBits     = 2048             // RFC 7518, 3.3
	keyIDMaxLength = 256
)

// errNoKey says that the issuer has no key with the id.
var errNoKey = errors.New("the issuer has no such key")

// unknownError says that it is not known whether the issuer has a key.
type unknownError struct{ retry time.Duration }

func (*unknownError) Error() string { return "the issuer's keys cannot be fetched" }

// keySet is the keys of one issuer, fetched from the address that is configured for it. The
// same id at another issuer is another key.
type keySet struct {
	url    *url.URL
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex          // guards the following fields
	keys   keyfunc.Keyfunc     // those of the last good answer; nil before
	at     time.Time           // when it was asked for
	asked  time.Time           // when any answer was last asked for
	flight chan struct{}       // closed when the answer under way is there; nil if none is
	absent map[string]struct{} // ids that the last good answer lacked
	failed int                 // answers that were no good since the last good one
}

func newKeySet(u *url.URL, o Options) *keySet {
	return &keySet{url: u, client: newHTTPClient(keysTimeout, 2), now: o.Now, log: o.Logger}
}

// find returns the key for a token's signature, which has not been verified. If the set lacks
// it, it asks the issuer, at a bounded rate.
func (k *keySet) find(ctx context.Context, t *jwt.Token, w *slots) (any, error) {
	key, at, err := k.lookup(t)
	if !errors.Is(err, errNoKey) {
		return key, err
	}
	id, _ := t.Header["kid"].(string)
	if len(id) > keyIDMaxLength {
		return nil, errNoKey
	}
	if err := w.aside(func() error { return k.ask(ctx, id, at) }); err != nil {
		return nil, err
	}
	key, _, err = k.lookup(t)
	return key, err
}

// lookup returns the key that a token names, or all keys if it names none, and when the issuer was
// asked for the keys that there are.
func (k *keySet) lookup(t *jwt.Token) (key any, at time.Time, err error) {
	k.mu.Lock()
	keys, at := k.keys, k.at
	k.mu.Unlock()
	if keys == nil || k.now().Sub(at) > keysMaxAge {
		return nil, at, errNoKey
	}
	key, err = keys.KeyfuncCtx(context.Background())(t) // no network: the keys are in memory
	if set, ok := key.(jwt.VerificationKeySet); errors.Is(err, jwkset.ErrKeyNotFound) || ok && len(set.Keys) == 0 {
		return nil, at, errNoKey
	}
	return key, at, err
}

// ask fetches the keys because a token names one that was unknown at a time. It returns errNoKey if the
// issuer is known not to have it, and *unknownError if the issuer may have it: it does not
// answer, or it may not be asked yet. Otherwise the key may be there now.
func (k *keySet) ask(ctx context.Context, id string, seen time.Time) error {
	k.mu.Lock()
	if !k.at.Equal(seen) && (k.has(id) || id == "") { // an answer came in between
		k.mu.Unlock()
		return nil
	}
	if _, known := k.absent[id]; known && k.recent() {
		k.mu.Unlock()
		return errNoKey
	}
	if flight := k.flight; flight != nil {
		k.mu.Unlock()
		select {
		case <-flight:
			return k.afterFlight(id)
		case <-ctx.Done():
			return &unknownError{keysRetry}
		}
	}
	if wait := k.mayAskIn(); wait > 0 {
		k.mu.Unlock()
		return &unknownError{wait}
	}
	done := k.begin()
	k.mu.Unlock()
	if !done(context.WithoutCancel(ctx)) { // others wait for it, too
		return &unknownError{keysRetry}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if id != "" && !k.has(id) && len(k.absent) < absentMax {
		k.absent[id] = struct{}{}
	}
	return nil
}

// afterFlight is for callers that did not begin the flight. The key may have been made after the
// issuer answered, so its absence is not final.
func (k *keySet) afterFlight(id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed > 0 || k.keys == nil || !k.has(id) && id != "" {
		return &unknownError{max(k.mayAskIn(), keysRetry)}
	}
	return nil
}

// recent reports whether the last good answer is recent enough to say that a key does not exist.
func (k *keySet) recent() bool { return k.now().Sub(k.at) < keysMinAge }

// mayAskIn returns how long the issuer must not be asked because of a token.
func (k *keySet) mayAskIn() time.Duration {
	least := keysMinAge
	if k.failed > 0 {
		least = keysRetry
	}
	if k.asked.IsZero() {
		return 0
	}
	return k.asked.Add(least).Sub(k.now())
}

func (k *keySet) has(id string) bool {
	if k.keys == nil {
		return false
	}
	_, err := k.keys.Storage().KeyRead(context.Background(), id)
	return err == nil
}

// begin begins a flight under the lock, and returns what completes it without. That reports
// whether the answer was good. If its context ends, nothing is known of the issuer.
func (k *keySet) begin() func(context.Context) bool {
	began, flight := k.now(), make(chan struct{})
	k.asked, k.flight = began, flight
	return func(ctx context.Context) bool {
		keys, err := k.fetch(ctx)
		k.mu.Lock()
		before := k.failed
		switch k.flight = nil; {
		case err == nil:
			k.keys, k.at, k.failed, k.absent = keys, began, 0, map[string]struct{}{}
		case ctx.Err() != nil:
			k.asked = time.Time{}
		default:
			k.failed++
		}
		k.mu.Unlock()
		close(flight)
		switch {
		case ctx.Err() != nil:
		case err != nil && before == 0:
			k.log.Warn("cannot fetch the keys of an issuer of tokens; trying again", "jwks", shownURL(k.url), "error", err)
		case err == nil && before > 0:
			k.log.Info("fetched the keys of an issuer of tokens again", "jwks", shownURL(k.url), "failures", before)
		}
		return err == nil
	}
}

// run fetches the keys until the context ends: regularly, and more often after a failure.
func (k *keySet) run(ctx context.Context) {
	defer k.client.CloseIdleConnections()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(k.refresh(ctx))
	}
}

// refresh fetches the keys unless they have just been, and returns how long to wait until the
// next time. The waits differ, so that bridges that start together do not ask together.
func (k *keySet) refresh(ctx context.Context) time.Duration {
	k.mu.Lock()
	if k.flight == nil && (k.failed > 0 || !k.recent()) {
		done := k.begin()
		k.mu.Unlock()
		done(ctx)
		k.mu.Lock()
	}
	defer k.mu.Unlock()
	wait := keysRefresh
	if k.failed > 0 {
		wait = min(keysRetry<<min(k.failed-1, 6), keysRefresh/5)
	}
	return wait - time.Duration(rand.Int64N(int64(wait/5)))
}

// fetch asks the issuer for its keys.
func (k *keySet) fetch(ctx context.Context) (keyfunc.Keyfunc, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url.String(), nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := k.client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers with status %d", answer.StatusCode)
	}
	text, err := readBounded(answer.Body, keysMaxSize)
	if err != nil {
		return nil, err
	}
	return parseKeys(text)
}

// parseKeys returns the usable keys of a JSON Web Key Set (RFC 7517): public keys for
// signatures that one of the algorithms can have. Others, such as those for encryption, are
// passed over. A shared secret in a public document is none.
func parseKeys(text []byte) (keyfunc.Keyfunc, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("the answer is not a JSON Web Key Set")
	}
	var usable []jwkset.JWK
	for _, one := range set.Keys {
		var key jwkset.JWKMarshal
		if json.Unmarshal(one, &key) != nil {
			continue
		}
		key.X5U, key.X5C, key.X5T, key.X5TS256 = "", nil, "", "" // certificates would be fetched and checked
		if parsed, err := jwkset.NewJWKFromMarshal(key, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{}); err == nil && canVerify(parsed.Key()) {
			usable = append(usable, parsed)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("the answer has no key for signatures of RS256 (2048 bits), ES256 or EdDSA")
	}
	storage := jwkset.NewMemoryStorage()
	if err := storage.KeyReplaceAll(context.Background(), usable); err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{jwkset.UseSig, ""}})
}

func canVerify(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= rsaKeyBits
	case *ecdsa.PublicKey:
		return key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return true
	}
	return false
}

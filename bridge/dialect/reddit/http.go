package reddit

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// Routes implements [dialect.Dialect].
func (s *service) Routes() map[string]http.Handler {
	health, other := s.unlessQuiesced(s.health), s.unlessQuiesced(notWebSocket)
	routes := map[string]http.Handler{
		"GET " + s.below("/health"):   health,
		"POST " + s.below("/health"):  health,
		"POST " + s.below("/quiesce"): s.unlessQuiesced(s.quiesce),
		"GET " + s.below("/"):         other,
	}
	if !strings.HasSuffix(s.place.Path, "/") {
		routes["GET "+s.place.Path] = other
	}
	return routes
}

// unlessQuiesced returns a handler that answers 410 once the bridge is stopping.
func (s *service) unlessQuiesced(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.quiesced() {
			answer(w, http.StatusGone, `{"status": "quiesced", "connections": %d}`, s.namespaces.clients())
			return
		}
		h(w, r)
	})
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, `{"status": "OK", "connections": %d}`, s.namespaces.clients())
}

// quiesce makes the bridge stop, if the request has the token.
func (s *service) quiesce(w http.ResponseWriter, r *http.Request) {
	if s.token == "" {
		http.Error(w, "this bridge has no token that may quiesce it; set admin-token of the dialect", http.StatusNotFound)
		return
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.token)) // so that the length does not show
	if !strings.EqualFold(scheme, "Basic") || subtle.ConstantTimeCompare(given[:], want[:]) == 0 {
		w.Header().Set("WWW-Authenticate", "Basic") // RFC 9110, 11.6.1
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("invalid authentication")) // an error means that the client is gone
		return
	}
	s.host.Logger.Info("asked to stop by a request to quiesce", "client", r.RemoteAddr)
	s.asked.Store(true)
	s.host.Drain()
	answer(w, http.StatusOK, `{"remaining": %d}`, s.namespaces.clients())
}

func notWebSocket(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte("you are not a websocket")) // an error means that the client is gone
}

// answer answers with JSON that has the number of clients.
func answer(w http.ResponseWriter, status int, format string, clients int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, format, clients) // an error means that the client is gone
}

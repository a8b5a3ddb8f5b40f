package bridge

import (
	"encoding/json"
	"net/http"
)

// health is the answer of /healthz and /readyz.
type health struct {
	Ready bool `json:"ready"`
	// Draining is true while the bridge is stopping.
	Draining bool   `json:"draining,omitempty"`
	Broker   string `json:"broker"` // up, blocked, stalled, no_replies or down
	Reason   string `json:"reason,omitempty"`
	Name     string `json:"name,omitempty"`
	Clients  *int   `json:"clients,omitempty"`
	// Dropped counts messages that are not replies, by reason.
	Dropped map[string]int `json:"dropped,omitempty"`
}

// full returns the health for the admin port, and public that for the clients' port,
// without addresses, names or numbers.
func (h health) full() health { return h }
func (h health) public() health {
	return health{Ready: h.Ready, Draining: h.Draining, Broker: h.Broker}
}

func (b *Bridge) health() health {
	s := b.link.State()
	clients := b.Clients()
	h := health{Broker: brokerWord(s), Reason: brokerReason(s), Name: b.cfg.Name, Clients: &clients, Dropped: b.replyDrops.Counts()}
	switch {
	case !s.Up && s.Err == nil:
		h.Reason = "not linked yet"
	case !s.Up, s.Blocked != "":
	case b.link.ConfirmOverdue():
		h.Broker, h.Reason = "stalled", "the broker does not confirm what was sent to it"
	default:
		h.Ready = true // even without replies: a command that stops something must get through
	}
	if b.draining.Load() {
		h.Ready, h.Draining = false, true
	}
	return h
}

// healthz answers that the bridge is alive, with 200, and whether it is ready.
func (b *Bridge) healthz(view func(health) health) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, http.StatusOK, view(b.health())) }
}

// readyz answers with 503 while commands would fail, as far as the bridge knows: it notices that
// the broker stalls by the first command, or by the heartbeat.
func (b *Bridge) readyz(view func(health) health) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h, status := b.health(), http.StatusOK
		if !h.Ready {
			status = http.StatusServiceUnavailable
		}
		writeHealth(w, status, view(h))
	}
}

func writeHealth(w http.ResponseWriter, status int, h health) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(h)
}

package bridge

import (
	"net/http"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// whoamiAnswer says who the sender of a request is, and what it may do.
type whoamiAnswer struct {
	protocol.AccessInfo
	Source string `json:"source"`
	Role   string `json:"role,omitempty"`
}

// whoami answers who the sender of a request is: a browser cannot see why an upgrade failed. The
// parameter path is the path of the upgrade, to which a signed URL is bound.
//
//	{"name":"ana","expires":"2026-11-21T04:38:40.000000+00:00","grants":{"hear":[{}]},"source":"token","role":"viewer"}
func (b *Bridge) whoami(w http.ResponseWriter, r *http.Request) {
	allowOrigin(w, r)
	if r.Method == http.MethodOptions { // a browser asks before it sends Authorization
		w.Header().Set("Access-Control-Allow-Methods", "GET")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization")
		w.Header().Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	path := commonPath
	if asked := r.URL.Query().Get("path"); asked != "" {
		path = asked
	}
	p, no := b.identifyHTTPAs(r, path)
	if room := b.roomOf(path); no == nil && room != "" {
		no = mayHear(p, room)
	}
	if no != nil {
		b.refuseHTTP(w, r, no)
		return
	}
	writeAPI(w, http.StatusOK, protocol.JSON(whoamiAnswer{*accessInfo(p), p.Source, p.Role}))
}

// allowOrigin lets the page that sends a request read the answer. A page whose origin is not
// allowed may do so only for a token that it sends itself, without its user's cookies.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	page := r.Header.Get("Origin")
	if page == "" {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", page)
	w.Header().Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
	if callerOf(r).foreign == nil {
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

// mayHear returns why a principal may not hear a room, or nil.
func mayHear(p *access.Principal, room string) *access.Refusal {
	room, err := rooms.CleanPath(room)
	if err != nil {
		return &access.Refusal{Status: http.StatusBadRequest, Code: protocol.CodeBadRequest, Reason: err.Error()}
	}
	if d := p.Decide(access.Request{Door: access.EnterRoom, Room: room}); !d.Allowed {
		return roomForbidden(d)
	}
	return nil
}

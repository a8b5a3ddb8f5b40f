package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// maxCredential is the longest token or ticket in a message, in bytes.
const maxCredential = 16 << 10

var (
	errAuthFirst   = errors.New(`say who you are first: send the op "auth" with your "token", and wait for the answer`)
	errNoAuth      = errors.New(`this bridge has no access control; leave out "auth"`)
	errAuthTwice   = errors.New("your last auth is not answered yet; wait for the answer")
	errOtherName   = &access.Refusal{Status: http.StatusForbidden, Code: "other_name", Reason: "this credential has another name than this connection; open another connection for it"}
	errCredentials = errors.New(`"auth" has either a "token" or a "ticket", as a string that is not empty`)
)

// awaitingMessage handles a message of a client that has not logged in: it must be auth.
func (b *Bridge) awaitingMessage(conn engine.Conn, c *client, m engine.Message) {
	f, err := protocol.Parse(m.Payload)
	var id *string
	if err == nil && string(bytes.TrimSpace(f["op"])) == `"auth"` {
		if id, err = f.ID(); err == nil {
			err = b.startAuth(conn, c, id, f)
		}
		if err == nil {
			return
		}
		conn.Send(protocol.BadRequest(id, err))
		return
	}
	b.metrics.refused.Inc()
	conn.Send(protocol.Encode(protocol.Error{Op: "error", Code: protocol.CodeUnauthorized, Message: errAuthFirst.Error()}))
}

// auth identifies a client, or renews its credential.
func (b *Bridge) auth(_ *hub.Session, r request) error {
	if b.access == nil {
		return errNoAuth
	}
	return b.startAuth(r.conn, r.client, r.id, r.fields)
}

// readCredential reads the credential of an auth message.
func readCredential(f protocol.Fields) (credential string, err error) {
	for _, name := range f.Names() {
		switch name {
		case "op", "id":
		case "token", "ticket":
			text, err := f.Text(name)
			if err != nil || text == "" || credential != "" {
				return "", errCredentials
			}
			credential = text
		default:
			return "", fmt.Errorf(`"auth" has no field %.40q; it has id, and token or ticket`, name)
		}
	}
	switch {
	case credential == "":
		return "", errCredentials
	case len(credential) > maxCredential:
		return "", fmt.Errorf("the credential is %d bytes long; the longest has %d", len(credential), maxCredential)
	}
	return credential, nil
}

// startAuth decides on a credential, now or on a worker. The error is about the message.
func (b *Bridge) startAuth(conn engine.Conn, c *client, id *string, f protocol.Fields) error {
	credential, err := readCredential(f)
	if err != nil {
		return err
	}
	a := c.accessOf()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.deciding:
		return errAuthTwice
	case a.closed:
		return nil
	}
	generation := b.access.generation.Load()
	v := b.access.Identify(b.messageApproach(c, credential))
	if v.Later == nil {
		b.finishAuth(conn, c, id, v, generation)
		return nil
	}
	ctx, cancel := context.WithTimeout(b.running, authTimeout)
	a.deciding, a.stopDeciding = true, cancel
	decide := func() {
		defer cancel()
		decided := access.Verdict{Refusal: errUndecided}
		b.guarded("a decision on a credential", func() { decided = v.Later(ctx) })
		a.mu.Lock()
		defer a.mu.Unlock()
		a.deciding = false
		b.finishAuth(conn, c, id, decided, generation)
	}
	if !b.access.decisions.Do(decide) {
		cancel()
		a.deciding = false
		b.finishAuth(conn, c, id, access.Verdict{Refusal: errUndecided}, generation)
	}
	return nil
}

// messageApproach describes a client that shows a credential in a message.
func (b *Bridge) messageApproach(c *client, credential string) *access.Approach {
	a := c.extra.access
	remote := parseRemote(c.Remote())
	return &access.Approach{Method: http.MethodGet, Path: c.path(), Client: b.clientID(c.number), Remote: remote, Peer: remote, Message: credential,
		OriginAllowed: a.trusted, Headers: func(name string) []string {
			if name == "Origin" && a.origin != "" {
				return []string{a.origin}
			}
			return nil
		}}
}

// finishAuth answers an auth message. mu of the client is held.
func (b *Bridge) finishAuth(conn engine.Conn, c *client, id *string, v access.Verdict, generation uint64) {
	a := c.extra.access
	if a.closed {
		return
	}
	p, no := b.access.settle(v, generation)
	if no == nil && p == nil {
		no = errUndecided
	}
	first := a.awaiting.Load()
	if no == nil && !first && !mayBecome(c.principal(), p) {
		no = errOtherName
	}
	if no != nil {
		b.refuseAuth(conn, c, id, no, first)
		return
	}
	if first {
		b.welcome(conn, c, p, id)
		return
	}
	b.become(c, p, "auth")
	if a.closed {
		return
	}
	b.entered(c, true)
	b.answerLater(conn, c, b.authOK(id, p))
}

// mayBecome reports whether a client may go on as another principal: with a new credential of
// the same name, or with a first one.
func mayBecome(was, now *access.Principal) bool {
	return was.Name == now.Name && was.Name != "" || was.Source == access.SourceAnonymous
}

// refuseAuth answers a credential that is refused. A client that is identified goes on as it
// was; another is closed. mu of the client is held.
func (b *Bridge) refuseAuth(conn engine.Conn, c *client, id *string, no *access.Refusal, first bool) {
	b.metrics.refused.Inc()
	b.refusals.Note(http.StatusText(no.Status), "client", c.Remote(), "status", no.Status, "why", no.Reason)
	b.cfg.Audit.Refused(audit.Refused{Who: b.who(c), Door: "auth", Path: c.path(), Status: no.Status, Code: no.Code, Reason: no.Reason})
	answer := protocol.Encode(protocol.Error{Op: "error", ID: id, Code: refusalCode(no), Message: no.Reason})
	if !first {
		b.answerLater(conn, c, answer)
		if no.Status == http.StatusServiceUnavailable {
			b.stay(c)
		}
		return
	}
	conn.Send(answer)
	b.closeFor(c, no)
}

// refusalCode returns the error code of a refusal.
func refusalCode(no *access.Refusal) string {
	switch no.Status {
	case http.StatusForbidden:
		return protocol.CodeForbidden
	case http.StatusTooManyRequests:
		return protocol.CodeRate
	case http.StatusServiceUnavailable:
		return protocol.CodeUndecided
	}
	return protocol.CodeUnauthorized
}

// welcome begins the session of a client that has logged in, with the hello and then the
// answer. mu of the client is held.
func (b *Bridge) welcome(conn engine.Conn, c *client, p *access.Principal, id *string) {
	a := c.extra.access
	c.setPrincipal(p)
	if no := b.countConnection(c); no != nil {
		b.refuseAuth(conn, c, id, no, true)
		return
	}
	s, connect := c.v1.Load(), &hub.ConnectRequest{}
	if s == nil { // auth is an op: from now on the client speaks v1
		s = b.addSession(c)
	} else {
		s.Restrict(viewerOf(c, p), nil)
		connect, s.Connect = s.Connect, nil
	}
	b.publishConnected(c)
	b.greet(conn, c, s, connect)
	a.awaiting.Store(false)
	b.entered(c, false)
	b.answerLater(conn, c, b.authOK(id, p))
}

// authOK returns the answer to an auth message.
func (b *Bridge) authOK(id *string, p *access.Principal) engine.Frame {
	return protocol.Encode(protocol.OK{Op: "ok", ID: id, Access: accessInfo(p)})
}

// answerLater sends a v1 client a frame after its hello and the answers to its earlier
// requests.
func (b *Bridge) answerLater(conn engine.Conn, c *client, frame engine.Frame) {
	b.hub.AfterRequests(c.v1.Load(), func() { conn.SendInOrder(frame) })
}

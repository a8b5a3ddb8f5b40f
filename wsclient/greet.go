package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Access says who this client is for a bridge with access control.
type Access struct {
	Name    string    // "" for an anonymous client
	Expires time.Time // zero if the login does not expire
	Grants  json.RawMessage
	Changed []string // the grants that have changed; nil in a hello
	// ExpiresIn is not 0 if this is the warning that the login expires.
	ExpiresIn time.Duration
	// Problem says why the login could not be renewed.
	Problem string
}

// wireAccess is an Access as it travels.
type wireAccess struct {
	Name      *string         `json:"name"`
	Expires   *string         `json:"expires"`
	Grants    json.RawMessage `json:"grants"`
	Changed   []string        `json:"changed"`
	ExpiresIn float64         `json:"expires_in"`
	Renewed   *bool           `json:"renewed"`
	Message   string          `json:"message"`
}

func (w *wireAccess) update(a Access) Access {
	if w.Name != nil {
		a.Name = *w.Name
	}
	if w.Grants != nil {
		a.Grants = w.Grants
		a.Expires = time.Time{}
		if w.Expires != nil {
			a.Expires = parseTime(*w.Expires)
		}
	}
	a.Changed = w.Changed
	return a
}

// greet handles a hello: one that asks for a login, or that of the session.
func (c *Client) greet(s *session, m *message) {
	var h struct {
		Session, Name, Version, Broker, Auth string
		Capabilities                         []string
		Access                               *wireAccess
	}
	if err := json.Unmarshal(m.raw, &h); err != nil {
		c.refuse(s, fmt.Errorf("the hello of the bridge is not understood: %w", err))
		return
	}
	if h.Auth == "required" && h.Access == nil {
		if s.login == nil {
			c.refuse(s, &RefusedError{Status: http.StatusUnauthorized, Reason: "this bridge asks for a login"})
		}
		return
	}
	s.hello = &Hello{
		Protocol: "v1", Session: h.Session, Name: h.Name, Version: h.Version, Epoch: m.Epoch, Seq: m.Seq, Broker: h.Broker,
		Capabilities: h.Capabilities, Time: parseTime(m.Time),
	}
	if h.Access != nil {
		access := h.Access.update(Access{})
		s.hello.Access = &access
	}
	if s.login == nil {
		c.admit(s)
	}
}

// refuse ends a connection for a reason of the client's own.
func (c *Client) refuse(s *session, why error) {
	if s.why == nil {
		s.why = why
	}
	s.stop()
}

// showLogin shows a credential by a message. The hello counts once it is accepted.
func (s *session) showLogin(fields map[string]any) {
	c := s.client
	s.ask(c.newID("auth"), fields, func(m *message, err error) bool {
		if m == nil {
			return false
		}
		if refused, ok := errors.AsType[*RequestError](err); ok {
			if slices.Contains([]string{"undecided", "rate"}, refused.Code) {
				c.refuse(s, retryError{refused, time.Second})
			} else {
				c.refuse(s, &RefusedError{Status: closeExpired, Reason: refused.Message})
			}
			return false
		}
		s.login = nil
		if s.hello == nil {
			return false
		}
		if access := readAccess(m.Access); access != nil {
			s.hello.Access = access
		}
		c.admit(s)
		return false
	})
}

// readAccess reads the access of an answer; it is nil without one.
func readAccess(raw json.RawMessage) *Access {
	var w *wireAccess
	if json.Unmarshal(raw, &w) != nil || w == nil {
		return nil
	}
	access := w.update(Access{})
	return &access
}

// admit begins the session of a connection: it asks for everything that the client is to hear.
func (c *Client) admit(s *session) {
	if s.greeted {
		return
	}
	s.greeted = true
	c.hello, c.greeted = *s.hello, true
	c.clock = clock{}
	if !s.hello.Time.IsZero() {
		c.clock.set(s.hello.Time)
	}
	if hook, access := c.cfg.OnAccess, s.hello.Access; hook != nil && access != nil {
		c.hooks.add(func() { hook(*access) })
	}
	if hook, broker := c.cfg.OnBroker, s.hello.Broker; hook != nil && broker != "" {
		c.hooks.add(func() { hook(broker, "") })
	}
	resuming := 0
	for _, sub := range c.subs {
		if sub.selectsReplies() {
			resuming++
		}
	}
	if seq := s.hello.Seq; seq != nil {
		c.reach(Position{s.hello.Epoch, *seq}, false)
	}
	if c.own.request(s, resuming > 0) {
		resuming++
	}
	for _, sub := range c.subs {
		c.request(s, sub, resuming > 1)
	}
	c.setState(Connected, nil)
}

// startPlain begins with CLU's own server.
func (c *Client) startPlain(s *session) {
	s.greeted = true
	again := c.greeted
	c.hello, c.greeted = Hello{Protocol: "plain"}, true
	c.clock, c.placed = clock{}, false
	c.own.lane.live = true
	for _, sub := range slices.Clone(c.subs) {
		if again && sub.accepted && sub.selectsReplies() {
			sub.lane.gap(Gap{From: c.lastHeard, To: time.Now(), Reason: "this server keeps no replies to resume from"}, "")
		}
		sub.startPlain()
	}
	c.setState(Connected, nil)
}

// has is Has with the lock held.
func (c *Client) has(capability string) bool {
	return c.session != nil && c.session.greeted && slices.Contains(c.hello.Capabilities, capability)
}

// accessChanged handles what the bridge says about the login.
func (c *Client) accessChanged(s *session, m *message) {
	var w wireAccess
	if json.Unmarshal(m.raw, &w) != nil {
		return
	}
	var access Access
	if c.hello.Access != nil {
		access = *c.hello.Access
	}
	access = w.update(access)
	c.hello.Access = &access
	told := access
	told.ExpiresIn = time.Duration(w.ExpiresIn * float64(time.Second))
	if w.Renewed != nil && !*w.Renewed {
		told.Problem = w.Message
	}
	if hook := c.cfg.OnAccess; hook != nil {
		c.hooks.add(func() { hook(told) })
	}
	if told.ExpiresIn > 0 && c.hasLogin() {
		c.hooks.add(func() { c.renewBefore(s, time.Now().Add(told.ExpiresIn)) })
	}
}

// renewBefore renews the login, once: if that fails, the bridge closes the connection, and the next attempt asks anew.
func (c *Client) renewBefore(s *session, deadline time.Time) {
	go func() {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		stopped := make(chan struct{})
		defer close(stopped)
		go func() {
			select {
			case <-c.ending:
				cancel()
			case <-stopped:
			}
		}()
		if err := c.Renew(ctx); err != nil {
			c.log.Warn("the login was not renewed", "error", err)
			c.mu.Lock()
			defer c.mu.Unlock()
			if hook := c.cfg.OnAccess; hook != nil && c.session == s && c.hello.Access != nil {
				told := *c.hello.Access
				told.Problem = err.Error()
				c.hooks.add(func() { hook(told) })
			}
		}
	}()
}

// Renew asks for a new credential, and shows it to the bridge on the open connection.
func (c *Client) Renew(ctx context.Context) error {
	fields := map[string]any{"op": "auth"}
	var err error
	switch {
	case c.cfg.Token != nil:
		fields["token"], err = c.cfg.Token(ctx)
	case c.cfg.Ticket != nil:
		fields["ticket"], err = c.cfg.Ticket(ctx)
	default:
		return errors.New("there is no Token or Ticket to ask for a new credential")
	}
	if err != nil {
		return fmt.Errorf("there is no new credential: %w", err)
	}
	raw, err := c.Request(ctx, fields)
	if err != nil {
		return err
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if access := readAccess(m.Access); access != nil {
		c.hello.Access = access
		if hook := c.cfg.OnAccess; hook != nil {
			c.hooks.add(func() { hook(*access) })
		}
	}
	return nil
}

package bridge

import (
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/audit"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// A command has a row in the audit log when it is about to be sent, one with the outcome of
// sending it, and one with its end if that is awaited.

// who returns a client, as it is known now, for the audit log.
func (b *Bridge) who(c *client) audit.Who { return b.whoAs(c, c.principal()) }

// whoAs returns a client and the principal that it had when it asked for something.
func (b *Bridge) whoAs(c *client, p *access.Principal) audit.Who {
	w := audit.Who{Remote: c.Remote()}
	if c.number > 0 { // a connection, not a request over HTTP
		w.Client = b.clientID(c.number)
	}
	if p != nil {
		w.Name, w.Source, w.Role, w.Credential = p.Name, p.Source, p.Role, p.CredentialID
	}
	return w
}

// recordCommand records a command that is about to be sent, and then calls a function, exactly
// once. The error is a rejection: the audit log is required, and does not have the command.
func (b *Bridge) recordCommand(s *outgoing, then func(error)) {
	if b.cfg.Audit == nil {
		then(nil)
		return
	}
	s.recorded = &audit.Command{
		Who:      b.whoAs(s.client, s.principal),
		Consumer: s.Consumer, CommandString: s.CommandString, CommandID: s.CommandID, Rule: s.rule,
	}
	b.cfg.Audit.Command(*s.recorded, func(err error) {
		if err != nil {
			err = &protocol.Rejection{Code: protocol.CodeNoRecord, Message: err.Error()}
		}
		then(err)
	})
}

// endCommand logs and records the outcome of sending a command.
func (b *Bridge) endCommand(s *outgoing, outcome string) {
	b.logCommand(s, outcome)
	if outcome == amqpx.Confirmed.String() {
		outcome = "sent"
	}
	b.recordEnd(s, outcome)
}

func (b *Bridge) recordEnd(s *outgoing, outcome string) {
	if s.recorded != nil {
		b.cfg.Audit.CommandEnd(audit.CommandEnd{Command: *s.recorded, Outcome: outcome, Took: time.Since(s.receivedAt)})
	}
}

// onEnd returns what a waiter calls with the end of a command; nil if nothing is recorded.
func (b *Bridge) onEnd(s *outgoing) func(hub.CommandEnd) {
	if b.cfg.Audit == nil {
		return nil
	}
	return func(e hub.CommandEnd) { b.recordEnd(s, e.Status) }
}

// noteRejected counts, logs and records a command that is not sent.
func (b *Bridge) noteRejected(s *outgoing, r *protocol.Rejection) {
	b.metrics.refused.Inc()
	b.logCommand(s, r.Code)
	b.cfg.Audit.Refused(audit.Refused{
		Who: b.who(s.client), Door: "command",
		Consumer: s.Consumer, CommandString: s.CommandString, CommandID: s.CommandID,
		Code: r.Code, Rule: s.rule, Reason: r.Message,
	})
}

// noteRefused counts and records what else a client was not let do.
func (b *Bridge) noteRefused(c *client, door, path string, d access.Decision) {
	b.metrics.refused.Inc()
	b.cfg.Audit.Refused(audit.Refused{
		Who: b.who(c), Door: door, Path: path,
		Code: protocol.CodeForbidden, Rule: d.Rule, Reason: d.Reason,
	})
}

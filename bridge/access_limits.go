package bridge

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// The limits of a principal count what all its connections to this bridge, and its requests over
// HTTP, take together ([quota.Usages]). Those of the engine still hold for each connection.

// limitsOf returns the limits of a principal.
func limitsOf(p *access.Principal) access.Limits {
	if p == nil || p.Grants == nil {
		return access.Limits{}
	}
	return p.Grants.Limits
}

// checkConnections refuses a client that is about to connect if its principal has as many
// connections as it may.
func (b *Bridge) checkConnections(c *client) *access.Refusal {
	p := c.principal()
	if p == nil || !b.usages.Full(usageKey(p, c.Remote()), limitsOf(p).Connections) {
		return nil
	}
	return tooManyConnections(p)
}

func tooManyConnections(p *access.Principal) *access.Refusal {
	return &access.Refusal{
		Status: http.StatusTooManyRequests, Code: "connections", RetryAfter: quota.Burst,
		Reason: fmt.Sprintf("you have the %d connections that you may have at a time; close one, then connect again", limitsOf(p).Connections),
	}
}

// countConnection counts a client that is connected and identified. It returns why the
// client must be closed if others of its principal were faster.
func (b *Bridge) countConnection(c *client) *access.Refusal {
	p := c.principal()
	if p == nil || c.extra.usage.Load() != nil {
		return nil
	}
	one := b.usages.Connect(usageKey(p, c.Remote()), limitsOf(p).Connections)
	if one == nil {
		return tooManyConnections(p)
	}
	c.extra.usage.Store(one)
	if c.HasLeft() { // while it was counted
		b.uncountConnection(c)
	}
	return nil
}

// uncountConnection uncounts a client that has left, if it was counted.
func (b *Bridge) uncountConnection(c *client) {
	if c.extra == nil {
		return
	}
	if one := c.extra.usage.Swap(nil); one != nil {
		b.usages.Disconnect(one)
	}
}

// takeMessage counts a message of a client, of any kind. The error says that its principal has
// sent too many.
func (b *Bridge) takeMessage(c *client) error {
	if p := c.principal(); p != nil {
		return b.take(p, c, b.usages.TakeMessage, limitsOf(p).MessageRate, "The message was not read: you may send %s messages a second, over all your connections%s.")
	}
	return nil
}

// takeCommand is takeMessage for a command that its sender may send.
func (b *Bridge) takeCommand(c *client) error {
	if p := c.principal(); p != nil {
		return b.take(p, c, b.usages.TakeCommand, limitsOf(p).CommandRate, "The command was not sent: you may send %s commands a second, over all your connections%s.")
	}
	return nil
}

func (b *Bridge) take(p *access.Principal, c *client, take func(user string, rate float64) time.Duration, rate float64, text string) error {
	if rate <= 0 {
		return nil
	}
	wait := take(usageKey(p, c.Remote()), rate)
	if wait == 0 {
		return nil
	}
	again := fmt.Sprintf("; try again in %.1f s", math.Ceil(wait.Seconds()*10)/10)
	return &protocol.Rejection{
		Code:       protocol.CodeRate,
		Message:    fmt.Sprintf(text, strconv.FormatFloat(rate, 'g', 6, 64), again),
		RetryAfter: wait,
	}
}

// usageKey returns a text that is equal for clients that share their limits: all of a name. An
// anonymous client shares with those of its role at its address: otherwise one of them could use
// up what all of them have.
func usageKey(p *access.Principal, remote string) string {
	if p.Name != "" {
		return "name " + p.Name
	}
	return "role " + quota.Address(remote) + " " + p.Role
}

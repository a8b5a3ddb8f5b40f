package bridge

import (
	"bytes"
	"errors"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// newModels makes the models of actors, which the bridge asks on its own account.
func (b *Bridge) newModels() {
	b.models = model.New(model.Config{Now: b.cfg.now, After: b.cfg.after, Send: b.askActor, Changed: b.modelChanged})
	b.consumers.OnChange(func(actor string, present bool) {
		if present {
			b.models.Started(actor)
		} else {
			b.models.Stopped(actor)
		}
	})
}

// questionExpires is the time in milliseconds after which the broker drops a question that nobody has
// taken from an actor's queue.
const questionExpires = "10000"

// askActor sends a question to an actor, as the commands of clients are sent: within 0.9 s or not at
// all. It is the bridge's own, and not counted as a client's.
func (b *Bridge) askActor(q model.Question) {
	if b.isAbsent(q.Actor) {
		b.consumers.doubt(q.Actor)
		b.models.Unheard(q.ID)
		return
	}
	command := actor.NewCommand(b.cfg.Name, q.Actor, q.CommandString, q.ID)
	command.Internal, command.NoLog = true, true // people who watch the actors need not see it
	err := command.Validate()
	if err == nil {
		m := command.Message()
		m.Expiration = questionExpires
		m.From, m.Tenant, m.Deadline = fromBridge{}, fromBridge{}, time.Now().Add(b.cfg.within)
		err = b.link.Publish(m, func(o amqpx.Outcome) {
			switch {
			case o == amqpx.Returned:
				b.consumers.doubt(q.Actor)
				b.models.Unheard(q.ID)
			case o != amqpx.Confirmed && !o.InDoubt(): // in doubt, the answer may still come
				b.models.Unsent(q.ID, actor.OutcomeText(o, q.Actor))
			}
		})
	}
	if err != nil {
		b.models.Unsent(q.ID, "The actor cannot be asked: "+err.Error()+".")
	}
}

// observeModel takes a reply that may answer a question, or say that a command of a model no longer
// exists.
func (b *Bridge) observeModel(o *hub.Observed) {
	switch {
	case o.CommandID == "" || o.Past:
	case o.Aside:
		b.models.Replied(o.Sender, o.CommandID, o.Code, o.Body)
	case o.Code == string(actor.Warning) && bytes.Contains(o.Body, noSuchCommand):
		b.models.Refused(o.Sender, o.Body)
	}
}

// noSuchCommand is how CLU's parser says that an actor does not have a command.
var noSuchCommand = []byte("NoSuchCommand: ")

// modelFields are the fields of the request model.
var modelFields = []string{"actor", "refresh"}

// modelAnswer is the answer to the request model.
type modelAnswer struct {
	Op       string                   `json:"op"` // model
	ID       *string                  `json:"id"`
	Actor    string                   `json:"actor"`
	State    model.State              `json:"state"`
	Asked    string                   `json:"asked"`
	Source   *model.Source            `json:"source"` // null if the commands are not known
	Commands []model.Command          `json:"commands"`
	Keywords map[string]model.Keyword `json:"keywords"`
	Problem  *string                  `json:"problem"` // null if nothing is missing
}

// model answers with an actor's commands and keywords. It asks the actor if nobody has yet.
func (b *Bridge) model(s *hub.Session, r request) error {
	var name string
	refresh := false
	for _, err := range []error{
		protocol.Optional(r.fields, "actor", "the name of an actor", &name),
		protocol.Optional(r.fields, "refresh", "true or false", &refresh),
	} {
		if err != nil {
			return err
		}
	}
	if name == "" {
		return errors.New(`"model" needs an "actor", the name of one`)
	}
	if err := actor.NewCommand(b.cfg.Name, name, "help", "").Validate(); err != nil {
		return err
	}
	if b.modelParts(r.client, name) == (modelParts{}) {
		d := access.Decision{Rule: "hear", Reason: "you may hear no answer of this actor about its commands and keywords"}
		b.noteRefused(r.client, "model", name, d)
		return forbidden(d)
	}
	return b.hub.SubmitTask(s, func(answered func()) hub.Task {
		return func() bool {
			b.models.Want(name, refresh, func(m *model.Model) {
				r.conn.SendInOrder(b.modelFrame(r.client, r.id, m))
				answered()
			})
			return true
		}
	})
}

// modelParts are the parts of a model that a client may know.
type modelParts struct{ commands, keywords bool }

// modelParts returns which parts of an actor's model a client may know: those whose replies it would
// hear if it asked the actor itself.
func (b *Bridge) modelParts(c *client, name string) modelParts {
	return modelParts{
		commands: b.hearsAnswer(c, name, string(model.FromCommandModel), "command_model"),
		keywords: b.hearsAnswer(c, name, "get_schema", "schema"),
	}
}

// hearsAnswer reports whether a client hears an actor's answer to a command: by its view, or
// because it may send the command and hear the replies to its own.
func (b *Bridge) hearsAnswer(c *client, name, commandString, keyword string) bool {
	p, no := b.principalNow(c)
	if no != nil || p == nil || p.Grants == nil {
		return no == nil && p == nil && b.cfg.Access == nil
	}
	r := b.answerOf(name, keyword)
	if p.Grants.View.Match(r) {
		return true
	}
	return p.Grants.Own && !p.Grants.View.Hides(r) &&
		p.Decide(access.Request{Door: access.SendCommand, Consumer: name, CommandString: commandString}).Allowed
}

// answerOf returns an actor's answer to a question, as views see it.
func (b *Bridge) answerOf(name string, keywords ...string) *filter.Reply {
	commander := actor.CommanderID(b.cfg.Name, name)
	return &filter.Reply{Sender: name, Code: string(actor.Done), Commander: commander, RoutingKey: "reply." + commander, CommandID: "model", Keywords: keywords}
}

// modelFrame returns the answer with a model, as far as the client may know it by now.
func (b *Bridge) modelFrame(c *client, id *string, m *model.Model) engine.Frame {
	a := modelAnswer{
		Op: "model", ID: id, Actor: m.Actor, State: m.State, Asked: m.Asked.UTC().Format(protocol.TimeFormat),
		Commands: []model.Command{},
	}
	problem := m.Problem
	may := b.modelParts(c, m.Actor)
	switch {
	case !may.commands:
		problem = "You may not hear the actor's answer about its commands."
	case m.Source != "":
		a.Source, a.Commands = &m.Source, m.Commands
	}
	if !may.keywords {
		problem = "You may not hear the actor's answer about its keywords."
	}
	a.Keywords = b.modelKeywords(c, m, may.keywords)
	if may != (modelParts{true, true}) && m.State != model.Asking {
		a.State = model.Partial
		if a.Source == nil && !(may.keywords && m.Schema) {
			a.State = model.None
		}
	}
	if problem != "" {
		a.Problem = &problem
	}
	return protocol.Encode(a)
}

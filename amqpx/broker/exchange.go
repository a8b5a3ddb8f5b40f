package broker

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/amqpx/topic"
)

// exchange routes messages to the queues bound to it. Guarded by Broker.mu.
type exchange struct {
	name       string
	kind       string // direct, fanout or topic
	durable    bool
	autoDelete bool
	internal   bool
	bindings   []*binding
	routes     map[string]*route // cache of routes, dropped when the bindings change
}

// binding binds a queue to an exchange.
type binding struct {
	queue   *queue
	key     string
	args    string        // encoded; part of the binding's identity, of no effect here
	pattern topic.Pattern // the key, for a topic exchange
}

// route is where an exchange sends one routing key.
type route struct {
	key    string
	queues []*queue
}

// maxRoutes bounds the cached routes of one exchange.
const maxRoutes = 1024

// predeclareExchanges declares the exchanges that every broker has.
func (b *Broker) predeclareExchanges() {
	for _, kind := range []string{"direct", "fanout", "topic"} {
		b.exchanges["amq."+kind] = &exchange{name: "amq." + kind, kind: kind, durable: true}
	}
}

// route returns the queues that want key, each once.
func (x *exchange) route(key string) *route {
	if r := x.routes[key]; r != nil {
		return r
	}
	r := &route{key: key}
	seen := make(map[*queue]bool)
	for _, bd := range x.bindings {
		if !seen[bd.queue] && bd.wants(x.kind, key) {
			seen[bd.queue] = true
			r.queues = append(r.queues, bd.queue)
		}
	}
	if x.routes == nil || len(x.routes) >= maxRoutes {
		x.routes = make(map[string]*route)
	}
	x.routes[key] = r
	return r
}

func (bd *binding) wants(kind, key string) bool {
	switch kind {
	case "fanout":
		return true
	case "topic":
		return bd.pattern.Match(key)
	}
	return bd.key == key
}

// exchangeDeclare flags: passive, durable, auto-delete, internal, no-wait.
func (ch *channel) exchangeDeclare(a *args) error {
	a.u16()
	name, kind, flags, arguments := a.name(), a.name(), a.flags(), a.table()
	if err := a.end(); err != nil {
		return err
	}
	want := exchange{name: name, kind: kind, durable: flags&2 != 0, autoDelete: flags&4 != 0, internal: flags&8 != 0}
	var err error
	if flags&1 != 0 {
		err = toQuestion(ch.b.exchangeExists(name))
	} else {
		err = ch.b.declareExchange(want, arguments)
	}
	if err == nil && flags&16 == 0 {
		ch.c.sendPlain(ch.id, exchangeDeclareOk)
	}
	return err
}

func (b *Broker) exchangeExists(name string) error {
	if _, err := b.exchange(name); err != nil || name != "" {
		return err
	}
	return errNotOnDefault()
}

func errNotOnDefault() error {
	return errorf(accessRefused, "operation not permitted on the default exchange")
}

// exchange finds an exchange by name; the default one, "", is nil.
func (b *Broker) exchange(name string) (*exchange, error) {
	x := b.exchanges[name]
	if x == nil && name != "" {
		return nil, errorf(notFound, "no exchange '%s' in vhost '/'", name)
	}
	return x, nil
}

func (b *Broker) declareExchange(want exchange, arguments table) error {
	if want.name == "" {
		return errNotOnDefault()
	}
	switch want.kind {
	case "direct", "fanout", "topic":
	case "headers":
		return errorf(notImplemented, "this broker has no exchanges of type 'headers'")
	default:
		return errorf(preconditionFailed, "unknown exchange type '%s'", want.kind)
	}
	if err := refuseArguments(arguments, unsupportedByExchange, "exchange", want.name); err != nil {
		return err
	}
	if x := b.exchanges[want.name]; x != nil {
		return x.sameAs(want)
	}
	if strings.HasPrefix(want.name, "amq.") {
		return errReserved("exchange", want.name)
	}
	if len(b.exchanges) >= b.cfg.MaxExchanges {
		return errLimit("exchange", b.cfg.MaxExchanges)
	}
	b.exchanges[want.name] = &want
	return nil
}

// sameAs compares a declaration with the existing exchange.
func (x *exchange) sameAs(want exchange) error {
	object := "exchange '" + x.name + "'"
	if x.kind != want.kind {
		return errInequivalent("type", object, want.kind, x.kind)
	}
	for _, p := range []property{
		{"durable", want.durable, x.durable},
		{"auto_delete", want.autoDelete, x.autoDelete},
		{"internal", want.internal, x.internal},
	} {
		if err := p.check(object); err != nil {
			return err
		}
	}
	return nil
}

// exchangeDelete flags: if-unused, no-wait. Deleting an exchange that does not exist succeeds.
func (ch *channel) exchangeDelete(a *args) error {
	a.u16()
	name, flags := a.name(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	if name == "" {
		return errNotOnDefault()
	}
	if strings.HasPrefix(name, "amq.") {
		return errReserved("exchange", name)
	}
	if x := ch.b.exchanges[name]; x != nil {
		if flags&1 != 0 && len(x.bindings) > 0 {
			return errorf(preconditionFailed, "exchange '%s' in vhost '/' in use", name)
		}
		ch.b.deleteExchange(x)
	}
	if flags&2 == 0 {
		ch.c.sendPlain(ch.id, exchangeDeleteOk)
	}
	return nil
}

func (b *Broker) deleteExchange(x *exchange) {
	delete(b.exchanges, x.name)
	for _, bd := range x.bindings {
		bd.queue.leave(x)
	}
	b.bindings -= len(x.bindings)
	x.bindings, x.routes = nil, nil
}

// unbind removes the bindings for which gone is true. An auto-delete exchange is deleted with its last one.
func (b *Broker) unbind(x *exchange, gone func(*binding) bool) {
	before := len(x.bindings)
	x.bindings = slices.DeleteFunc(x.bindings, func(bd *binding) bool {
		if !gone(bd) {
			return false
		}
		bd.queue.leave(x)
		return true
	})
	removed := before - len(x.bindings)
	b.bindings -= removed
	x.routes = nil
	if removed > 0 && len(x.bindings) == 0 && x.autoDelete {
		b.deleteExchange(x)
	}
}

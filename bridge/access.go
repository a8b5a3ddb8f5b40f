package bridge

import (
	"errors"

	"github.com/clu-ws/clu-ws/actor"
)

// action is something that a client wants to do and may not be allowed to. One of its fields
// is set.
type action struct {
	command     *actor.Command // send a command
	publish     *roomTarget    // publish a message to a room
	listClients bool           // list the connected clients
}

// allow returns an error if a client may not do something. It is called before every action:
// commands of plain and of v1 clients, commands and messages over HTTP, and the list of
// clients. At present it allows everything that is configured.
func (cfg *Config) allow(_ *client, a action) error {
	if a.listClients && !cfg.ListClients {
		return errors.New("this bridge does not tell who is connected; start it with --list-clients")
	}
	return nil
}

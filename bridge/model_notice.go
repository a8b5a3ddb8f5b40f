package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// modelNotice says that what an actor tells of itself is known now, or is no longer what it was.
type modelNotice struct {
	Op    string `json:"op"` // model
	Actor string `json:"actor"`
	State string `json:"state"` // changed
}

// modelChanged tells the clients that want to know, and may hear the actor's answers, that its model
// is another one. It does not wait for the hub.
func (b *Bridge) modelChanged(name string) {
	b.hub.Do(func() {
		about := b.answerOf(name, "command_model", "schema")
		b.hub.NoticeAbout(protocol.NoticeModels, about, true, protocol.Encode(modelNotice{"model", name, "changed"}))
	})
}

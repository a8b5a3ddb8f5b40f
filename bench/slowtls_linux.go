package bench

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	slowClients = 60
	slowReplies = 24_000 // of a kilobyte each
)

// publishToNonReaders publishes replies for clients that do not read. Each has a subscription of its own, which selects
// every reply.
func (t *testbed) publishToNonReaders(ctx context.Context) error {
	err := t.neighbours(ctx, t.scaled(slowClients), dialOptions{path: "/?silent=1", receiveBuffer: 16 << 10}, func(i int, n *neighbour) error {
		filter := map[string]any{"sender": []string{defaultSender, senderOf(i)}}
		if err := n.write(subscribeFrame("s", map[string]any{"filter": filter})); err != nil {
			return err
		}
		_, err := n.readOp("ok")
		return err
	})
	if err != nil {
		return err
	}
	if err := t.publishVolume(ctx); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

// publishVolume publishes 24 MB of replies.
func (t *testbed) publishVolume(ctx context.Context) error {
	body := json.RawMessage(`{"text":"` + strings.Repeat("x", 600) + `"}`) // 1 KB with its envelope
	return t.publish(ctx, t.scaled(slowReplies), func(int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: defaultSender, Body: body}
	})
}

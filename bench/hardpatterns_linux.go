package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	longIDs = 9_614
	// maxIDBytes is the longest command id: a short string of AMQP.
	maxIDBytes = 255
	// maxPatterns is how many patterns one filter may have.
	maxPatterns = 64
)

// publishLongIDs publishes replies with command ids of maximum length, all of one
// character.
func (t *testbed) publishLongIDs(ctx context.Context) error {
	id := strings.Repeat("a", maxIDBytes)
	if err := t.publish(ctx, t.scaled(longIDs), func(int) actor.Reply {
		return actor.Reply{Code: actor.Info, Sender: defaultSender, CommandID: id, CommanderID: "other.client", Body: json.RawMessage(`{"position":12.3456}`)}
	}); err != nil {
		return err
	}
	return t.awaitDelivered(ctx)
}

// hardPatterns returns patterns that match none of these ids, but with backtracking are tried at every position. Each is
// about half as long as an id, which maximizes the work, and ends as no id does.
func hardPatterns(end string) []string {
	patterns := make([]string, maxPatterns)
	for i := range patterns {
		patterns[i] = "*" + strings.Repeat("a", maxIDBytes/2-maxPatterns/2+i) + "b" + end
	}
	return patterns
}

func (t *testbed) resumeByHardPatterns(ctx context.Context) error {
	return t.resumeAll(ctx, map[string]any{"command_id": hardPatterns("")})
}

// resumeAll has one neighbour resume all replies that its filter selects, and waits for
// the answer.
func (t *testbed) resumeAll(ctx context.Context, filter any) error {
	return t.neighbours(ctx, 1, dialOptions{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		epoch, err := n.readEpoch()
		if err != nil {
			return err
		}
		since := map[string]any{"epoch": epoch, "seq": 0}
		if err := n.write(subscribeFrame("r", map[string]any{"filter": filter, "since": since})); err != nil {
			return err
		}
		text, err := n.readOp("ok")
		if err != nil {
			return err
		}
		var answer struct{ Resumed bool }
		if err := json.Unmarshal(text, &answer); err != nil || !answer.Resumed {
			return fmt.Errorf("a client could not resume: %s", text)
		}
		return nil
	})
}

const (
	patternClients  = 20
	filtersOfClient = 4 // of maxPatterns each
	commandRate     = 190
)

// commandsWithPatterns has an actor reply to commands with long ids, while many clients select ids by hard patterns.
func (t *testbed) commandsWithPatterns(ctx context.Context) error {
	answering, err := startBareActor(t.brokerURL, []actor.Code{actor.Running, actor.Done}, exchange)
	if err != nil {
		return err
	}
	defer answering.close()
	if err := t.neighbours(ctx, t.scaled(patternClients), dialOptions{path: "/?silent=1"}, subscribeToPatterns); err != nil {
		return err
	}
	done := make(chan struct{})
	err = t.neighbours(ctx, 1, dialOptions{path: "/"}, func(_ int, n *neighbour) error {
		go n.awaitDone(done)
		start := time.Now()
		for i := 0; time.Since(start) < t.size.DisturbFor && ctx.Err() == nil; i++ {
			if err := n.write(longIDCommand(i)); err != nil {
				return err
			}
			time.Sleep(time.Until(start.Add(time.Duration(i+1) * time.Second / commandRate)))
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
		return nil
	})
	select {
	case <-done:
		return err
	default:
		return errors.Join(err, errors.New("no command was done"))
	}
}

// awaitDone reads everything, and closes the channel when a command is done.
func (n *neighbour) awaitDone(done chan<- struct{}) {
	for {
		text, err := n.readText()
		if err != nil {
			return
		}
		if bytes.Contains(text, doneCode) {
			close(done)
			n.discard()
			return
		}
	}
}

// longIDCommand returns a command with a unique id of maximum length.
func longIDCommand(i int) []byte {
	number := fmt.Sprintf("%0*d", digits, i)
	id := strings.Repeat("a", maxIDBytes-len(number)) + number
	return textFrame(jsonOf(map[string]string{"consumer": consumer, "command_string": "status", "command_id": id}))
}

// subscribeToPatterns has the i-th client subscribe to the maximum number of patterns,
// different from every other client's.
func subscribeToPatterns(i int, n *neighbour) error {
	for f := range filtersOfClient {
		filter := map[string]any{"command_id": hardPatterns(fmt.Sprintf("%d.%d", i, f))}
		if err := n.write(subscribeFrame(fmt.Sprint(f), map[string]any{"filter": filter})); err != nil {
			return err
		}
		if _, err := n.readOp("ok"); err != nil {
			return err
		}
	}
	go n.discard()
	return nil
}

package bench

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"strings"
)

const (
	bombClients = 2
	bombs       = 500 // of each client
	// maxMessageBytes is the longest message that a bridge accepts by default.
	maxMessageBytes = 1 << 20
)

// sendBombs has clients send decompression bombs: messages that inflate a thousandfold.
func (t *testbed) sendBombs(ctx context.Context) error {
	frame, err := bomb()
	if err != nil {
		return err
	}
	return t.neighbours(ctx, bombClients, dialOptions{path: "/?silent=1", compress: true}, func(_ int, n *neighbour) error {
		return sendMany(n, frame, t.scaled(bombs))
	})
}

// sendMany sends a frame a number of times, and waits for as many errors.
func sendMany(n *neighbour, frame []byte, count int) error {
	sent := make(chan error, 1)
	go func() {
		for range count {
			if err := n.write(frame); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for answers := 0; answers < count; {
		text, err := n.readText()
		if err != nil {
			<-sent
			return err
		}
		if isOp(text, "error") {
			answers++
		}
	}
	return <-sent
}

// bomb returns a message of 1.5 KB on the wire: a JSON object of many fields, none of
// which a command has.
func bomb() ([]byte, error) {
	const field, last = `"a":0,`, `"a":0}`
	message := "{" + strings.Repeat(field, (maxMessageBytes-len(last)-1)/len(field)) + last
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(message)); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return deflatedFrame(bytes.TrimSuffix(packed.Bytes(), []byte("\x00\x00\xff\xff"))), nil
}

const (
	objectClients = 4
	objectKeys    = 96_000
)

// sendObjects has clients send objects with many keys, as fast as the bridge takes
// them.
func (t *testbed) sendObjects(ctx context.Context) error {
	frame := textFrame(manyKeys(t.scaled(objectKeys)))
	ctx, cancel := context.WithTimeout(ctx, t.size.DisturbFor)
	defer cancel()
	return t.neighbours(ctx, objectClients, dialOptions{path: "/?silent=1"}, func(_ int, n *neighbour) error {
		go n.discard()
		for ctx.Err() == nil {
			if err := n.write(frame); err != nil {
				return err
			}
		}
		return nil
	})
}

// manyKeys returns an object with n keys: with 96,000 it has almost the maximum length
// of a message.
func manyKeys(count int) []byte {
	text := []byte{'{'}
	for i := range count {
		text = fmt.Appendf(text, `"k%d":0,`, i)
	}
	text[len(text)-1] = '}'
	return text
}

// sendBombsAmongReplies makes the loops lag while replies come.
func (t *testbed) sendBombsAmongReplies(ctx context.Context) error {
	published := make(chan error, 1)
	go func() { published <- t.publishVolume(ctx) }()
	return errors.Join(t.sendBombs(ctx), <-published)
}

package wsclient

import (
	"errors"
	"testing"
	"time"
)

func TestACommandIsInDoubtOnceTheBridgeMayHaveMissedItsEnd(t *testing.T) {
	const (
		gap  = `{"op": "gap", "from": "2026-11-21T03:38:30+00:00", "to": "2026-11-21T03:39:30+00:00"}`
		past = `{"op": "gap", "from": "2026-11-21T02:38:30+00:00", "to": "2026-11-21T02:39:30+00:00"}`
	)
	reply := func(code string) string {
		return `{"headers": {"message_code": "` + code + `", "sender": "dome", "command_id": "a", "commander_id": "bridge.dome"}, "body": {}, "seq": 50, "epoch": "e"}`
	}
	for _, c := range []struct {
		name string
		says []string // what the bridge says after the command
		want CommandState
	}{
		{"nothing more is heard", []string{gap}, Unknown},
		{"nothing more is heard of one that ran", []string{reply(">"), gap}, Unknown},
		{"it still runs", []string{gap, reply("i")}, Running},
		{"it ends", []string{gap, reply(":")}, Done},
		{"what was missed was before it", []string{past}, Sent},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := func(p *peer) {
				p.send(`{"op": "ok", "id": %q, "resumed": true, "seq": 41}`, p.receive("subscribe")["id"])
				p.send(`{"op": "ok", "id": %q, "command_id": "a"}`, p.receive("command")["id"])
				for _, text := range c.says {
					p.send("%s", text)
				}
				p.answersPings(func() bool { return true })
			}
			inBubble(t, serve, func(t *testing.T, client *Client, _ <-chan State) {
				command := client.Send(t.Context(), "dome", "open", SendOptions{ID: "a"})
				time.Sleep(time.Minute)
				_, err := command.Result()
				if state := command.State(); state != c.want || state == Unknown && !errors.Is(err, ErrUnknown) {
					t.Errorf("the command is %s (%v), want %s", state, err, c.want)
				}
			})
		})
	}
}

package actor_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
)

func TestAnActorReceivesTheRepliesOfOtherActors(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		received := make(chan actor.Reply, 1)
		x.run(x.actor(actor.Config{Name: "dome", OnReply: func(r actor.Reply) { received <- r }}, nil))
		weather := x.actor(actor.Config{Name: "weather"}, nil)
		x.run(weather)
		weather.Broadcast(actor.Warning, actor.Keywords{"wind": 12.5})
		if r := <-received; r.Sender != "weather" || r.Code != actor.Warning || string(r.Body) != `{"wind":12.5}` || r.CommandID != "" {
			t.Errorf("received %+v", r)
		}
	})
}

func TestAClientReceivesRepliesToOthersAndBroadcasts(t *testing.T) {
	withExchange(t, func(t *testing.T, x *exchange) {
		received := make(chan actor.Reply, 10)
		listener, err := actor.NewClient(actor.Config{Link: x.link, OnReply: func(r actor.Reply) { received <- r }})
		if err != nil {
			t.Fatal(err)
		}
		x.run(listener)
		dome := x.actor(actor.Config{Name: "dome"}, nil)
		x.run(dome)
		dome.Broadcast(actor.Info, actor.Keywords{"open": true})
		if _, err := x.do(x.client(), "dome", "ping"); err != nil {
			t.Fatal(err)
		}
		if _, err := x.do(listener, "dome", "version"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		close(received)
		var replies []actor.Reply
		for r := range received {
			replies = append(replies, r)
		}
		want := []string{`i {"open":true}`, `> {}`, `: {"text":"Pong."}`, `> {}`, `: {"version":"?"}`}
		if got := lines(replies); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

package terminal

import "testing"

func TestAReplyIsDeliveredOnce(t *testing.T) {
	var d delivered
	for seq := range uint64(3 * rememberedReplies) {
		if r := reply(seq+1, "dome", "i", `{}`, 0); !d.first(r) || d.first(r) {
			t.Fatalf("the reply %d is not delivered once", seq+1)
		}
	}
	if len(d.seen) != rememberedReplies || len(d.ring) != rememberedReplies {
		t.Errorf("%d and %d replies are remembered, want %d", len(d.seen), len(d.ring), rememberedReplies)
	}
	again := reply(2*rememberedReplies+1, "dome", "i", `{}`, 0)
	if d.first(again) {
		t.Error("the oldest one that is remembered is delivered again")
	}
	if again.Epoch = "another"; !d.first(again) {
		t.Error("a reply with the same number of another epoch is not delivered")
	}
}

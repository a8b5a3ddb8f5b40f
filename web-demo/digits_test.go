package webdemo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// raw publishes a broadcast whose body is this text.
func (v *voice) raw(sender, body string) {
	v.t.Helper()
	err := v.ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
		Headers:   amqp.Table{"message_code": "i", "sender": sender, "command_id": nil, "commander_id": nil, "internal": false},
		Timestamp: time.Now(), Body: []byte(body),
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// What a bridge rewrites, a body with NaN, keeps its digits as well.
func TestThePageShowsAllDigitsAndSeesWhenTheLastOneChanges(t *testing.T) {
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	v := o.voice(t)
	v.raw("jaeger", `{"target": 5853498713190525696, "targets": [5853498713190525697, -9007199254740993], "small": 9007199254740991, "nan": NaN}`)
	openPage(t, ctx, o.addr)
	value := func(keyword string) string {
		return fmt.Sprintf(`document.querySelector('[data-actor="jaeger"] [data-keyword="%s"] .value')?.textContent`, keyword)
	}
	until(t, ctx, "the snapshot's digits", value("target")+` === "5853498713190525696"`)
	until(t, ctx, "those of a list", value("targets")+` === "5853498713190525697, -9007199254740993"`)
	until(t, ctx, "a number that JavaScript has", value("small")+` === "9007199254740991"`)

	v.raw("jaeger", `{"target": 5853498713190525697}`)
	until(t, ctx, "the last digit changes", value("target")+` === "5853498713190525697"`)
	until(t, ctx, "and is seen to", `document.querySelector('[data-actor="jaeger"] [data-keyword="target"]').matches(".flash-a, .flash-b")`)
	until(t, ctx, "the list has JSON as it came", `document.querySelector("#replies > li .body")?.textContent === '{"target":5853498713190525697}'`)
	do(t, ctx, chromedp.SendKeys("#filter-text", "5853498713190525697"))
	until(t, ctx, "the filter finds it", `document.querySelectorAll("#replies > li").length === 1`)
	do(t, ctx, chromedp.Click("#replies > li"), chromedp.WaitVisible("#envelope"))
	if envelope := evaluate[string](t, ctx, `document.querySelector("#envelope-json").textContent`); !strings.Contains(envelope, `"target": 5853498713190525697`) {
		t.Errorf("the envelope is %s", envelope)
	}
	screenshot(t, ctx, "page-digits")
	testkit.NoConsoleErrors(t, ctx)
}

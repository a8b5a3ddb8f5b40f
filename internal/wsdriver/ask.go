package wsdriver

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/clu-ws/clu-ws/wsclient"
)

func (d *driver) waitFor(c call) {
	ctx := d.ctx
	if c.TimeoutMS > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, ms(c.TimeoutMS))
		defer cancel()
	}
	v, err := d.client.WaitFor(ctx, c.Actor, c.Keyword, func(v wsclient.Value) bool { return string(v.Raw) == string(c.Equals) })
	d.answer(c.As, v.Raw, err)
}

// ask asks the bridge by the client's methods, and prints the answer.
func (d *driver) ask(c call) {
	d.awaitHello()
	request := func(op string) (json.RawMessage, error) {
		m := map[string]any{"op": op}
		for name, value := range c.Args {
			m[name] = value
		}
		return d.client.Request(d.ctx, m)
	}
	var value any
	var err error
	switch c.What {
	case "ack":
		actor, _ := c.Args["actor"].(string)
		var o wsclient.AckOptions
		o.Key, _ = c.Args["key"].(string)
		o.Epoch, _ = c.Args["epoch"].(string)
		if seq, ok := c.Args["seq"].(float64); ok {
			n := uint64(seq)
			o.Seq = &n
		}
		value, err = fields{}, d.client.Acknowledge(d.ctx, actor, o)
	case "publish":
		path, _ := c.Args["path"].(string)
		value, err = fields{}, d.client.Publish(d.ctx, path, c.Args["body"])
	case "log":
		value, err = d.log(c.Args)
	case "history", "model", "problems", "commands", "site", "actors":
		value, err = request(c.What)
	default:
		err = fmt.Errorf("there is nothing to ask called %q", c.What)
	}
	d.answer(c.As, value, err)
}

func (d *driver) log(args map[string]any) (any, error) {
	var o wsclient.LogOptions
	for name, at := range map[string]**uint64{"before": &o.Before, "after": &o.After} {
		if n, ok := args[name].(float64); ok {
			seq := uint64(n)
			*at = &seq
		}
	}
	if limit, ok := args["limit"].(float64); ok {
		o.Limit = int(limit)
	}
	if filter, ok := args["filter"].(map[string]any); ok {
		sender, _ := filter["sender"].(string)
		o.Filter = &wsclient.Filter{Sender: []string{sender}}
	}
	page, err := d.client.Log(d.ctx, o)
	if err != nil {
		return nil, err
	}
	seqs := []uint64{}
	for _, e := range page.Entries {
		if r, ok := e.(*wsclient.Reply); ok {
			seqs = append(seqs, r.Seq)
		}
	}
	return fields{"seqs": seqs, "more": page.More, "next": page.Next}, nil
}

func (d *driver) answer(as string, value any, err error) {
	if err != nil {
		d.print("error", fields{"as": as, "code": codeOf(err)})
		return
	}
	d.print("answer", fields{"as": as, "value": value})
}

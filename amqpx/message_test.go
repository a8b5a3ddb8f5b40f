package amqpx

import (
	"strings"
	"testing"
)

func TestAMessageThatAMQPCannotCarryIsRefused(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, m := range []Message{
		{Key: long},
		{Publishing: Publishing{CorrelationId: long}},
		{Publishing: Publishing{ReplyTo: "\xff"}},
		{Publishing: Publishing{ContentEncoding: long}},
		{Publishing: Publishing{Expiration: long}},
		{Publishing: Publishing{Type: long}},
		{Publishing: Publishing{UserId: long}},
		{Publishing: Publishing{AppId: long}},
		{Publishing: Publishing{Headers: Table{"x": struct{}{}}}},
		{Mandatory: true},
	} {
		if err := m.check(); err == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
}

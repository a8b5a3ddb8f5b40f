package broker_test

import (
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A broker inside a test needs no port: clients connect to it within the process.
func Example() {
	b := broker.New(broker.Config{})
	defer b.Close()
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{Dial: b.Dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := ch.QueueDeclare("greetings", false, false, true, false, nil); err != nil {
		fmt.Println(err)
		return
	}
	if err := ch.Publish("", "greetings", false, false, amqp.Publishing{Body: []byte("hello")}); err != nil {
		fmt.Println(err)
		return
	}
	messages, err := ch.Consume("greetings", "", true, false, false, false, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", (<-messages).Body)
	// Output: hello
}

// DropConnections shows how a program copes with a broker that goes away.
func ExampleBroker_DropConnections() {
	b := broker.New(broker.Config{})
	defer b.Close()
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{Dial: b.Dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	closed := conn.NotifyClose(make(chan *amqp.Error, 1))
	b.DropConnections()
	<-closed
	fmt.Println("connected:", b.Connections())
	// Output: connected: 0
}

func TestADeletedQueueCancelsItsConsumers(t *testing.T) {
	b, url := serve(t, broker.Config{})
	ch := open(t, dial(t, url))
	declare(t, ch, "mine") // exclusive, so no other client may delete it
	cancelled := ch.NotifyCancel(make(chan string, 1))
	_, err := ch.Consume("mine", "tag", false, false, false, false, nil)
	must(t, err)
	if !b.DeleteQueue("mine") {
		t.Error("the queue did not exist")
	}
	if tag := testkit.Receive(t, cancelled); tag != "tag" {
		t.Errorf("the consumer %q was cancelled", tag)
	}
	if b.DeleteQueue("mine") {
		t.Error("the queue exists although it was deleted")
	}
}
